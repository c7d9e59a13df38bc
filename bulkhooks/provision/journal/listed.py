"""The runs in a journal, and who has which account. It loads little, for commands that answer at once."""

from __future__ import annotations

import json
import os

import sqlalchemy as sa

from bulkhooks.provision.journal import tables
from bulkhooks.provision.journal.database import Readable
from bulkhooks.times import iso

_RUNS = (
    sa.select(
        tables.runs.c.run_id, tables.runs.c.command, tables.runs.c.job, tables.runs.c.started_at,
        tables.runs.c.finished_at, tables.runs.c.inputs, tables.runs.c.summary, tables.runs.c.facts,
        tables.runs.c.holder, tables.runs.c.id,
    )
    .where(tables.runs.c.pruned_at.is_(None))
    .order_by(tables.runs.c.id.desc())
)  # fmt: skip
_NAMES = (
    sa.select(tables.run_accounts.c.run, tables.accounts.c.name)
    .join(tables.accounts, tables.accounts.c.id == tables.run_accounts.c.account)
    .order_by(tables.accounts.c.id)
)


def runs(journal: Readable) -> list[dict[str, object]]:
    """The runs in the journal, the newest first, with who asked for each and on which computer.

    ``status`` is that of the summary, or ``unfinished``; ``holder`` then names the process, unless that is known to be
    no more.
    """
    names: dict[int, list[str]] = {}
    for run, name in journal.query(_NAMES):
        names.setdefault(run, []).append(name)
    found = []
    for run_id, command, job, started, finished, inputs, summary, facts, holder, run in journal.query(_RUNS):
        ended = json.loads(summary) if summary else {}
        is_held = finished is None and not _is_gone(holder)
        found.append(
            {
                "run_id": run_id,
                "command": command,
                "job": job,
                "started_at": iso(started),
                "finished_at": iso(finished),
                "accounts": ", ".join(names.get(run, ())),
                "user": json.loads(facts).get("User", "") or ended.get("user", ""),
                "host": host_of(holder),
                "holder": holder if is_held else "",
                "inputs": json.loads(inputs),
                "status": ended.get("status", "unfinished"),
                "counts": ended.get("counts", {}),
            }
        )
    return found


def host_of(holder: str) -> str:
    """The computer of a run, by what ``Journal.begin`` writes of its process."""
    return holder.partition(" on ")[2]


def _is_gone(holder: str) -> bool:
    """Whether a run's process is known to be no more; of another computer that is not known."""
    number = holder.removeprefix("process ").partition(" on ")[0]
    if os.name != "posix" or host_of(holder) != os.uname().nodename or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it lives, as somebody else's
        return False
    return False
