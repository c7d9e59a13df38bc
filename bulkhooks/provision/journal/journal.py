"""The job's memory: what was planned, what is on its way, what became of it.

How its records get to the disk is in ``commits.py``. ``sending()`` returns only when its record is there.
"""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from bulkhooks.errors import ErrorCode, LeaseLost
from bulkhooks.provision.changes import described, differences
from bulkhooks.provision.item import Change, Item, Operation, Outcome
from bulkhooks.provision.journal.runs import UNANSWERED, RunRecords
from bulkhooks.provision.journal.tables import calls, changes, doubts, items
from bulkhooks.provision.journal.twins import TwinsOfOurs
from bulkhooks.webhook import Status

_ITEM = sa.select(
    items.c.seq, items.c.place, items.c.account, items.c.business_id, items.c.location, items.c.action, items.c.url,
    items.c.url_key, items.c.name, items.c.name_given, items.c.description, items.c.active, items.c.operation,
    items.c.webhook_id, items.c.attempts,
)  # fmt: skip

# Numbers of calls are made here and not by the database, so that a group need not ask for them: the milliseconds since
# 1970, and behind them where this process begins to count.
_call_numbers = itertools.count((time.time_ns() // 1_000_000 << 22) + secrets.randbits(22))


class Journal(RunRecords, TwinsOfOurs):
    """An open journal. Times are seconds since 1970, UTC, given by the caller."""

    # What is left to send

    def to_do(self, run: int, account_id: int, *, after: int, count: int) -> list[Item]:
        """The next items of the account that something has to be sent for.

        One that was sent before, by a worker of this run that is no more, goes on where that has left it.
        """
        wanted = _ITEM.where(
            items.c.run == run,
            items.c.account == account_id,
            items.c.seq > after,
            items.c.operation != "",
            items.c.status == Status.PENDING,
        )
        found = [_item(run, values) for values in self.query(wanted.order_by(items.c.seq).limit(count))]
        for item in found:
            if item.attempts:
                self._resume(item)
        return found

    def _resume(self, item: Item) -> None:
        """A create in doubt is looked up first; of a change that was begun it is known what it changes."""
        if item.operation is Operation.CREATE:
            mine = [doubts.c[name] == value for name, value in _identity(item).items()]
            if self.one(sa.select(doubts.c.seq).where(*mine, doubts.c.run == item.run, doubts.c.seq == item.seq)):
                item.operation = Operation.LOOK_UP
        elif item.operation in {Operation.UPDATE, Operation.MOVE}:
            found = self.one(_change_of(item, changes.c.before, changes.c.after))
            if found is not None:
                before, after = map(json.loads, found)
                item.change = Change(before, after)
                item.changes = described(before, differences(before, after))

    def give_up(self, run: int, account_id: int, reason: str) -> None:
        """Say on every row that was not sent why it was not; not where another run has the account now."""
        if account_id in self.locks.lost:
            return
        unsent = _waiting(run, account_id).where(items.c.operation != "", items.c.error_code == "")
        with self.transaction() as connection:
            connection.execute(unsent.values(error_code=ErrorCode.NOT_SENT, error=reason))

    def pending(self, run: int, account_id: int) -> int:
        """How many rows of the account still have something to send."""
        ((count,),) = self.query(
            sa.select(sa.func.count())
            .select_from(items)
            .where(items.c.run == run, items.c.account == account_id, items.c.status == Status.PENDING)
        )
        return int(count)

    # The send protocol

    async def sending(self, item: Item, at: float) -> None:
        """Record that the item's request is about to leave; returns when the record survives a power cut.

        Raises ``JournalError`` where it does not, ``LeaseLost`` where another run has the account now.
        """
        item.attempts += 1
        item.call = next(_call_numbers)
        records = self.records(item.account_id)
        records.calls.set({"account": item.account_id, "id": item.call, "write": True, "at": at})
        if item.operation in {Operation.CREATE, Operation.LOOK_UP}:
            records.doubts.set(
                _identity(item) | {"run": item.run, "seq": item.seq, "sent_at": at, "was_absent": item.was_absent}
            )
        if item.was_looked_up:
            # The first request may still be stored as well.
            records.resent.set(_identity(item) | {"run": item.run, "seq": item.seq, "at": at})
        if item.change is not None and item.operation is not Operation.RESTORE:
            records.changes.set(
                {
                    "run": item.run,
                    "seq": item.seq,
                    "account": item.account_id,
                    "webhook_id": item.webhook_id,
                    "before": json.dumps(item.change.before),
                    "after": json.dumps(item.change.after),
                    "of_run": None,
                    "of_seq": None,
                    "restored_at": None,
                }
            )
        records.items.change(
            (item.run, item.seq),
            {
                "attempts": item.attempts,
                "sent_at": at,
                "error_code": str(ErrorCode.IN_DOUBT),
                "error": UNANSWERED,
            },
        )
        await self.durable()
        if item.account_id in self.locks.lost:
            raise LeaseLost(self.locks.lost[item.account_id])

    def answered(self, item: Item, at: float) -> None:
        """The item's request counts for the limits from its answer."""
        self.records(item.account_id).calls.change((item.account_id, item.call), {"at": at})

    def not_processed(self, item: Item, reason: str) -> None:
        """The server surely did nothing with the item's request: it counts for no cap and is in no doubt by it."""
        records = self.records(item.account_id)
        records.calls.delete((item.account_id, item.call))
        item.call = 0
        records.doubts.delete(tuple(_identity(item).values()))
        values = {"error_code": str(ErrorCode.NOT_SENT), "error": reason, "attempts": item.attempts}
        records.items.change((item.run, item.seq), values)

    def in_doubt(self, item: Item, reason: str) -> None:
        """Keep why nobody knows what became of the item."""
        values = {"error_code": str(ErrorCode.IN_DOUBT), "error": reason, "http_status": item.http_status}
        self.records(item.account_id).items.change((item.run, item.seq), values)

    def ended(self, item: Item, outcome: Outcome, at: float) -> None:
        """Record what became of an item, and with it what the tool now owns on the server."""
        records = self.records(item.account_id)
        records.items.change(
            (item.run, item.seq),
            {
                "status": str(outcome.status),
                "webhook_id": outcome.webhook_id,
                "http_status": item.http_status,
                "error_code": str(outcome.error_code),
                "error": outcome.error,
                "changes": item.changes,
                "verified": outcome.verified,
                "url": outcome.url,
                "name": outcome.name,
                "description": outcome.description,
                "duration_ms": item.duration_ms,
                "attempts": item.attempts,
            },
        )
        self._outcomes.append(f"{item.place}: {outcome.status} {outcome.webhook_id or ''}".rstrip())
        if outcome.status is Status.CREATED:
            self._own(item, outcome.webhook_id or 0, at)
            if outcome.twins:
                self.own_all(item.run, item.seq, [outcome.webhook_id or 0, *outcome.twins], at)
        elif outcome.status in {Status.UPDATED, Status.RESTORED}:
            values = {
                "url": outcome.url,
                "url_key": item.url_key,
                "name": outcome.name,
                "description": outcome.description,
            }
            records.created.change((item.account_id, outcome.webhook_id), values)
        elif outcome.status in {Status.DELETED, Status.MISSING}:
            self.gone(item.account_id, [item.webhook_id], at)
        if outcome.status is Status.RESTORED:
            self._restored(item, at)
        if outcome.status is not Status.UNKNOWN and outcome.error_code != ErrorCode.IN_DOUBT:
            self.records(item.account_id).doubts.delete(tuple(_identity(item).values()))

    def _own(self, item: Item, webhook_id: int, at: float) -> None:
        self.records(item.account_id).created.set(
            {
                "account": item.account_id,
                "webhook_id": webhook_id,
                "business_id": item.business_id,
                "location": item.location,
                "action": item.action,
                "url": item.url,
                "url_key": item.url_key,
                "name": item.name,
                "description": item.description,
                "run": item.run,
                "created_at": at,
                "deleted_at": None,
            }
        )

    def _restored(self, item: Item, at: float) -> None:
        """The change that a row of an undo takes back has been taken back."""
        key = self.one(_change_of(item, changes.c.of_run, changes.c.of_seq))
        if key is not None:
            self.records(item.account_id).changes.change(tuple(key), {"restored_at": at})

    def gone(self, account_id: int, ids: Iterable[int], at: float) -> None:
        """The server no longer has webhooks that this tool made: nobody looks for them again."""
        for webhook_id in ids:
            self.records(account_id).created.change((account_id, webhook_id), {"deleted_at": at})

    def arrived(self, account_id: int, key: tuple[int, int, str], webhook_id: int, at: float) -> None:
        """A send of an earlier run, in doubt until now, is on the server after all.

        That run created it, unless it could not see what was there before.
        """
        business_id, action, url_key = key
        found = self.one(
            sa.select(doubts.c.was_absent, doubts.c.run, doubts.c.seq).where(
                doubts.c.account == account_id,
                doubts.c.business_id == business_id,
                doubts.c.action == action,
                doubts.c.url_key == url_key,
            )
        )
        if found is None:
            return
        was_absent, run, seq = found
        values = self.one(_ITEM.where(items.c.run == run, items.c.seq == seq))
        if values is not None:
            status = Status.CREATED if was_absent else Status.EXISTS
            sentence = f"sent without an answer by this run; run {self._run_id} found it on the server"
            self.ended(_item(run, values), Outcome(status, webhook_id, error=sentence, verified=True), at)

    def change(self, item: Item) -> Change:
        """The change that goes with a row of an undo: from what the run wrote to what it was before that."""
        ((before, after),) = self.query(_change_of(item, changes.c.before, changes.c.after))
        return Change(json.loads(before), json.loads(after))

    # What counts for the limits

    def called(self, account_id: int, at: float) -> None:
        """Count a request that is no write."""
        row = {"account": account_id, "id": next(_call_numbers), "write": False, "at": at}
        self.records(account_id).calls.set(row)

    def date_back(self, account_id: int, now: float) -> None:
        """Requests that a clock which was ahead has dated in the future count as of now, and not for longer."""
        with self.transaction() as connection:
            ahead = sa.update(calls).where(calls.c.account == account_id, calls.c.at > now)
            connection.execute(ahead.values(at=now))

    def calls(self, account_id: int, *, write: bool, since: float) -> list[float]:
        """When the account's requests of earlier runs were answered, the oldest first."""
        counted = sa.select(calls.c.at).where(calls.c.account == account_id, calls.c.write == write, calls.c.at > since)
        return [at for (at,) in self.query(counted.order_by(calls.c.at))]


def _identity(item: Item) -> dict[str, Any]:
    """The key of a row of ``doubts`` and ``resent``."""
    return {
        "account": item.account_id,
        "business_id": item.business_id,
        "action": item.action,
        "url_key": item.url_key,
    }


def _waiting(run: int, account_id: int) -> sa.Update:
    return sa.update(items).where(items.c.run == run, items.c.account == account_id, items.c.status == Status.PENDING)


def _change_of(item: Item, *columns: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(*columns).where(changes.c.run == item.run, changes.c.seq == item.seq)


def _item(run: int, values: tuple[Any, ...]) -> Item:
    seq, place, account_id, business_id, location, action, url, url_key, *rest = values
    name, name_given, description, active, operation, webhook_id, attempts = rest
    return Item(
        run, seq, place, account_id, business_id, location, action, url, url_key, name, bool(name_given), description,
        active, Operation(operation), webhook_id or 0, attempts,
    )  # fmt: skip
