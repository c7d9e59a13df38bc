"""What a plan costs: how many requests, how long at the limits, how many days at the daily cap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from bulkhooks import actions
from bulkhooks.provision.account import Account
from bulkhooks.provision.item import Operation
from bulkhooks.provision.plan import Plan
from bulkhooks.webhook import Status

_READS_BEFORE = {Operation.LOOK_UP: 1, Operation.UPDATE: 1, Operation.MOVE: 1, Operation.DELETE: 1}
"""Requests that come before the write itself: a look-up, or the full record."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do now.

    ``changes`` counts rows by operation (create, update, …); ``by_location`` and ``by_action`` count rows by label and
    status; ``seconds`` is the time at the limits, latency not counted; ``days`` on how many days something is sent
    (None without a daily cap); ``cap_left`` how many writes the cap has left now, the smallest of all accounts.
    """

    changes: dict[str, int] = field(default_factory=dict)
    by_location: dict[str, dict[str, int]] = field(default_factory=dict)
    by_action: dict[str, dict[str, int]] = field(default_factory=dict)
    writes: int = 0
    requests: int = 0
    seconds: float = 0.0
    days: int | None = None
    cap_left: int | None = None


def forecast(plan: Plan, lines: Mapping[str, Account]) -> Forecast:
    """Work out what sending a plan takes; accounts wait side by side."""
    changes = plan.changes()
    reads = sum(changes.get(operation, 0) * count for operation, count in _READS_BEFORE.items())
    seconds, days, caps = 0.0, [], []
    for name, line in lines.items():
        operations = plan.operations(name)
        writes = sum(operations.values())
        lookups = sum(operations.get(operation, 0) * count for operation, count in _READS_BEFORE.items())
        seconds = max(seconds, line.limiter.seconds_for(writes=writes, reads=lookups))
        if (needed := line.limiter.days_for(writes)) is not None:
            days.append(needed)
        if (left := line.limiter.writes_left()) is not None:
            caps.append(left)
    rows = plan.rows
    return Forecast(
        changes=changes,
        by_location=_counted(rows, rows["location"]),
        by_action=_counted(rows, rows["action"].map(lambda number: actions.name_of(number) if number else "")),
        writes=plan.writes,
        requests=plan.writes + reads,
        seconds=seconds,
        days=max(days, default=None),
        cap_left=min(caps, default=None),
    )


def _counted(rows: pd.DataFrame, labels: pd.Series) -> dict[str, dict[str, int]]:
    words = rows["status"].astype(str).where(rows["operation"].astype(str) == "", str(Status.PLANNED))
    counts: dict[str, dict[str, int]] = {}
    for (label, word), count in Counter(zip(labels, words, strict=True)).items():
        counts.setdefault(str(label), {})[str(word)] = count
    return counts
