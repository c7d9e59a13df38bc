"""Care for a journal: what is old is removed, a copy is made while runs go on, all of it is checked."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from bulkhooks.errors import OutputError
from bulkhooks.private import is_database
from bulkhooks.provision.journal.database import Database
from bulkhooks.provision.journal.tables import (
    blocks,
    changes,
    created,
    doubts,
    items,
    resent,
    run_accounts,
    run_blocks,
    runs,
)


class Pruned(NamedTuple):
    """How many runs were removed and how many are left, and the bytes of the journal before and after."""

    runs: int
    left: int
    before: int
    after: int


def old_runs(journal: Database, before: float) -> list[int]:
    """The numbers of the runs that ``prune`` would remove, one in shards once. ``before``: seconds since 1970."""
    return [run for run, part_of in journal.query(_old(before)) if not part_of]


def prune(journal: Database, before: float, at: float, *, shrink: bool) -> Pruned:
    """Remove the runs that finished before a moment, at the moment ``at`` (both seconds since 1970).

    What is in doubt stays, with its run; what this tool made and has not seen gone stays owned, and can be taken back;
    what counts for a cap stays. With ``shrink`` the file becomes smaller, which takes room for a second one meanwhile;
    without, its next runs fill it up again.
    """
    size = journal.size()
    with journal.transaction() as connection:
        journal.keep_planners_out()
        old = [(run.id, run.part_of) for run in connection.execute(_old(before))]
        if old:
            gone = runs.c.id.in_([run for run, _ in old])
            connection.execute(sa.update(runs).where(gone).values(pruned_at=at, summary=None))
        for statement in _removals():
            connection.execute(statement)
        left = connection.execute(
            sa.select(sa.func.count()).select_from(runs).where(runs.c.pruned_at.is_(None), runs.c.part_of.is_(None))
        ).scalar_one()
    if shrink:
        journal.shrink()
    return Pruned(sum(not part_of for _, part_of in old), left, size, journal.size())


def _old(before: float) -> sa.Select[tuple[int, str]]:
    """The runs that go, and of a shard what it is a part of: all shards of a run go together."""
    part = runs.alias()
    name = sa.case((runs.c.shards.is_not(None), runs.c.run_id), else_=runs.c.part_of)
    has_young_part = sa.exists().where(part.c.part_of == name, part.c.pruned_at.is_(None), ~_is_old(part, before))
    is_old = sa.case((runs.c.shards.is_not(None), runs.c.started_at < before), else_=_is_old(runs, before))
    return sa.select(runs.c.id, runs.c.part_of).where(runs.c.pruned_at.is_(None), is_old, ~has_young_part)


def _is_old(runs: sa.FromClause, before: float) -> sa.ColumnElement[bool]:
    """A run goes when it has finished before a moment, or, where it never did, when it began before that and is not the
    newest of one of its accounts: that one may be under way. What is in doubt stands in its run, and is looked up
    there."""
    of, later = run_accounts.alias(), run_accounts.alias()
    is_newest_of_one = sa.exists().where(
        of.c.run == runs.c.id, ~sa.exists().where(later.c.account == of.c.account, later.c.run > of.c.run)
    )
    return sa.and_(
        sa.func.coalesce(runs.c.finished_at, runs.c.started_at) < before,
        runs.c.id.not_in(sa.select(doubts.c.run).where(doubts.c.run.is_not(None))),
        runs.c.id.not_in(sa.select(resent.c.run)),
        sa.or_(runs.c.finished_at.is_not(None), ~is_newest_of_one),
    )


def _removals() -> list[sa.Delete]:
    """What a run made and what is still there stays with it, so that it can be taken back."""
    pruned = sa.select(runs.c.id).where(runs.c.pruned_at.is_not(None))
    there = created.c.deleted_at.is_(None)
    is_there = sa.exists().where(
        created.c.account == items.c.account, created.c.webhook_id == items.c.webhook_id, there
    )
    part = runs.alias()
    wholes = sa.select(part.c.part_of).where(part.c.part_of.is_not(None))
    makers = sa.select(created.c.run).where(there, created.c.run.is_not(None))
    return [
        sa.delete(run_blocks).where(run_blocks.c.run.in_(pruned)),
        sa.delete(changes).where(changes.c.run.in_(pruned)),
        sa.delete(items).where(items.c.run.in_(pruned), ~is_there),
        sa.delete(runs).where(runs.c.pruned_at.is_not(None), runs.c.shards.is_(None), runs.c.id.not_in(makers)),
        sa.delete(runs).where(runs.c.pruned_at.is_not(None), runs.c.shards.is_not(None), runs.c.run_id.not_in(wholes)),
        sa.delete(blocks).where(blocks.c.id.not_in(sa.select(run_blocks.c.block))),
    ]


def back_up(journal: Database, copy: Path) -> int:
    """Write the journal as it is at this moment to another file, its owner's alone; returns its bytes.

    Runs go on meanwhile. An earlier copy is replaced once the new one is whole. Raises ``OutputError`` where the file
    cannot be written, or is no copy of a journal.
    """
    try:
        if copy.exists() and copy.stat().st_size and not is_database(copy):
            raise OutputError(f"{copy}: this is no copy of a journal, and is not replaced; choose another name")
        return journal.back_up(copy)
    except OSError as error:
        raise OutputError(f"{copy} cannot be written: {error.strerror or error}; choose another place") from error


def check(journal: Database) -> None:
    """Read all of the journal. Raises ``JournalError`` where something is not as it was written."""
    journal.check()
    for (number,) in journal.query(sa.select(blocks.c.id)):
        ((content,),) = journal.query(sa.select(blocks.c.content).where(blocks.c.id == number))
        for _ in journal.unpacked(content, ()):
            pass
