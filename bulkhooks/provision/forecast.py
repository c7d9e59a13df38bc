"""What a plan costs: how many requests, how long at the limits, how many days at the daily cap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from bulkhooks import actions
from bulkhooks.provision.account import Account
from bulkhooks.provision.item import Operation
from bulkhooks.provision.plan import Plan
from bulkhooks.report import Forecast
from bulkhooks.webhook import Status

_READS_BEFORE = {Operation.LOOK_UP: 1, Operation.UPDATE: 1, Operation.MOVE: 1, Operation.DELETE: 1}
"""Requests that come before the write itself: a look-up, or the full record."""


def forecast(plan: Plan, accounts: Mapping[str, Account]) -> Forecast:
    """Work out what sending a plan takes; accounts wait side by side."""
    changes = plan.changes()
    reads = sum(changes.get(operation, 0) * count for operation, count in _READS_BEFORE.items())
    seconds, days, caps = 0.0, [], []
    for name, account in accounts.items():
        operations = plan.operations(name)
        writes = sum(operations.values())
        lookups = sum(operations.get(operation, 0) * count for operation, count in _READS_BEFORE.items())
        seconds = max(seconds, account.seconds_for(writes=writes, reads=lookups))
        if (needed := account.days_for(writes)) is not None:
            days.append(needed)
        if (left := account.writes_left()) is not None:
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
