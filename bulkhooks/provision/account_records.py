"""An account's part of the journal: what it has to do, what became of it, and what earlier runs left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from bulkhooks.provision.item import Change, Item, Outcome
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.stopping import Budget, Stoppable
from bulkhooks.provision.terms import Terms


class AccountRecords(Stoppable):
    """The journal as one account sees it. ``account_id`` is the account's number there."""

    def __init__(self, name: str, journal: Journal, account_id: int, *, terms: Terms, budget: Budget) -> None:
        super().__init__(budget, terms.wall)
        self.name = name
        self.id = account_id
        self.terms = terms
        self.left = 0
        """Rows that a run has left pending."""
        self.done = 0
        """Rows that are done, of whichever run."""
        self.in_doubt: set[int] = set()
        """Rows (by ``Item.seq``) that were sent and not answered, and are not done yet."""
        self._journal = journal

    def to_do(self, run: int, *, after: int, count: int) -> list[Item]:
        """The next items of a run that something has to be sent for."""
        return self._journal.to_do(run, self.id, after=after, count=count)

    def run_id(self, run: int) -> str:
        """How the run of that number is called."""
        return history.run_id(self._journal, run)

    def change(self, item: Item) -> Change:
        """What a row of an undo takes back: what the run wrote, and what it was before that."""
        return self._journal.change(item)

    def ended(self, item: Item, outcome: Outcome) -> None:
        """Record what became of an item."""
        self.done += 1
        self.in_doubt.discard(item.seq)
        self._journal.ended(item, outcome, self.terms.wall())

    def arrived(self, key: tuple[int, int, str], webhook_id: int) -> None:
        """Record that a send of an earlier run, in doubt until now, is on the server."""
        self._journal.arrived(self.id, key, webhook_id, self.terms.wall())

    def turned_up(self, key: tuple[int, int, str], ids: Sequence[int]) -> None:
        """Record which webhooks are there of what an earlier run sent again."""
        self._journal.turned_up(self.id, key, ids, self.terms.wall())

    def gone(self, ids: Iterable[int]) -> None:
        """Record that the server no longer has webhooks that this tool made."""
        self._journal.gone(self.id, ids, self.terms.wall())

    def own_all(self, item: Item, ids: Sequence[int]) -> None:
        """Record that an item is on the server with all these ids."""
        self._journal.own_all(item.run, item.seq, ids, self.terms.wall())

    def owned(self) -> pd.DataFrame:
        """Webhooks that this tool made and has not seen gone: columns ``history.OWNED``."""
        return history.owned(self._journal, self.id)

    def doubted(self) -> pd.DataFrame:
        """Sends of earlier runs without an outcome: columns ``history.DOUBTED``."""
        return history.doubted(self._journal, self.id)

    def resent(self) -> pd.DataFrame:
        """What earlier runs sent again: columns ``history.KEY``."""
        return history.resent(self._journal, self.id)

    def pending(self, run: int) -> int:
        """Rows of a run that are not done."""
        return self._journal.pending(run, self.id)

    async def close_run(self, run: int) -> None:
        """Say in the journal why rows of the run are left, and count them. Raises ``JournalError``."""
        # What the workers have noted has to be on the disk first: a row counts as left by its status there.
        await self._journal.durable()
        reason = self.halted or self.closed
        if reason is not None:
            self._journal.give_up(run, self.id, f"not sent: {reason.reason}")
        self.left = self.pending(run)
