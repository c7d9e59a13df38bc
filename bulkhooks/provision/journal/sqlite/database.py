"""A journal in a file of SQLite: opened, written in groups, and the sentences for what can be wrong with it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import dialect, insert

from bulkhooks.errors import JournalError, OutputError
from bulkhooks.private import make_private, tighten
from bulkhooks.provision.journal import upgrade
from bulkhooks.provision.journal.database import Database
from bulkhooks.provision.journal.group import TABLES, Group, Rows, rows_of
from bulkhooks.provision.journal.lock import Locks
from bulkhooks.provision.journal.revision import FILE_VERSION
from bulkhooks.provision.journal.sqlite import old_files
from bulkhooks.temporary import temporary_name

_BUSY_TIMEOUT_MS = 60_000
_IN_MEMORY = ":memory:"


class SQLite(Database):
    """A file, or with ``:memory:`` a journal that nobody keeps.

    Opening it makes the file its owner's alone and brings its tables up to date. Only its beginning and its length are
    checked; other damage is found where it is met.
    """

    _BEGIN = "BEGIN IMMEDIATE"
    _ERRORS = (sa.exc.StatementError, sqlite3.Error)

    def __init__(self, path: Path) -> None:
        self.path = path
        self._locks = Locks(path)
        try:
            super().__init__(str(path), self._connected)
        except JournalError:
            self._locks.close()
            raise
        try:
            with self.guarded():
                if self._bring_up_to_date():
                    self.shrink()
        except (JournalError, sqlite3.Error) as error:
            self.close()
            raise self.translated(error) if isinstance(error, sqlite3.Error) else error from error

    @property
    def locks(self) -> Locks:
        return self._locks

    def close(self) -> None:
        super().close()
        self._file.close()
        self._locks.close()

    def _connected(self) -> sa.Connection:
        self._file = raw = self._open_file()
        # The driver begins no transaction of its own: ours begin and end with statements.
        engine = sa.create_engine("sqlite://", creator=lambda: raw, poolclass=sa.StaticPool)
        return engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _open_file(self) -> sqlite3.Connection:
        try:
            if str(self.path) != _IN_MEMORY:
                make_private(self.path)
                for suffix in ("-wal", "-shm"):
                    tighten(Path(f"{self.path.resolve()}{suffix}"))
            raw = sqlite3.connect(
                self.path, timeout=_BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise JournalError(
                f"{self.path}: the journal cannot be opened ({error}); name another place with --journal"
            ) from error
        try:
            raw.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
            self._check_length(raw)
        except (JournalError, sqlite3.Error) as error:
            raw.close()
            raise self.translated(error) if isinstance(error, sqlite3.Error) else error from error
        return raw

    def _check_length(self, raw: sqlite3.Connection) -> None:
        """Find a file that was cut off. In a transaction, so that no other process makes it shorter meanwhile."""
        if str(self.path) == _IN_MEMORY:
            return
        raw.execute("BEGIN")
        (pages,) = raw.execute("PRAGMA page_count").fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
        raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
        log = Path(f"{self.path.resolve()}-wal")
        there = self.path.stat().st_size + (log.stat().st_size if log.exists() else 0)
        raw.execute("COMMIT")
        if there < pages * size:
            raise self.damaged(f"{there:,} bytes of {pages * size:,} are there")

    def _bring_up_to_date(self) -> bool:
        """Whether the file held rows that it now holds in less space."""
        if self._version() == FILE_VERSION and upgrade.is_newest(self.connection):
            return False
        # Alembic copies tables, and a reference must not be followed meanwhile.
        self.connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        with self.transaction() as connection:
            version, is_smaller = self._version(), False
            if version > FILE_VERSION:
                raise upgrade.newer(self.place, str(version))
            if not version:
                upgrade.make(connection)
            elif version < FILE_VERSION:
                is_smaller = old_files.migrate(self._file, version)
                upgrade.stamp_first(connection)
            upgrade.migrate(connection, self.place)
            connection.exec_driver_sql(f"PRAGMA user_version = {FILE_VERSION}")
        self.connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        return is_smaller

    def _version(self) -> int:
        return int(self.connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    # Care

    def shrink(self) -> None:
        with suppress(sa.exc.OperationalError):  # another process is at work with it; the next one does it
            self.connection.exec_driver_sql("VACUUM")
            self.connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()

    def size(self) -> int:
        log = Path(f"{self.path.resolve()}-wal")  # what is written and not in the file yet
        return sum(each.stat().st_size for each in (self.path, log) if each.exists())

    def back_up(self, copy: Path) -> int:
        target = Path(os.path.realpath(copy))
        part = target.with_name(temporary_name(".part"))
        make_private(part)
        try:
            with closing(sqlite3.connect(part)) as into:
                self._file.backup(into)
                into.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
            part.replace(target)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", "").startswith("SQLITE_CORRUPT"):
                raise self.translated(error) from error
            raise OutputError(f"{copy} cannot be written: {error}; choose another place") from error
        finally:
            part.unlink(missing_ok=True)
        return target.stat().st_size

    def check(self) -> None:
        self._findings("PRAGMA integrity_check(1)")
        with self.guarded():
            loose = self.connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if loose is not None:
            raise self.damaged(f"a row of {loose[0]} refers to what is not there")

    def check_memory(self) -> None:
        for table in ("accounts", "created", "doubts", "calls"):
            self._findings(f"PRAGMA quick_check('{table}')")

    def _findings(self, question: str) -> None:
        with self.guarded():
            found = self.connection.exec_driver_sql(question).scalars().all()
        for finding in found:
            if finding != "ok":
                raise self.damaged(finding)

    # Writing

    def record(self, group: Group) -> None:
        with self.transaction():
            for table in TABLES:
                _write(self._file, rows_of(group, table))

    def insert(self, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        statement = f"INSERT INTO {table.name} ({names}) VALUES (?{', ?' * (len(columns) - 1)})"  # noqa: S608
        # Past the toolkit, which would take each row apart: a plan has up to a million of them.
        self._file.executemany(statement, rows)

    def add(self, table: sa.Table, *rows: Mapping[str, object]) -> None:
        self.connection.execute(insert(table).on_conflict_do_nothing(), [*rows])

    @property
    def is_writing(self) -> bool:
        """Whether a transaction is open."""
        return self._file.in_transaction

    def _roll_back(self) -> None:
        if self.is_writing:
            super()._roll_back()

    # What is wrong

    def translated(self, error: Exception) -> JournalError:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return self.damaged(str(error))
        if name.startswith("SQLITE_FULL") or "disk I/O" in str(error):
            what = f"the disk takes no more of the journal ({error}); nothing more is sent: make room and run again"
        elif name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            what = f"the journal cannot be written ({error}); give write permission or name another with --journal"
        elif name.startswith("SQLITE_BUSY"):
            what = "another process keeps the journal busy for over a minute; wait for it and run again"
        else:
            what = f"the journal failed ({error})"
        return JournalError(f"{self.path}: {what}")

    def damaged(self, finding: str) -> JournalError:
        return JournalError(
            f"{self.path}: the journal is damaged ({' '.join(finding.split())}); restore it from a backup, or move it"
            " away and run the last results file again: what is on the server is then found there, as long as listing"
            " is permitted"
        )


def _write(raw: sqlite3.Connection, several: Sequence[Rows]) -> None:
    """Write what is to become of rows of one table: many at once, as far as they are of one shape."""
    table = several[0].table
    names = _names(table)
    gone = [key for rows in several for key in rows.gone]
    if gone:
        raw.executemany(_delete(table), gone)
    put = [row for rows in several for row in rows.put.values()]
    if put:
        raw.executemany(_put(table), put)
    shapes: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for rows in several:
        for key, values in rows.changed.items():
            shapes.setdefault(tuple(values), []).append(values | dict(zip(names, key, strict=True)))
    for columns, changed in shapes.items():
        raw.executemany(_change(table, columns), changed)


# The toolkit makes each statement once, and the driver is given it as text: in a group of a few records, taking it
# apart again for each would cost more than the commit.


def _names(table: sa.Table) -> list[str]:
    """What the columns of the key are called as parameters."""
    return [f"key_{column.name}" for column in table.primary_key]


def _by_key(table: sa.Table) -> sa.ColumnElement[bool]:
    pairs = zip(table.primary_key, _names(table), strict=True)
    return sa.and_(*(column == sa.bindparam(name) for column, name in pairs))


@cache
def _delete(table: sa.Table) -> str:
    return _text(sa.delete(table).where(_by_key(table)), "qmark")


@cache
def _put(table: sa.Table) -> str:
    statement = insert(table)
    others = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    return _text(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others))


@cache
def _change(table: sa.Table, names: tuple[str, ...]) -> str:
    return _text(sa.update(table).where(_by_key(table)).values({name: sa.bindparam(name) for name in names}))


def _text(statement: sa.ClauseElement, style: str = "named") -> str:
    return str(statement.compile(dialect=dialect(paramstyle=style)))
