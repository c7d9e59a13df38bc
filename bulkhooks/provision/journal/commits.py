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
        self._order = threading.Lock()
        self._waiting: deque[tuple[Group, list[str]]] = deque()
        self._dirty = anyio.Event()
        self._done = anyio.Event()
        self._broken: JournalError | None = None
        self._outcomes: list[str] = []
        """What the group that is being queued says of rows."""

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

    @property
    def unsaved(self) -> list[str]:
        """Outcomes that came in and are not on the disk; the disk did not take them, where the run is over."""
        return [outcome for _, outcomes in [*self._waiting] for outcome in outcomes] + self._outcomes

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
            self._take()
            await self._flush(self._write)
            done.set()

    def write_queued(self) -> None:
        """Write what is queued now: whoever asks next finds it."""
        self._take()
        self._write()
        if self._broken is not None:
            raise self._broken

    def _take(self) -> None:
        """Begin another group; what was queued is written after all that was taken before."""
        self._waiting.append((self._group, self._outcomes))
        self._group, self._outcomes = {}, []

    def _write(self) -> None:
        """Write what was taken, whoever has taken it."""
        # The order must not be kept from the taking on: a thread that has not begun would keep the event loop waiting,
        # which is what starts it.
        with self._order:
            while self._waiting and self._broken is None:
                try:
                    self.locks.check()
                    if group := self._waiting[0][0]:
                        self.database.record(group)
                    self._waiting.popleft()
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
