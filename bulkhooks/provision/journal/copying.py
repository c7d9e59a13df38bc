"""A journal moves: all that is in one goes into another one, which is empty, be it a file or a shared database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from bulkhooks.errors import LockedError, UsageError
from bulkhooks.private import make_private
from bulkhooks.provision.journal import tables
from bulkhooks.provision.journal.database import Database
from bulkhooks.provision.journal.holding import who_has
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.opening import open_database
from bulkhooks.temporary import temporary_name

_AT_ONCE = 4096
"""Rows that are read together."""

_A_DAY = 86_400.0
"""Seconds for which the accounts are kept: no copy takes longer."""

_COPIED = [table for table in tables.METADATA.sorted_tables if table is not tables.leases]
"""Every table but who has which account: nobody has one in the copy."""


class Copied(NamedTuple):
    """Where a copy is, and how many runs it has."""

    place: str
    runs: int


def move(source: Journal, place: Path | str) -> Copied:
    """Put all of a journal into an empty one at another place; no run of ``source`` begins meanwhile.

    Raises ``LockedError`` where a run of it is under way, ``UsageError`` where the other one is not empty.
    """
    with _held(source), open_database(place) as target:
        for table in (tables.runs, tables.accounts):
            if target.query(sa.select(table.c.id).limit(1)):
                raise UsageError(f"{target.place}: this journal is not empty; copy to one that is not there yet")
        return Copied(target.place, copy(source.database, target))


def copy(source: Database, target: Database) -> int:
    """Put what a journal holds at this moment into an empty one, and return how many runs that are."""
    with source.transaction() as reading:
        if source.is_shared:
            reading.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with target.transaction() as writing:
            for table in _COPIED:
                target.insert(table, table.c.keys(), _rows(reading, table))
            if target.is_shared:
                _number_on(writing)
            return int(writing.execute(sa.select(sa.func.count()).select_from(tables.runs)).scalar_one())


def back_up(source: Database, copy_at: Path) -> int:
    """Write all of a shared journal to a file of SQLite, also while runs go on; returns its bytes.

    Raises ``OSError`` where the file cannot be written.
    """
    from bulkhooks.provision.journal.sqlite.database import SQLite

    whole = Path(os.path.realpath(copy_at))
    part = whole.with_name(temporary_name(".part"))
    make_private(part)
    try:
        with SQLite(part) as target:
            copy(source, target)
        part.replace(whole)
    finally:
        part.unlink(missing_ok=True)
    return whole.stat().st_size


@contextmanager
def _held(journal: Journal) -> Iterator[None]:
    """Keep every account, so that no run begins."""
    journal.database.lease_for(_A_DAY)
    taken: list[int] = []
    try:
        for number, name in journal.query(sa.select(tables.accounts.c.id, tables.accounts.c.name)):
            if not journal.locks.take(number):
                raise LockedError(f"{who_has(journal, number, name)}; nothing was copied: wait for it to end")
            taken.append(number)
        yield
    finally:
        for number in taken:
            journal.locks.release(number)


def _rows(connection: sa.Connection, table: sa.Table) -> Iterator[tuple[Any, ...]]:
    found = connection.execute(sa.select(table), execution_options={"yield_per": _AT_ONCE})
    return (tuple(row) for row in found)


def _number_on(connection: sa.Connection) -> None:
    """Let the next row of each table that numbers its rows come after the last one."""
    for table in _COPIED:
        column = table.autoincrement_column
        if column is None:
            continue
        last = sa.select(sa.func.max(column)).scalar_subquery()
        numbers = sa.func.pg_get_serial_sequence(f"{tables.SCHEMA}.{table.name}", column.name)
        connection.execute(sa.select(sa.func.setval(numbers, sa.func.coalesce(last, 1), last.is_not(None))))
