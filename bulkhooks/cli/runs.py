"""The runs in a journal: as a table with local times for a person, as JSON with times in UTC for a machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from bulkhooks.cli.terminal import columns, cut
from bulkhooks.report import local_time, moment

_HEAD = ("RUN", "STARTED", "COMMAND", "STATUS", "ROWS", "INPUT")


def runs_as_json(found: Sequence[Mapping[str, object]]) -> str:
    """The runs of a journal as a list of objects."""
    return json.dumps(found, indent=2)


def runs_as_text(found: Sequence[Mapping[str, object]], now: float | None = None) -> str:
    """The runs of a journal, the newest first, a line each below the names of the columns."""
    if not found:
        return "The journal has no run yet."
    rows = [_HEAD, *(_row(run, now) for run in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    wide = columns()
    return "\n".join(
        cut("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip(), wide)
        for row in rows
    )


def _row(run: Mapping[str, object], now: float | None) -> tuple[str, ...]:
    counts, inputs = run["counts"], run["inputs"]
    assert isinstance(counts, Mapping)  # noqa: S101
    assert isinstance(inputs, list)  # noqa: S101
    return (
        str(run["run_id"]),
        local_time(moment(str(run["started_at"])), now),
        str(run["command"]),
        str(run["status"]),
        ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "-",
        ", ".join(map(str, inputs)),
    )
