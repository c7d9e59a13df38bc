"""What the workers of one account have to do now: what fell due first, then the next rows of the journal."""

from __future__ import annotations

from collections.abc import Container, Iterator

import anyio

from bulkhooks.provision.account import Account
from bulkhooks.provision.canary import Canary
from bulkhooks.provision.delayed import Delayed
from bulkhooks.provision.item import Item, Operation

BATCH = 500  # items read from the journal at a time


class WorkQueue:
    """The items of one account in one run that are not done. ``unlisted``: as in ``Sender``."""

    def __init__(self, account: Account, run: int, canary: Canary, *, unlisted: Container[int]) -> None:
        self.busy = 0
        """Workers that have an item in hand."""
        self.open = 0
        """Items that were begun and have no outcome yet."""
        self._account = account
        self._run = run
        self._canary = canary
        self._unlisted = unlisted
        self._later = Delayed()
        self._moved = anyio.Event()
        self._fresh = self._batches()
        self._ahead: Item | None = None

    def put(self, item: Item, seconds: float) -> None:
        """Have the item come again once so many seconds are over."""
        self._later.put(item, seconds)

    async def next(self) -> Item | None:
        """What a worker is to do now, waiting for it if need be; None when nothing is left.

        A worker takes its next item in the same turn in which the last one ended, so that what ends together is
        recorded and sent together, with one commit of the journal.
        """
        while self._account.halted is None:
            # What fell due goes before what is new: a row in doubt is settled before others get in doubt.
            self._ahead = self._ahead or next(self._fresh, None)
            if (due := self._later.take_due()) is not None:
                return due
            if self._ahead is not None and self._account.closed is None and self._canary.admits_next():
                item, self._ahead = self._ahead, None
                self.open += 1
                if item.operation is not Operation.LOOK_UP:
                    return item
                self._account.in_doubt.add(item.seq)
                self._later.put(item, self._account.settles_in)
            elif self.busy or self._later:
                await self._wait()
            elif self._ahead is None or self._account.closed is not None or self._canary.is_over:
                return None
            else:
                await self._wait()
        return None

    def _batches(self) -> Iterator[Item]:
        after = -1
        while batch := self._account.to_do(self._run, after=after, count=BATCH):
            for item in batch:
                item.was_absent = item.business_id not in self._unlisted
                yield item
            after = batch[-1].seq

    async def _wait(self) -> None:
        """Until something has ended or falls due."""
        with anyio.move_on_after(self._later.seconds_left):
            await self._moved.wait()

    def wake(self) -> None:
        """Something has ended: let the workers that wait look again."""
        self._moved.set()
        self._moved = anyio.Event()
