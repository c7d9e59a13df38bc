"""Group commit: many records share one synced commit of the journal, and whoever needs to, waits for it.

Records are queued on the event loop and committed by ``keep()`` every few turns of it, so that everything that happened
in them shares one synced commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio
from anyio.lowlevel import checkpoint

from bulkhooks.errors import JournalError
from bulkhooks.provision.journal.file import JournalFile
from bulkhooks.provision.journal.lock import Locks
from bulkhooks.provision.journal.opening import translated

_TURNS = 16
"""Turns of the event loop that share one commit, a fifth of a millisecond when nothing happens. In a few of them a
worker gets from an outcome to its next send, and answers that are just coming in find the commit not begun."""


class GroupCommit(JournalFile):
    """A file of records. Raises ``JournalError`` where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.locks = Locks(path)
        try:
            super().__init__(path)
        except JournalError:
            self.locks.close()
            raise
        self._dirty = anyio.Event()
        self._done = anyio.Event()
        self._broken: JournalError | None = None
        self.unsaved: list[str] = []
        """Outcomes that came in and are not on the disk; the disk did not take them, where the run is over."""

    def close(self) -> None:
        """Commit what is queued, and close the file. No error where ``durable()`` has raised it before."""
        try:
            if self._broken is None:
                self._commit()
        finally:
            super().close()
            self.locks.close()

    async def durable(self) -> None:
        """Wait until every record queued so far is on the disk; ``JournalError`` where the disk does not take it."""
        if self._broken is None:
            done = self._done
            self._dirty.set()
            await done.wait()
        if self._broken is not None:
            raise self._broken

    async def keep(self) -> None:
        """Commit, every few turns of the event loop, what was queued in them. Runs for as long as a session does.

        Where the disk takes no more, every ``durable()`` from then on raises, so nothing more is sent.
        """
        while self._broken is None:
            await self._dirty.wait()
            for _ in range(_TURNS):
                await checkpoint()
            # Both events are replaced before the commit, in one turn: a record that is queued from now on waits for
            # the next ``done``, never for a commit that does not hold it.
            self._dirty = anyio.Event()
            done, self._done = self._done, anyio.Event()
            try:
                self.locks.check()
                self._commit()
            except JournalError as error:
                self._broken = self._broken or error
            done.set()

    def _say(self, statement: str, values: Sequence[object]) -> int:
        """Queue a statement; disk errors surface in ``durable()``, not here.

        An answer that has come in is then handled to its end (limits, outage, results), whatever the disk does.
        Returns the row id of an insert, 0 where the disk failed.
        """
        self._dirty.set()
        try:
            if not self.database.in_transaction:
                self.database.execute("BEGIN IMMEDIATE")
            return int(self.database.execute(statement, values).lastrowid or 0)
        except sqlite3.Error as error:
            self._broken = self._broken or translated(error, self.path)
            return 0

    def _commit(self) -> None:
        if self._broken is not None:
            raise self._broken
        with self.guarded():
            if self.database.in_transaction:
                self.database.execute("COMMIT")
        self.unsaved.clear()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write, all of it or nothing; what is queued is committed before."""
        self._commit()
        with super().transaction() as database:
            yield database
