"""Injected faults and latency. The same seed gives the same faults and delays.

Faults strike writes of webhooks only, so that a client can always look up what became of them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

FAULT_KINDS = ("error-500", "drop-before", "drop-after", "slow")
"""``error-500``: answered 500, nothing stored. ``drop-before``: connection closed, nothing stored. ``drop-after``:
stored, then the connection closed without an answer. ``slow``: stored at once, answered late."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault, and the share of writes (0 to 1) it strikes. ``seconds`` is how late a slow answer comes."""

    kind: str
    probability: float
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from a request's departure to its answer, drawn evenly between the two."""

    shortest: float = 0.0
    longest: float = 0.0


class FaultInjector:
    """Draws the fault of each write and the latency of each request, and counts the faults."""

    def __init__(self, faults: Sequence[Fault], latency: Latency, seed: int | None) -> None:
        self._faults = faults
        self._latency = latency
        # Two sequences, so that reads in between do not move the faults of a seed to other writes.
        self._of_faults, self._of_latency = (
            random.Random(None if seed is None else f"{name} {seed}")  # noqa: S311 (no secret)
            for name in ("faults", "latency")
        )
        self.struck: Counter[str] = Counter({fault.kind: 0 for fault in faults})

    def fault(self) -> Fault | None:
        """What strikes the next write, if anything."""
        if not self._faults:
            return None
        at = self._of_faults.random()
        for fault in self._faults:
            if at < fault.probability:
                self.struck[fault.kind] += 1
                return fault
            at -= fault.probability
        return None

    def one_way(self) -> float:
        """Seconds that the next request takes to arrive; its answer takes as long again."""
        if not self._latency.longest:
            return 0.0
        return self._of_latency.uniform(self._latency.shortest, self._latency.longest) / 2
