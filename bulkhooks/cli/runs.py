"""The runs in a journal, and what was done for it: local times for a person, JSON with times in UTC for a machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bulkhooks.cli.terminal import columns, cut
from bulkhooks.config.job import Job
from bulkhooks.errors import UsageError
from bulkhooks.report import many
from bulkhooks.times import local_time, moment

_MOST_NAMED = 6
_HEAD = ("RUN", "STARTED", "BY", "COMMAND", "STATUS", "ROWS", "INPUT")


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
        " on ".join(filter(None, (str(run["user"]), str(run["host"])))),
        str(run["command"]),
        f"{run['status']} ({said})" if (said := _said_of(run)) else str(run["status"]),
        ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "-",
        ", ".join(map(str, inputs)),
    )


def _said_of(run: Mapping[str, Any]) -> str:
    """Who has a run that is under way, and how far one in shards is."""
    shards = run.get("shards")
    if not shards:
        return " has ".join(filter(None, (str(run["holder"]), str(run["accounts"])))) if run["holder"] else ""
    parts = [f"{len(shards['done'])} of {shards['of']} shards done"]
    for word in ("unfinished", "missing"):
        if shards[word]:
            named = ", ".join(map(str, shards[word][:_MOST_NAMED]))
            parts.append(f"{word} {named}{', …' if len(shards[word]) > _MOST_NAMED else ''}")
    return "; ".join(parts)


_PLACES: Mapping[str, tuple[int, str]] = {
    "backup": (1, "say where the copy goes: `bulkhooks journal backup FILE`"),
    "copy": (2, "say from where and to where: `bulkhooks journal copy FROM TO`, each a file or postgresql://…"),
}
"""The actions that take places: how many, and the sentence where it is another number."""


def cared_for(job: Job, action: str, places: Sequence[str]) -> str:
    """Do what ``bulkhooks journal ACTION`` asks for, and tell it: with ``--json`` as an object.

    Raises ``UsageError`` where a place is missing or one too many, and what the action itself raises.
    """
    from bulkhooks.cli import ask
    from bulkhooks.commands import journal

    count, sentence = _PLACES.get(action, (0, f"journal {action} takes no file; only {' and '.join(_PLACES)} do"))
    if len(places) != count:
        raise UsageError(sentence)
    if action == "prune":
        found = journal.prune(job, ask.on_a_terminal())
    elif action == "backup":
        found = journal.backup(job, *places)
    elif action == "copy":
        found = journal.copy(*places)
    else:
        found = journal.check(job) if action == "check" else journal.path(job)
    return json.dumps(found, indent=2) if job.json else _SENTENCES[action](found)


def _pruned(found: Mapping[str, Any]) -> str:
    freed = f"; {_bytes(found['freed'])} came back, {_bytes(found['size'])} are left"
    return f"Removed {many(found['runs'], 'run', 'runs')} of {found['runs'] + found['left']:,}{freed}"


def _checked(found: Mapping[str, Any]) -> str:
    lines = [f"{found['path']}: all is well ({many(found['runs'], 'run', 'runs')}, {_bytes(found['size'])})"]
    for run in found["held"]:
        since = local_time(moment(run["started_at"]))
        lines.append(f"account {run['accounts']}: run {run['run_id']} of {run['user']} ({run['holder']}) since {since}")
    return "\n".join(lines)


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "prune": _pruned,
    "backup": lambda found: f"Copy of {found['path']}: {found['copy']} ({_bytes(found['size'])})",
    "copy": lambda found: (
        f"All of {found['from']} is in {found['to']} ({many(found['runs'], 'run', 'runs')}); name that"
        " one with --journal from now on"
    ),
    "path": lambda found: str(found["path"]),
    "check": _checked,
}


def _bytes(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB" if count >= 1_000_000 else f"{count / 1_000:,.0f} kB"
