"""The limits as the server keeps them: sliding windows, counted when a request arrives, to the letter.

Whole nanoseconds throughout, so that "at the promised second" is exact. A request that is turned away is not counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``count`` requests in any ``period`` (nanoseconds)."""

    count: int
    period: int


class _Window:
    __slots__ = ("_arrivals", "_rate")

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._arrivals: deque[int] = deque()

    def opens_at(self, now: int) -> int:
        """When the next request is taken; not after ``now`` where there is room."""
        arrivals = self._arrivals
        while arrivals and arrivals[0] + self._rate.period <= now:
            arrivals.popleft()
        return now if len(arrivals) < self._rate.count else arrivals[0] + self._rate.period

    def count(self, now: int) -> None:
        self._arrivals.append(now)


class Limits:
    """The windows of writes and those of all requests; a request has to fit into every one that concerns it."""

    def __init__(self, writes: Iterable[Rate], requests: Iterable[Rate], clock: Callable[[], int]) -> None:
        of_all = [_Window(rate) for rate in requests]
        self._windows = {False: of_all, True: [*of_all, *(_Window(rate) for rate in writes)]}
        self._clock = clock

    def arrive(self, *, write: bool) -> int:
        """Take a request in and answer 0, or answer the seconds (1 or more) after which to come again."""
        windows = self._windows[write]
        if not windows:
            return 0
        now = self._clock()
        opens_at = max(window.opens_at(now) for window in windows)
        if opens_at > now:
            return -(-(opens_at - now) // SECOND)
        for window in windows:
            window.count(now)
        return 0
