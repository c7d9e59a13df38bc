"""Tells a row that fails from an API that is down."""

from __future__ import annotations

import math
import random

import anyio

from bulkhooks.errors import BulkhooksError

FAILURES_THAT_MEAN_DOWN = 3
"""So many failures in a row, of whatever rows, and requests go one at a time until one is answered."""

LONGEST_BACKOFF = 60.0
"""Seconds."""


class GaveUp(BulkhooksError):
    """The API answered nothing useful for ``--give-up-after`` seconds."""

    exit_code = 4


def backoff(failures: int, draw: random.Random) -> float:
    """Seconds to wait after so many failures in a row: exponential, with full jitter, so that none hammer in step."""
    return draw.uniform(0, min(LONGEST_BACKOFF, 0.5 * 2.0 ** min(failures, 10)))


class Outage:
    """The last time since when the API of one account has answered nothing useful, if it has not."""

    def __init__(self, give_up_after: float, draw: random.Random) -> None:
        self._give_up_after = give_up_after
        self._draw = draw
        self._since = math.inf
        self._failures = 0
        self.answers = 0
        """Useful answers so far: a row whose failures see this number grow fails by itself."""

    @property
    def is_down(self) -> bool:
        return self._failures >= FAILURES_THAT_MEAN_DOWN

    def useful(self) -> None:
        """An answer came that shows the API at work."""
        self.answers += 1
        self._since = math.inf
        self._failures = 0

    def failed(self, sent_at: float, reason: str) -> float:
        """A request sent then got no useful answer; returns how long (seconds) the account should now be quiet.

        ``GaveUp`` where that has gone on for too long.
        """
        self._failures += 1
        self._since = min(self._since, sent_at)
        silent = anyio.current_time() - self._since
        if silent >= self._give_up_after:
            raise GaveUp(f"the API has answered nothing useful for {silent:.0f} s: {reason}")
        if not self.is_down:
            return 0.0
        return min(backoff(self._failures, self._draw), self._give_up_after - silent)
