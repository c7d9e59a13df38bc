"""A journal in PostgreSQL, which several machines share. One connection a process, one message a group of records."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import conninfo
from sqlalchemy.dialects.postgresql import insert

from bulkhooks.errors import JournalError, LeaseLost
from bulkhooks.provision.journal import tables, upgrade
from bulkhooks.provision.journal.database import Database
from bulkhooks.provision.journal.group import TABLES, Group, rows_of
from bulkhooks.provision.journal.postgresql import functions
from bulkhooks.provision.journal.postgresql.leases import Leases
from bulkhooks.provision.journal.postgresql.sessions import Session, open_session

_MAKING = 0x62756C6B  # "bulk", in advisory locks: whoever makes or changes the tables
_PLANNING = 0x62756C6C  # who writes a plan shares it, who removes old runs has it alone

_PAUSE = 0.2
"""Seconds between two attempts to reach the server again."""


class PostgreSQL(Database):
    """The schema ``bulkhooks`` of a database. Its tables are made and brought up to date, by one process at a time."""

    is_shared = True

    _SCHEMA = f"{tables.SCHEMA}."
    _ERRORS = (sa.exc.StatementError, psycopg.Error)

    patience = 10.0
    """Seconds that the server has for an answer at least, where it could cost accounts to wait."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._leases = Leases(self)
        self._is_in_transaction = False
        super().__init__(_without_secrets(address), self._connected)
        try:
            with self.guarded():
                self._bring_up_to_date()
            self.offset = self._clock_offset()
        except BaseException:
            self.close()
            raise

    @property
    def locks(self) -> Leases:
        return self._leases

    def lease_for(self, seconds: float) -> None:
        self._leases.seconds = seconds

    def close(self) -> None:
        self._leases.close()
        super().close()

    def _connected(self) -> sa.Connection:
        engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=lambda: open_session(self._address, self.locks.certificate),
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",
            execution_options={"schema_translate_map": {None: tables.SCHEMA}},
        )
        return engine.connect()

    def _bring_up_to_date(self) -> None:
        # Read from the catalog itself: what to_regclass() has once not found it may remember while another makes it.
        known = sa.text(
            "SELECT EXISTS (SELECT FROM pg_tables"
            f" WHERE schemaname = '{tables.SCHEMA}' AND tablename = 'alembic_version')"
        )
        if self.connection.execute(known).scalar_one() and upgrade.is_newest(self.connection):
            return
        with self.transaction() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING)))
            if not connection.execute(known).scalar_one():
                connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {tables.SCHEMA}")
                upgrade.make(connection)
            upgrade.migrate(connection, self.place)
            for statement in functions.statements():
                connection.exec_driver_sql(statement)

    def _clock_offset(self) -> float:
        """Seconds by which the server's clock is ahead of this machine's: caps hold by the server's."""
        before = time.time()
        ((there,),) = self.query(sa.text(f"SELECT {functions.NOW}"))
        return float(there) - (before + time.time()) / 2

    # Writing

    def record(self, group: Group) -> None:
        while group:
            for account_id in self.locks.lost.keys() & group.keys():
                del group[account_id]
            lost = self._recorded(self.locks.packed(group.keys()), _packed(group))
            if not lost:
                return
            for account_id in lost:
                self.locks.lose(account_id)

    def check_leases(self) -> None:
        for account_id in self._recorded(self.locks.packed_all(), "{}"):
            self.locks.lose(account_id)
        for sentence in self.locks.lost.values():
            raise LeaseLost(sentence)

    def _recorded(self, leases: str, group: str) -> list[int]:
        """Write it; where the connection broke, once more: that is the same twice as once."""
        statement = sa.text(f"SELECT * FROM {tables.SCHEMA}.record(CAST(:leases AS jsonb), CAST(:group AS jsonb))")
        return [account for (account,) in self.query(statement.bindparams(leases=leases, group=group))]

    def query(self, statement: sa.Executable) -> list[tuple[Any, ...]]:
        with self._guard:
            until = self.locks.trusted_until()
            if self._is_in_transaction:
                return super().query(statement)
            while True:
                self._connect_again(until)
                try:
                    return self._asked(statement, until)
                except _Broken:
                    self.connection.invalidate()
                    if self.locks.now() >= until:
                        raise

    def _asked(self, statement: sa.Executable, until: float) -> list[tuple[Any, ...]]:
        """Ask once. Where accounts are held, a server that is silent for as long as they are has failed."""
        session = self._session
        session.answers_within(max(until - self.locks.now(), self.patience) if self.locks.are_held else math.inf)
        try:
            return super().query(statement)
        finally:
            session.answers_within(math.inf)

    @property
    def _session(self) -> Session:
        session = self.connection.connection.driver_connection
        assert isinstance(session, Session)  # noqa: S101 (for the type: it comes from ``open_session``)
        return session

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        with self._guard:
            self.query(sa.text("SELECT 1"))  # a connection that has broken meanwhile is made again before it begins
            with super().transaction() as connection:
                self._is_in_transaction = True
                try:
                    yield connection
                finally:
                    self._is_in_transaction = False

    def _connect_again(self, until: float) -> None:
        """Where the connection is broken, make another, for as long as a lease is trusted, and at least try it once.

        After that nothing may be sent anyway.
        """
        while self.connection.closed or self.connection.invalidated:
            try:
                with self.guarded():
                    self.connection.close()
                    self.connection = self._connect()
            except JournalError:
                if self.locks.now() + _PAUSE >= until:
                    raise
                time.sleep(_PAUSE)

    def insert(self, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        kinds = [table.c[name].type for name in columns]
        flags = [number for number, kind in enumerate(kinds) if isinstance(kind, sa.Boolean)]
        with (
            self._session.cursor() as cursor,
            cursor.copy(f"COPY {tables.SCHEMA}.{table.name} ({names}) FROM STDIN") as copy,
        ):
            for row in rows:
                values = list(map(tables.storable, row))
                for number in flags:
                    values[number] = None if values[number] is None else bool(values[number])
                copy.write_row(values)

    def add(self, table: sa.Table, *rows: Mapping[str, object]) -> None:
        self.connection.execute(insert(table).on_conflict_do_nothing(), [*rows])

    def store(self, run: int, kind: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_PLANNING)))
        super().store(run, kind, columns, rows)

    def keep_planners_out(self) -> None:
        self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_PLANNING)))

    def _roll_back(self) -> None:
        if not self.connection.invalidated:
            super()._roll_back()

    # Care

    def doubts_about_fail_over(self) -> list[str]:
        ((standbys, names),) = self.query(
            sa.text("SELECT (SELECT count(*) FROM pg_stat_replication), current_setting('synchronous_standby_names')")
        )
        if not standbys or names:
            return []
        return [
            f"{self.place}: the server has standbys, and none is synchronous (synchronous_standby_names is empty): a"
            " fail-over may lose what was recorded last, and with it that something was sent"
        ]

    def check(self) -> None:
        """PostgreSQL checks what it reads; whoever runs it has ``amcheck`` for the rest."""
        for table in tables.METADATA.sorted_tables:
            self.query(sa.select(sa.func.count()).select_from(table))

    def size(self) -> int:
        sizes = sa.select(sa.func.sum(sa.func.pg_total_relation_size(sa.text("c.oid")))).select_from(
            sa.text("pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace")
        )
        ((size,),) = self.query(sizes.where(sa.text(f"n.nspname = '{tables.SCHEMA}' AND c.relkind = 'r'")))
        return int(size or 0)

    def back_up(self, copy: Path) -> int:
        from bulkhooks.provision.journal import copying

        return copying.back_up(self, copy)

    # What is wrong

    def translated(self, error: Exception) -> JournalError:
        says = " ".join(str(error).split())
        state = getattr(error, "sqlstate", None) or ""
        if self._is_cut(error, state):
            return _Broken(f"{self.place}: the journal cannot be reached ({says}); run it again once it can")
        if state == "42501":
            return JournalError(
                f"{self.place}: this user may not use the journal there ({says}); grant it what"
                " bulkhooks/docs/reference.md (Many machines) lists"
            )
        if state.startswith(("53", "54")):
            return JournalError(
                f"{self.place}: the server takes no more of the journal ({says}); nothing more is sent: make room and"
                " run again"
            )
        return JournalError(f"{self.place}: the journal failed ({says})")

    @staticmethod
    def _is_cut(error: Exception, state: str) -> bool:
        """Whether the connection, and not the statement, is what failed."""
        if state:
            return state.startswith(("08", "57P"))
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)

    def damaged(self, finding: str) -> JournalError:
        return JournalError(
            f"{self.place}: the journal is damaged ({' '.join(finding.split())}); restore the database from a backup"
        )


class _Broken(JournalError):
    """The connection is gone."""


def _packed(group: Group) -> str:
    """A group as the function ``record`` takes it."""
    packed: dict[str, list[dict[str, Any]]] = {}
    for name in TABLES:
        of_key = [column.name for column in tables.METADATA.tables[name].primary_key]
        for rows in rows_of(group, name):
            packed.setdefault(f"{name}_put", []).extend(rows.put.values())
            packed.setdefault(f"{name}_gone", []).extend(dict(zip(of_key, key, strict=True)) for key in rows.gone)
            packed.setdefault(f"{name}_changed", []).extend(
                values | dict(zip(of_key, key, strict=True)) for key, values in rows.changed.items()
            )
    return json.dumps({kind: list(map(_storable, rows)) for kind, rows in packed.items() if rows})


def _storable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tables.storable(value) for name, value in row.items()}


def _without_secrets(address: str) -> str:
    """What of an address may be shown: server, user and database."""
    try:
        known = conninfo.conninfo_to_dict(address)
    except psycopg.Error as error:
        raise JournalError("--journal is no address of PostgreSQL: write postgresql://user@host/database") from error
    user = f"{known['user']}@" if known.get("user") else ""
    port = f":{known['port']}" if known.get("port") else ""
    return f"postgresql://{user}{known.get('host', '')}{port}/{known.get('dbname', '')}"
