"""``journal``: the care for it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bulkhooks.config.job import Job
from bulkhooks.config.places import existing_journal, journal_place, refuse_the_journal
from bulkhooks.errors import BulkhooksError, Declined, UsageError
from bulkhooks.provision.journal import listed, upkeep
from bulkhooks.provision.journal.opening import open_database, shown
from bulkhooks.report import Ask, Question, many
from bulkhooks.times import duration

if TYPE_CHECKING:
    from bulkhooks.provision.journal.commits import GroupCommit

Findings = Mapping[str, object]
"""What one of the commands answers, by the keys of its JSON object (bulkhooks/docs/reference.md, The journal)."""


def path(job: Job) -> Findings:
    """Where the journal is: ``path``, and in ``exists`` whether there is such a file."""
    place = journal_place(job)
    return {"path": shown(place), "exists": not isinstance(place, Path) or place.exists()}


def check(job: Job) -> Findings:
    """Read all of the journal: ``path``, ``size`` in bytes, how many ``runs``, and ``held``, the runs under way.

    Raises ``JournalError`` where anything is not as it was written.
    """
    with open_database(existing_journal(job)) as journal:
        upkeep.check(journal)
        count, found = len(listed.runs(journal.read)), listed.held(journal.read)
        size = journal.size()
    keys = ("run_id", "accounts", "holder", "started_at", "user", "host")
    held = [{key: run[key] for key in keys} for run in found]
    return {"path": str(journal.place), "size": size, "runs": count, "held": held}


def backup(job: Job, copy: str) -> Findings:
    """Copy the journal to ``copy`` while runs go on: ``path``, ``copy``, and ``size`` of the copy in bytes.

    Raises ``OutputError`` where the copy cannot be written, ``UsageError`` where it would be the journal itself.
    """
    refuse_the_journal(job, [("backup", Path(copy))])
    with open_database(existing_journal(job)) as journal:
        size = upkeep.back_up(journal, Path(copy))
    return {"path": str(journal.place), "copy": copy, "size": size}


def copy(source: str, target: str) -> Findings:
    """Put all of a journal into an empty one, each a file or an address: ``from``, ``to`` and ``runs``.

    Raises ``UsageError`` where there is nothing to copy or the other one is not empty, ``LockedError`` where a run is
    under way, ``JournalError`` where one of the two cannot be used.
    """
    from bulkhooks.provision.journal.copying import move
    from bulkhooks.provision.journal.journal import Journal

    here, there = Job(journal=source), journal_place(Job(journal=target))
    place = existing_journal(here)
    if isinstance(place, Path) and isinstance(there, Path) and there.exists() and there.samefile(place):
        raise UsageError(f"{target}: this is the journal itself; name another place")
    with Journal(place) as journal:
        copied = move(journal, there)
        return {"from": journal.place, "to": copied.place, "runs": copied.runs}


def prune(job: Job, ask: Ask | None = None) -> Findings:
    """Remove the runs that are older than ``job.keep``, after a question where ``ask`` puts one.

    Returns ``path``, how many ``runs`` were removed, how many are ``left``, the bytes that were ``freed`` and the
    ``size`` that is left. Raises ``UsageError`` where ``keep`` is not given, ``Declined`` where the answer is no.
    """
    if job.keep is None:
        raise UsageError("say with --keep what stays: `bulkhooks journal prune --keep 90d`")
    with open_database(existing_journal(job)) as journal:
        now = time.time()
        old = len(upkeep.old_runs(journal, now - job.keep))
        if old and ask is not None and not job.yes:
            sentence = f"Remove {many(old, 'run', 'runs')} older than {duration(job.keep)} from {journal.place}?"
            if not ask(Question(sentence)):
                raise Declined("nothing was removed")
        done = upkeep.prune(journal, now - job.keep, now, shrink=True)
    freed = max(0, done.before - done.after)
    return {"path": str(journal.place), "runs": done.runs, "left": done.left, "freed": freed, "size": done.after}


def forget_old_runs(journal: GroupCommit, keep: float, started_at: float) -> list[str]:
    """What ``keep`` asks of a run that went well: the runs older than that are removed, never the run itself.

    ``started_at``: when that was, in seconds since 1970. Returns a sentence where it fails; the run is over all the
    same.
    """
    try:
        upkeep.prune(journal.database, min(time.time() - keep, started_at), time.time(), shrink=False)
    except BulkhooksError as error:
        return [f"old runs were not removed from the journal: {error}"]
    return []
