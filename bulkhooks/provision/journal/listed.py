"""The runs in a journal, and who has which account. It loads little, for commands that answer at once."""

from __future__ import annotations

import json
import os

from bulkhooks.provision.journal.file import JournalFile
from bulkhooks.times import iso

_RUNS = (
    "SELECT run_id, command, job, started_at, finished_at, inputs, summary, facts, holder,"
    " (SELECT group_concat(name, ', ') FROM run_accounts JOIN accounts ON accounts.id = account WHERE run = runs.id)"
    " FROM runs WHERE pruned_at IS NULL ORDER BY id DESC"
)


def runs(journal: JournalFile) -> list[dict[str, object]]:
    """The runs in the journal, the newest first, with who asked for each and on which computer.

    ``status`` is that of the summary, or ``unfinished``; ``holder`` then names the process, unless that is known to be
    no more.
    """
    found = []
    for run_id, command, job, started, finished, inputs, summary, facts, holder, accounts in journal.query(_RUNS):
        ended = json.loads(summary) if summary else {}
        is_held = finished is None and not _is_gone(holder)
        found.append(
            {
                "run_id": run_id,
                "command": command,
                "job": job,
                "started_at": iso(started),
                "finished_at": iso(finished),
                "accounts": accounts or "",
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
