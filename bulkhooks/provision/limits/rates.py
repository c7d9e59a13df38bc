"""Rates as people write them: ``60/min``, ``5000/day``, ``1/100ms``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bulkhooks.errors import UsageError

_UNITS = {
    "ms": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "min": 60.0,
    "m": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "day": 86400.0,
    "d": 86400.0,
}
_RATE = re.compile(r"\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)?\s*([a-z]+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``count`` requests in any ``period`` (seconds)."""

    count: int
    period: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read ``60/min``, ``1/100ms``, ``60/2s``; a ``UsageError`` says what is wrong with anything else."""
        found = _RATE.fullmatch(text)
        unit = _UNITS.get(found[3].lower()) if found else None
        if found is None or unit is None:
            raise UsageError(
                f"{text!r} is not a rate: write N/PERIOD, for example 60/min, 5000/day, 1/100ms or 60/2s"
                " (PERIOD: ms, s, min, h, day), or none for no limit"
            )
        count, period = int(found[1]), float(found[2] or 1) * unit
        if count < 1 or period <= 0:
            raise UsageError(f"{text!r} allows nothing at all: a rate needs at least 1 request in a period above zero")
        return cls(count, period)


def parse_rates(texts: Iterable[str]) -> tuple[Rate, ...]:
    """Several rates that hold at once; ``none`` anywhere lifts them all."""
    words = [text.strip() for text in texts]
    if any(word.lower() == "none" for word in words):
        return ()
    return tuple(Rate.parse(word) for word in words)
