"""Opens the journal's file, and has the sentences for what can be wrong with it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from bulkhooks.errors import JournalError
from bulkhooks.private import make_private, tighten
from bulkhooks.provision.journal.schema import migrate

_BUSY_TIMEOUT_MS = 60_000


def connect(path: Path) -> sqlite3.Connection:
    """Open the journal's file, its owner's alone and at the present version.

    Only its beginning and its length are checked; other damage is found where it is met. Raises ``JournalError``, which
    says what to do.
    """
    try:
        if str(path) != ":memory:":
            make_private(path)
            for suffix in ("-wal", "-shm"):
                tighten(Path(f"{path.resolve()}{suffix}"))
        connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
        )
    except (OSError, sqlite3.Error) as error:
        raise JournalError(
            f"{path}: the journal cannot be opened ({error}); name another place with --journal"
        ) from error
    try:
        connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        _check_length(connection, path)
        if migrate(connection, path):
            _shrink(connection)
    except sqlite3.Error as error:
        connection.close()
        raise translated(error, path) from error
    except JournalError:
        connection.close()
        raise
    return connection


def translated(error: sqlite3.Error, path: Path) -> JournalError:
    """What SQLite says, as a sentence for the person who runs the job."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(path, str(error))
    if name.startswith("SQLITE_FULL") or "disk I/O" in str(error):
        return JournalError(
            f"{path}: the disk takes no more of the journal ({error}); nothing more is sent: make room and run again"
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return JournalError(
            f"{path}: the journal cannot be written ({error}); give write permission or name another with --journal"
        )
    if name.startswith("SQLITE_BUSY"):
        return JournalError(
            f"{path}: another process keeps the journal busy for over a minute; wait for it and run again"
        )
    return JournalError(f"{path}: the journal failed ({error})")


def damaged(path: Path, finding: str) -> JournalError:
    """The sentence for a journal in which something is not as it was written."""
    return JournalError(
        f"{path}: the journal is damaged ({' '.join(finding.split())}); restore it from a backup, or move it away and"
        " run the last results file again: what is on the server is then found there, as long as listing is permitted"
    )


def _check_length(connection: sqlite3.Connection, path: Path) -> None:
    """Find a file that was cut off. In a transaction, so that no other process makes it shorter meanwhile."""
    if str(path) == ":memory:":
        return
    connection.execute("BEGIN")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    log = Path(f"{path.resolve()}-wal")
    there = path.stat().st_size + (log.stat().st_size if log.exists() else 0)
    connection.execute("COMMIT")
    if there < pages * size:
        raise damaged(path, f"{there:,} bytes of {pages * size:,} are there")


def _shrink(connection: sqlite3.Connection) -> None:
    """Give the disk back what an earlier version took; where another process is at work, ``journal prune`` does it."""
    with suppress(sqlite3.OperationalError):
        connection.execute("VACUUM")
