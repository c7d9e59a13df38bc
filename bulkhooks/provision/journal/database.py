"""The journal's tables, open: asked, and written in transactions. What SQLite and PostgreSQL do each in its way comes
last."""

from __future__ import annotations

import logging
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, Self

import sqlalchemy as sa

from bulkhooks.errors import BulkhooksError, JournalError
from bulkhooks.provision.journal import tables
from bulkhooks.provision.journal.blocks import Block, columns_of, pack
from bulkhooks.provision.journal.group import Group
from bulkhooks.provision.journal.lock import Holds

# What a signal breaks off is told by the program; the toolkit would write tracebacks of it to stderr.
logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())


class Readable(Protocol):
    """What can be asked: an open database, or a journal that is at work."""

    place: str

    def query(self, statement: sa.Executable) -> list[tuple[Any, ...]]: ...

    def blocks(self, run: int, kind: str, rows: range | None = None) -> Iterator[Block]: ...

    def unpacked(
        self, content: bytes, names: Sequence[str], otherwise: Mapping[str, object] | None = None
    ) -> Iterator[tuple[Any, ...]]: ...


class Database:
    """One connection. ``place`` names it in sentences, without a password. All errors are ``JournalError``."""

    is_shared = False
    """Whether other machines use it too."""

    @property
    def locks(self) -> Holds:
        """The accounts that this one has."""
        raise NotImplementedError

    offset = 0.0
    """Seconds by which its clock is ahead of this machine's."""

    def __init__(self, place: str, connect: Callable[[], sa.Connection]) -> None:
        self.place = place
        # A flush in a thread and a question on the event loop share the connection, one after the other.
        self._guard = threading.RLock()
        self._connect = connect
        with self.guarded():
            self.connection = connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        with self._guard:
            self.connection.close()
            self.connection.engine.dispose()

    # What the two kinds do in their own ways

    def lease_for(self, seconds: float) -> None:
        """How long an account is kept without a sign of life, where somebody else could take it over."""

    def translated(self, error: Exception) -> JournalError:
        """What the database says, as a sentence for the person who runs the job."""
        raise NotImplementedError

    def damaged(self, finding: str) -> JournalError:
        """The sentence for a journal in which something is not as it was written."""
        raise NotImplementedError

    def record(self, group: Group) -> None:
        """Write a group of records, all of them or none; they are on the disk when it returns."""
        raise NotImplementedError

    def insert(self, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Put many rows into a table, in the transaction that is open."""
        raise NotImplementedError

    def doubts_about_fail_over(self) -> list[str]:
        """Why what is recorded may be lost although its server said that it is on the disk, a sentence each."""
        return []

    def check(self) -> None:
        """Read all of it. Raises ``JournalError`` where something is not as it was written."""
        raise NotImplementedError

    def check_memory(self) -> None:
        """Check the tables by which nothing is sent twice; they are small. Raises ``JournalError``."""

    def size(self) -> int:
        """Its bytes."""
        raise NotImplementedError

    def shrink(self) -> None:
        """Give the disk back what is not used."""

    def back_up(self, copy: Path) -> int:
        """Write all of it to another file; returns its bytes. Raises ``OSError`` or ``OutputError``."""
        raise NotImplementedError

    def check_leases(self) -> None:
        """Raise ``LeaseLost`` where somebody has taken an account over; until the transaction that is open has ended,
        nobody can."""

    def keep_planners_out(self) -> None:
        """Let nobody write a plan until the transaction that is open has ended."""

    def add(self, table: sa.Table, *rows: Mapping[str, object]) -> None:
        """Put rows into a table, but those that are there already; in the transaction that is open."""
        raise NotImplementedError

    _SCHEMA = ""
    _BEGIN = "BEGIN"
    _ERRORS: tuple[type[Exception], ...] = (sa.exc.StatementError,)
    """What the toolkit raises, and the driver where it is used without it."""

    # Asking

    def query(self, statement: sa.Executable) -> list[tuple[Any, ...]]:
        """The rows that a statement finds."""
        with self.guarded():
            return self.connection.execute(statement).all()  # type: ignore[return-value]

    def read(self, question: str) -> list[tuple[Any, ...]]:
        """The rows that a question in plain SQL finds; ``{schema}`` stands before the name of each table in it."""
        return self.query(sa.text(question.format(schema=self._SCHEMA)))

    def blocks(self, run: int, kind: str, rows: range | None = None) -> Iterator[Block]:
        """The blocks of a run, in order; with ``rows`` only those in which rows of that part of the input may be."""
        of_run, block = tables.run_blocks.c, tables.blocks.c
        wanted = sa.select(of_run.first, of_run.low, of_run.high, of_run.block).where(
            of_run.run == run, of_run.kind == kind
        )
        if rows is not None:
            wanted = wanted.where(of_run.high >= rows.start, of_run.low <= rows.stop - 1)
        for first, low, high, number in self.query(wanted.order_by(of_run.first)):
            ((content,),) = self.query(sa.select(block.content).where(block.id == number))
            yield Block(first, low, high, content)

    def unpacked(
        self, content: bytes, names: Sequence[str], otherwise: Mapping[str, object] | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of a block with the columns named (``blocks.columns_of``)."""
        try:
            return columns_of(content, names, otherwise or {})
        except (zlib.error, ValueError) as error:
            raise self.damaged(f"a block of rows cannot be read: {error}") from error

    # Writing

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Write, all of it or nothing."""
        with self.guarded():
            self.connection.exec_driver_sql(self._BEGIN)
            try:
                yield self.connection
            except BaseException:
                # The toolkit closes a connection in which a signal has broken off a statement: all is taken back then.
                with suppress(sa.exc.SQLAlchemyError, *self._ERRORS):
                    self._roll_back()
                raise
            self.connection.exec_driver_sql("COMMIT")

    def store(self, run: int, kind: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Give a run the rows of one block (of one of ``blocks.spans``); equal ones are there already.

        In the transaction that is open.
        """
        if not rows:
            return
        packed, block = pack(columns, rows), tables.blocks.c
        known = sa.select(block.id).where(block.digest == packed.digest)
        if (number := self.connection.execute(known).scalar()) is None:
            self.add(tables.blocks, {"digest": packed.digest, "content": packed.content})
            number = self.connection.execute(known).scalar_one()
        where = {"first": packed.first, "low": packed.low, "high": packed.high, "block": number}
        self.connection.execute(sa.insert(tables.run_blocks).values(run=run, kind=kind, **where))

    def _roll_back(self) -> None:
        self.connection.exec_driver_sql("ROLLBACK")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """What the database says in the block, as a ``JournalError``; nobody else uses the connection meanwhile."""
        with self._guard:
            try:
                yield
            except self._ERRORS as error:
                said = error.orig if isinstance(error, sa.exc.StatementError) else error
                if isinstance(said, BulkhooksError):  # the second signal came while the statement was being made
                    raise said from None
                raise self.translated(said if isinstance(said, Exception) else error) from error
