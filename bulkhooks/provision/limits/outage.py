"""Tells a row that fails from an API that is down."""

from __future__ import annotations

import math
import random

import anyio

from bulkhooks.errors import Stopped

FAILURES_THAT_MEAN_DOWN = 3
"""So many failures in a row, of whatever rows, and requests go one at a time until one is answered."""

LONGEST_BACKOFF = 60.0
"""Seconds."""

SHORTEST_BACKOFF = 0.5
"""Seconds: the pause is drawn from at least so many."""


class GaveUp(Stopped):
    """The API answered nothing useful for ``--give-up-after`` seconds."""


def backoff(failures: int, draw: random.Random) -> float:
    """Seconds to wait after so many failures in a row: exponential, with full jitter, so that none hammer in step."""
    return draw.uniform(0, min(LONGEST_BACKOFF, SHORTEST_BACKOFF * 2.0 ** min(failures, 10)))


class Outage:
    """The silence of one account's API: the time since when it has answered nothing useful, if it has not.

    Silences are counted by the useful answers that came before them (``answers``).
    """

    def __init__(self, give_up_after: float, draw: random.Random) -> None:
        self._give_up_after = give_up_after
        self._draw = draw
        self._since = math.inf
        self._answered_at = -math.inf
        self._last_sent_at = -math.inf
        self._failures = 0
        self._unread: set[int] = set()
        self.answers = 0
        """Useful answers so far."""

    @property
    def is_down(self) -> bool:
        return self._failures >= FAILURES_THAT_MEAN_DOWN

    def was_down(self, silence: int) -> bool:
        """Whether the whole API was down in that silence, and not only writes failed: a read failed as well."""
        return silence in self._unread

    def useful(self, sent_at: float) -> None:
        """An answer to a request sent then shows the API at work; not if one that was sent later has failed already."""
        if sent_at >= self._last_sent_at:
            self.answers += 1
            self._answered_at = anyio.current_time()
            self._since = math.inf
            self._failures = 0

    def failed(self, sent_at: float, reason: str, *, read: bool) -> float:
        """A request sent then got no useful answer; returns how long (seconds) the account should now be quiet.

        The longer the silence, the longer that is. ``GaveUp`` where it has gone on for too long, and this request was
        sent after that: a process that was stopped meanwhile (SIGSTOP) asks once more before it believes the clock.
        """
        self._failures += 1
        self._since = min(self._since, max(sent_at, self._answered_at))
        self._last_sent_at = max(self._last_sent_at, sent_at)
        if read:
            self._unread.add(self.answers)
        silent = anyio.current_time() - self._since
        if sent_at - self._since >= self._give_up_after:
            raise GaveUp(f"the API has answered nothing useful for {silent:.0f} s: {reason}")
        if not self.is_down:
            return 0.0
        pause = self._draw.uniform(0, min(LONGEST_BACKOFF, max(SHORTEST_BACKOFF, silent)))
        return max(0.0, min(pause, self._give_up_after - silent))
