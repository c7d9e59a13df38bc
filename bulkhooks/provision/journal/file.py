"""The journal's file, open: asked, and written in transactions. Whatever goes wrong with it is a ``JournalError``."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from bulkhooks.provision.journal.blocks import Block, columns_of
from bulkhooks.provision.journal.opening import connect, damaged, translated


class JournalFile:
    """An open journal for whatever asks it or tidies it. Raises ``JournalError`` where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = connect(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def query(self, statement: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Ask; for whatever only reads."""
        with self.guarded():
            for row in self.database.execute(statement, values):  # noqa: UP028 - "yield from" would close a cursor late
                yield row

    def blocks(self, run: int, kind: str, rows: range | None = None) -> Iterator[Block]:
        """The blocks of a run, in order; with ``rows`` only those in which rows of that part of the input may be."""
        first, last = (-1, -1) if rows is None else (rows.start, rows.stop - 1)
        found = self.query(
            "SELECT first, low, high, content FROM run_blocks JOIN blocks ON blocks.id = block"
            " WHERE run = ? AND kind = ? AND (? OR (high >= ? AND low <= ?)) ORDER BY first",
            (run, kind, rows is None, first, last),
        )
        return map(Block._make, found)

    def unpacked(
        self, content: bytes, names: Sequence[str], otherwise: Mapping[str, object] | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of a block with the columns named (``blocks.columns_of``)."""
        try:
            return columns_of(content, names, otherwise or {})
        except (zlib.error, ValueError) as error:
            raise damaged(self.path, f"a block of rows cannot be read: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write, all of it or nothing."""
        with self.guarded():
            self.database.execute("BEGIN IMMEDIATE")
            try:
                yield self.database
            except BaseException:
                if self.database.in_transaction:
                    self.database.execute("ROLLBACK")
                raise
            self.database.execute("COMMIT")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """What SQLite says in the block, as a ``JournalError``."""
        try:
            yield
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
