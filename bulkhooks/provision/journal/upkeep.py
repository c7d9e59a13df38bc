"""Care for a journal: what is old is removed, a copy is made while runs go on, all of it is checked."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from bulkhooks.errors import OutputError
from bulkhooks.private import is_database, make_private
from bulkhooks.provision.journal.file import JournalFile
from bulkhooks.provision.journal.opening import damaged, translated
from bulkhooks.temporary import temporary_name

# A run goes when it has finished before ?1, or, where it never did, when it began before that and is not the newest of
# one of its accounts: that one may be under way. What is in doubt stands in its run, and is looked up there.
_OLD = """
SELECT id FROM runs r WHERE pruned_at IS NULL AND coalesce(finished_at, started_at) < ?1
AND id NOT IN (SELECT run FROM doubts WHERE run IS NOT NULL UNION SELECT run FROM resent)
AND (finished_at IS NOT NULL OR NOT EXISTS (
    SELECT 1 FROM run_accounts a WHERE a.run = r.id
    AND NOT EXISTS (SELECT 1 FROM run_accounts later WHERE later.account = a.account AND later.run > a.run)))
"""
# What a run made and what is still there stays with it, so that it can be taken back.
_REMOVE = (
    "DELETE FROM run_blocks WHERE run IN (SELECT id FROM runs WHERE pruned_at IS NOT NULL)",
    "DELETE FROM changes WHERE run IN (SELECT id FROM runs WHERE pruned_at IS NOT NULL)",
    """
    DELETE FROM items WHERE run IN (SELECT id FROM runs WHERE pruned_at IS NOT NULL)
    AND (account, webhook_id) NOT IN (SELECT account, webhook_id FROM created WHERE deleted_at IS NULL)
    """,
    """
    DELETE FROM runs WHERE pruned_at IS NOT NULL
    AND id NOT IN (SELECT run FROM created WHERE deleted_at IS NULL AND run IS NOT NULL)
    """,
    "DELETE FROM blocks WHERE id NOT IN (SELECT block FROM run_blocks)",
)


class Pruned(NamedTuple):
    """How many runs were removed and how many are left, and the bytes of the file before and after."""

    runs: int
    left: int
    before: int
    after: int


def old_runs(journal: JournalFile, before: float) -> list[int]:
    """The numbers of the runs that ``prune`` would remove. ``before``: seconds since 1970."""
    return [run for (run,) in journal.query(_OLD, (before,))]


def prune(journal: JournalFile, before: float, at: float, *, shrink: bool) -> Pruned:
    """Remove the runs that finished before a moment, at the moment ``at`` (both seconds since 1970).

    What is in doubt stays, with its run; what this tool made and has not seen gone stays owned, and can be taken back;
    what counts for a cap stays. With ``shrink`` the file becomes smaller, which takes room for a second one meanwhile;
    without, its next runs fill it up again.
    """
    size = _size(journal.path)
    with journal.transaction() as database:
        runs = [run for (run,) in database.execute(_OLD, (before,))]
        database.executemany("UPDATE runs SET pruned_at = ?, summary = NULL WHERE id = ?", ((at, run) for run in runs))
        for statement in _REMOVE:
            database.execute(statement)
        (left,) = database.execute("SELECT count(*) FROM runs WHERE pruned_at IS NULL").fetchone()
    if shrink:
        with suppress(sqlite3.OperationalError):  # another process is at work with it; the next one does it
            journal.database.execute("VACUUM")
            journal.database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return Pruned(len(runs), left, size, _size(journal.path))


def back_up(journal: JournalFile, copy: Path) -> int:
    """Write the journal as it is at this moment to another file, its owner's alone; returns its bytes.

    Runs go on meanwhile. An earlier copy is replaced once the new one is whole. Raises ``OutputError`` where the file
    cannot be written, or is no copy of a journal.
    """
    try:
        target = Path(os.path.realpath(copy))
        if target.exists() and target.stat().st_size and not is_database(target):
            raise OutputError(f"{copy}: this is no copy of a journal, and is not replaced; choose another name")
        part = target.with_name(temporary_name(".part"))
        make_private(part)
        try:
            with closing(sqlite3.connect(part)) as into:
                journal.database.backup(into)
                into.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target.stat().st_size
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_CORRUPT"):
            raise translated(error, journal.path) from error
        raise OutputError(f"{copy} cannot be written: {error}; choose another place") from error
    except OSError as error:
        raise OutputError(f"{copy} cannot be written: {error.strerror or error}; choose another place") from error


def check_memory(journal: JournalFile) -> None:
    """Check the tables by which nothing is sent twice; they are small. Raises ``JournalError``."""
    for table in ("accounts", "created", "doubts", "calls"):
        for (finding,) in journal.query(f"PRAGMA quick_check('{table}')"):
            if finding != "ok":
                raise damaged(journal.path, finding)


def check(journal: JournalFile) -> None:
    """Read all of the journal. Raises ``JournalError`` where something is not as it was written."""
    for (finding,) in journal.query("PRAGMA integrity_check(1)"):
        if finding != "ok":
            raise damaged(journal.path, finding)
    for table, *_ in journal.query("PRAGMA foreign_key_check"):
        raise damaged(journal.path, f"a row of {table} refers to what is not there")
    for (content,) in journal.query("SELECT content FROM blocks"):
        for _ in journal.unpacked(content, ()):
            pass


def _size(path: Path) -> int:
    """The bytes of the file and of what is written and not in it yet."""
    return sum(each.stat().st_size for each in (path, Path(f"{path.resolve()}-wal")) if each.exists())
