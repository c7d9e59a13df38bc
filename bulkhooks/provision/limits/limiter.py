"""The limits of the API, kept so that a server that counts to the letter never has to throttle.

A limit is a sliding window: at most N requests in any PERIOD. What counts is when the *server* receives a request, and
that lies somewhere between its departure and its answer. So a slot is taken when the request leaves, and its period
starts only with the answer: two arrivals that share a slot are then at least a period apart, whatever the latencies.
Windows shorter than a second are counted from the departure instead, or one slow answer would hold everything: from
the moment at which the request really leaves, which its record in the journal may delay, and with a little to spare.

Time is ``anyio.current_time()``: under a clock that jumps, an hour of limits takes milliseconds.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import repeat

import anyio

from bulkhooks.errors import Stopped
from bulkhooks.provision.limits.rates import Rate

CAP_PERIOD = 3600.0
"""Windows longer than this (seconds) are caps: a throttled write, not taken by the server, is given back to them."""

DAY = 86400.0

CLOCK_TOLERANCE = 1e-4
"""How much faster than ours the server's clock may run: each period is kept longer by this part of itself."""


SPARE = 0.005
"""Seconds by which a period under a second is kept longer, for requests that are not on their way equally long.

Measured against a server on the same machine that counts arrivals, 120 writes at 1/100ms: counted from the slot, 3 to 8
were throttled; from the departure none, but 7 to 10 while other programs kept the machine busy; with 5 ms none, or 1
while it was busy, in 13.0 s where 12.0 s are possible."""


class NextSlotTooFar(Stopped):
    """The limits allow the next request only in ``seconds``, and nobody wants to wait so long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the limits allow the next request in {seconds:.0f} s")
        self.seconds = seconds


class _Window:
    """One sliding window: slots in flight, and the moments at which the used ones become free again."""

    __slots__ = ("_free_at", "_from_departure", "_in_flight", "_kept", "rate")

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._kept = rate.period * (1 + CLOCK_TOLERANCE)
        self._from_departure = rate.period < 1
        if self._from_departure:
            self._kept += SPARE
        self._in_flight = 0
        self._free_at: deque[float] = deque()

    def used(self, now: float) -> int:
        while self._free_at and self._free_at[0] <= now:
            self._free_at.popleft()
        return self._in_flight + len(self._free_at)

    def opens_at(self, now: float) -> float:
        """When the next request may leave; infinity where an answer has to come first."""
        excess = self.used(now) - self.rate.count
        if excess < 0:
            return now
        return self._free_at[excess] if excess < len(self._free_at) else math.inf

    def seconds_for(self, requests: int, now: float) -> float:
        """Time until that many more requests have left, every answer taken as immediate."""
        used = self.used(now)
        waiting = requests - max(0, self.rate.count - used)
        if waiting <= 0:
            return 0.0
        # Each place is free again a period after its request, and whoever waits takes the place that is free first.
        places = [*self._free_at, *repeat(now + self.rate.period, max(used, self.rate.count) - len(self._free_at))]
        periods, place = divmod(waiting - 1, self.rate.count)
        return places[place - self.rate.count] - now + periods * self.rate.period

    def periods_for(self, requests: int, now: float) -> int:
        """In how many periods so many more requests leave; one that has no room now does not count."""
        left = max(0, self.rate.count - self.used(now))
        return (left > 0) + -(-max(0, requests - left) // self.rate.count)

    def remember(self, ages: Iterable[float], now: float) -> None:
        # What a clock that was wrong has dated in the future counts as of now; sorted, because slots
        # become free in the order of their moments and ``opens_at`` counts from the left.
        free_at = (now - max(age, 0.0) + self._kept for age in ages)
        self._free_at = deque(sorted([*self._free_at, *(moment for moment in free_at if moment > now)]))

    def take(self, now: float) -> None:
        if self._from_departure:
            self._free_at.append(now + self._kept)
        else:
            self._in_flight += 1

    def left(self, taken_at: float, now: float) -> None:
        # Between the slot and the departure lies the journal's disk: a short window is counted anew from here.
        if self._from_departure:
            with suppress(ValueError):  # so late that it was free again
                self._free_at.remove(taken_at + self._kept)
            self._free_at.append(now + self._kept)

    def answered(self, now: float) -> None:
        # The server may have counted it at any moment up to now, so the period starts only here.
        if not self._from_departure:
            self._in_flight -= 1
            self._free_at.append(now + self._kept)

    def gave_back(self) -> None:
        if not self._from_departure:
            self._in_flight -= 1


class Slot:
    """The right to send one request. Exactly one of ``answered``, ``never_left`` and ``throttled`` ends it."""

    __slots__ = ("_limiter", "_taken_at", "_windows")

    def __init__(self, limiter: Limiter, windows: Sequence[_Window], taken_at: float) -> None:
        self._limiter = limiter
        self._windows = windows
        self._taken_at = taken_at

    def leaves(self) -> None:
        """The request leaves now, and not when the slot was given."""
        now = anyio.current_time()
        for window in self._windows:
            window.left(self._taken_at, now)

    def answered(self) -> None:
        """An answer came, or the request is lost on the way: from now on the slot is used for one period."""
        self._end(math.inf)

    def never_left(self) -> None:
        """Nothing was sent: the slot is free at once."""
        self._end(0)

    def throttled(self) -> None:
        """The server took it in and turned it away: it counts for the short windows, not for the caps."""
        self._end(CAP_PERIOD)

    def _end(self, longest_that_counts: float) -> None:
        now = anyio.current_time()
        for window in self._windows:
            if window.rate.period <= longest_that_counts:
                window.answered(now)
            else:
                window.gave_back()
        self._limiter.changed()


class Limiter:
    """All limits of one account at once: those of writes, and those of every request.

    Reads and writes queue apart, so that a look-up is not stuck behind a write that waits for a cap.
    """

    def __init__(self, writes: Iterable[Rate], requests: Iterable[Rate]) -> None:
        of_all = [_Window(rate) for rate in requests]
        self._windows = {False: of_all, True: [*of_all, *(_Window(rate) for rate in writes)]}
        self._queues = {write: anyio.Lock(fast_acquire=True) for write in (False, True)}
        self._changed: anyio.Event | None = None
        self._paused_until = -math.inf

    def remember(self, ages: Sequence[float], *, write: bool) -> None:
        """Count requests of earlier runs, given as seconds since their answers."""
        now = anyio.current_time()
        for window in self._windows[write]:
            window.remember(ages, now)

    def pause(self, seconds: float) -> None:
        """Let nothing leave for so long: the server asked for it."""
        self._paused_until = max(self._paused_until, anyio.current_time() + seconds)

    @property
    def is_paused(self) -> bool:
        """Whether the server has asked for a pause that is not over."""
        return anyio.current_time() < self._paused_until

    def opens_in(self, *, write: bool) -> float:
        """Seconds until the next request may leave (0: now; infinity: an answer has to come first)."""
        now = anyio.current_time()
        return self._opens_at(now, write) - now

    def waits(self) -> list[tuple[str, float]]:
        """What waits for a slot, a ``write`` or another ``request``, and for how many seconds yet.

        Left out is what waits for an answer first, for nobody knows when that comes.
        """
        # A queue is locked only while its first waits: whoever gets a slot at once holds it for no turn of the loop.
        waiting = (("write", True), ("request", False))
        found = [(kind, self.opens_in(write=write)) for kind, write in waiting if self._queues[write].locked()]
        return [(kind, seconds) for kind, seconds in found if seconds < math.inf]

    def seconds_for(self, *, writes: int, reads: int = 0) -> float:
        """Time at the limits for so many more requests, latency not counted."""
        now = anyio.current_time()
        of_all = self._windows[False]
        return max(
            (window.seconds_for(writes + (reads if window in of_all else 0), now) for window in self._windows[True]),
            default=0.0,
        )

    def writes_left(self) -> int | None:
        """How many writes the longest window still takes now; None where there is no limit."""
        now = anyio.current_time()
        windows = self._windows[True]
        if not windows:
            return None
        longest = max(windows, key=lambda window: window.rate.period)
        return max(0, longest.rate.count - longest.used(now))

    def days_for(self, writes: int) -> int | None:
        """On how many days so many more writes are sent under the daily cap; None where there is no such cap."""
        now = anyio.current_time()
        caps = [window for window in self._windows[True] if window.rate.period >= DAY]
        if not caps or not writes:
            return 0 if caps else None
        return max(window.periods_for(writes, now) for window in caps)

    async def slot(self, *, write: bool, patience: float = math.inf) -> Slot:
        """Wait for the right to send one request; ``NextSlotTooFar`` where that takes over ``patience`` seconds."""
        # The lock makes the queue: whoever holds it is the next to leave, and the others do not look at the windows.
        # It is held while waiting, so rows leave in their order, and each change wakes one task and not all.
        async with self._queues[write]:
            while True:
                now = anyio.current_time()
                opens_at = self._opens_at(now, write)
                if opens_at <= now:
                    # All windows in one turn of the event loop: nobody can take the last place of one in between.
                    windows = self._windows[write]
                    for window in windows:
                        window.take(now)
                    return Slot(self, windows, now)
                if patience < opens_at - now < math.inf:
                    raise NextSlotTooFar(opens_at - now)
                await self._wait(opens_at - now)

    def changed(self) -> None:
        """Wake whoever waits for an answer."""
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    def _opens_at(self, now: float, write: bool) -> float:
        return max(now, self._paused_until, *(window.opens_at(now) for window in self._windows[write]))

    async def _wait(self, seconds: float) -> None:
        if self._changed is None:
            self._changed = anyio.Event()
        with anyio.move_on_after(seconds):
            await self._changed.wait()
