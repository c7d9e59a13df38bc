"""What stays what it was from round to round: when a webhook was sent, how often, and which run made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from bulkhooks.provision.item import Operation
from bulkhooks.provision.journal import history, known
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import SENDING
from bulkhooks.provision.plan import Plan
from bulkhooks.report import many
from bulkhooks.times import moment
from bulkhooks.webhook import EARLIER, Status

_COLUMNS = dict(zip(("http_status", "verified", "attempts", "sent_at", "duration_ms"), EARLIER[1:], strict=True))
"""Of each column of ``SENDING`` that of a results file."""


def keep_earlier(plan: Plan, earlier: pd.DataFrame, journal: Journal, accounts: Mapping[str, int]) -> dict[str, str]:
    """Give the plan's rows the columns ``SENDING``: what the journal, else the results file they come from, tells.

    ``earlier`` is that of the table (``EARLIER``), ``accounts`` the journal's numbers by name. Where something is sent
    for a row, only ``sent_at`` is kept, until it is sent. Returns which runs made those that exist, as a line for the
    sheet Summary.
    """
    rows = plan.rows
    kept = rows.assign(**dict.fromkeys(SENDING))
    unsent = (rows["operation"] == Operation.NOTHING).to_numpy()
    if (earlier["Row"] != "").any():
        texts = earlier.iloc[rows["row"].to_numpy()]
        other = (rows["status"] == Status.EXISTS) & (rows["known_id"] != rows["webhook_id"])
        for name, column in _COLUMNS.items():
            values = [_read(name, text) for text in texts[column]]
            mine = ~other.to_numpy() & (unsent if name != "sent_at" else True)
            kept[name] = pd.Series(values, index=rows.index, dtype=object).where(mine, kept[name])
    runs: Counter[str] = Counter()
    exists = rows["status"] == Status.EXISTS
    for name, number in accounts.items():
        there = rows[exists & (rows["account"] == name)]
        makers = known.made(journal, number) if len(there) else None
        if makers is None or makers.empty:
            continue
        found = makers.reindex(there["webhook_id"]).set_axis(there.index).dropna(subset=["sent_at"])
        for column in SENDING:
            given = found[column].dropna()
            kept.loc[given.index, column] = given
        runs.update(found["run_id"].dropna())
    kept["attempts"] = kept["attempts"].fillna(0)
    kept = kept.astype(dict.fromkeys(SENDING, object))
    kept[list(SENDING)] = kept[list(SENDING)].where(kept[list(SENDING)].notna(), None)
    plan.rows = kept
    lines = "\n".join(f"{run}: {many(count, 'webhook', 'webhooks')}" for run, count in sorted(runs.items()))
    return {history.MADE_BY: lines} if lines else {}


def _read(name: str, text: str) -> float | int | None:
    """A cell of a results file as the journal has it; None where it is empty, or something else than we wrote."""
    if not text:
        return None
    if name == "verified":
        return 1 if text.casefold() == "yes" else None
    try:
        return moment(text) if name == "sent_at" else int(float(text))
    except (ValueError, OverflowError):
        return None
