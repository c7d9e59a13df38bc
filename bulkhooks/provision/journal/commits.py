"""Group commit: many records share one synced commit of the journal, and whoever needs to, waits for it.

Records are queued on the event loop and written by ``keep()`` every few turns of it, so that everything that happened
in them shares one synced commit. Of each row only its last state is written (``group.py``).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import anyio
import sqlalchemy as sa
from anyio.lowlevel import checkpoint

from bulkhooks.errors import JournalError
from bulkhooks.provision.journal.blocks import Block
from bulkhooks.provision.journal.group import Group, Records
from bulkhooks.provision.journal.opening import open_database

_TURNS = 16
"""Turns of the event loop that share one commit, a fifth of a millisecond when nothing happens. In a few of them a
worker gets from an outcome to its next send, and answers that are just coming in find the commit not begun."""

T = TypeVar("T")

Flush = Callable[[Callable[[], None]], Awaitable[None]]
"""Runs what writes a group: at once, or in a thread where the database is on another machine."""


async def at_once(write: Callable[[], None]) -> None:
    """Write on the event loop: a commit to a local disk takes less than handing it to a thread."""
    write()


async def in_a_thread(write: Callable[[], None]) -> None:
    """Write in a thread, to its end: what waits for a server must not hold up what is on its way."""
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(write)


class GroupCommit:
    """Records of a journal on their way to the disk. Raises ``JournalError`` where it takes no more."""

    def __init__(self, place: Path | str, flush: Flush | None = None) -> None:
        self.opened = place
        """What it was opened with, and can be opened with again."""
        self.database = open_database(place)
        self.place = self.database.place
        self.locks = self.database.locks
        self._flush = flush or (in_a_thread if self.database.is_shared else at_once)
        self._group: Group = {}
        # Groups are written in the order in which they were queued, also where one is still under way in a thread.
        self._order, self._counting = threading.Lock(), threading.Lock()
        self._taken_groups: deque[tuple[Group, int]] = deque()
        self._outcomes = 0  # how many of ``unsaved`` are those of groups that were taken
        self._dirty = anyio.Event()
        self._done = anyio.Event()
        self._broken: JournalError | None = None
        self.unsaved: list[str] = []
        """Outcomes that came in and are not on the disk; the disk did not take them, where the run is over."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is queued, and close the journal. No error where ``durable()`` has raised it before."""
        try:
            if self._broken is None:
                self.write_queued()
        finally:
            self.database.close()

    # Queued

    def records(self, account_id: int) -> Records:
        """Where records of an account are queued; errors of the disk surface in ``durable()``, not here.

        An answer that has come in is then handled to its end (limits, outage, results), whatever the disk does.
        """
        self._dirty.set()
        records = self._group.get(account_id)
        if records is None:
            records = self._group[account_id] = Records()
        return records

    async def durable(self) -> None:
        """Wait until every record queued so far is on the disk; ``JournalError`` where the disk does not take it."""
        if self._broken is None:
            done = self._done
            self._dirty.set()
            await done.wait()
        if self._broken is not None:
            raise self._broken

    async def keep(self) -> None:
        """Write, every few turns of the event loop, what was queued in them. Runs for as long as a session does.

        Where the disk takes no more, every ``durable()`` from then on raises, so nothing more is sent.
        """
        while self._broken is None:
            await self._dirty.wait()
            for _ in range(_TURNS):
                await checkpoint()
            # Events and group are replaced before the write, in one turn: a record that is queued from now on waits
            # for the next ``done``, never for a commit that does not hold it.
            self._dirty = anyio.Event()
            done, self._done = self._done, anyio.Event()
            await self._flush(self._taken())
            done.set()

    def write_queued(self) -> None:
        """Write what is queued now: whoever asks next finds it."""
        self._taken()()
        if self._broken is not None:
            raise self._broken

    def _taken(self) -> Callable[[], None]:
        """Take what is queued; what is returned writes it, after all that was taken before."""
        group, self._group = self._group, {}
        with self._counting:
            outcomes = len(self.unsaved) - self._outcomes
            self._outcomes += outcomes
        self._taken_groups.append((group, outcomes))

        def write() -> None:
            # Whoever comes first writes all that there is. The order must not be kept from the taking on: a thread that
            # has not begun would keep the event loop waiting, which is what starts it.
            with self._order:
                while self._taken_groups:
                    self._write(*self._taken_groups.popleft())

        return write

    def _write(self, group: Group, outcomes: int) -> None:
        try:
            if self._broken is None:
                self.locks.check()
                if group:
                    self.database.record(group)
                with self._counting:
                    del self.unsaved[:outcomes]
                    self._outcomes -= outcomes
        except JournalError as error:
            self._broken = error

    async def renew(self) -> None:
        """Give a sign of life for the accounts that are held. Raises ``JournalError`` where the server is not heard."""
        await self._flush(self.locks.renew)

    async def aside(self, work: Callable[[], T]) -> T:
        """Do something with the database as groups are written: in a thread where it is on another machine."""
        found: list[T] = []
        await self._flush(lambda: found.append(work()))
        return found[0]

    # Asked and written in between

    def query(self, statement: sa.Executable) -> list[tuple[Any, ...]]:
        """Ask; what is queued is written before, where the disk takes it."""
        if self._broken is None:
            self.write_queued()
        return self.database.query(statement)

    def one(self, statement: sa.Executable) -> tuple[Any, ...] | None:
        """The first row that a statement finds; None where there is none."""
        return next(iter(self.query(statement)), None)

    def blocks(self, run: int, kind: str, rows: range | None = None) -> Iterator[Block]:
        """``Database.blocks``."""
        return self.database.blocks(run, kind, rows)

    def unpacked(
        self, content: bytes, names: Sequence[str], otherwise: Mapping[str, object] | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """``Database.unpacked``."""
        return self.database.unpacked(content, names, otherwise)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Write, all of it or nothing; what is queued is written before."""
        self.write_queued()
        with self.database.transaction() as connection:
            yield connection
