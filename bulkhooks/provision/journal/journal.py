"""The job's memory, and the one owner of SQL that writes: what was planned, what is on its way, what became of it.

How its records get to the disk is in ``commits.py``. ``sending()`` returns only when its record is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bulkhooks.errors import ErrorCode
from bulkhooks.provision.item import Change, Item, Operation, Outcome
from bulkhooks.provision.journal.runs import RunRecords
from bulkhooks.provision.journal.twins import TwinsOfOurs
from bulkhooks.webhook import Status

_SELECT_ITEM = (
    "SELECT seq, place, account, business_id, location, action, url, url_key, name, name_given,"
    " description, active, operation, webhook_id, attempts FROM items"
)


class Journal(RunRecords, TwinsOfOurs):
    """An open journal. Times are seconds since 1970, UTC, given by the caller."""

    # What is left to send

    def to_do(self, run: int, account_id: int, *, after: int, count: int) -> list[Item]:
        """The next items of the account that something has to be sent for."""
        with self.guarded():
            found = self.database.execute(
                f"{_SELECT_ITEM} WHERE run = ? AND account = ? AND seq > ? AND operation <> '' ORDER BY seq LIMIT ?",
                (run, account_id, after, count),
            ).fetchall()
        return [_item(run, values) for values in found]

    def give_up(self, run: int, account_id: int, reason: str) -> None:
        """Say on every row that was not sent why it was not."""
        with self.transaction() as database:
            database.execute(
                "UPDATE items SET error_code = ?, error = ?"
                " WHERE run = ? AND account = ? AND operation <> '' AND status = 'pending' AND error_code = ''",
                (ErrorCode.NOT_SENT, reason, run, account_id),
            )

    def pending(self, run: int, account_id: int) -> int:
        """How many rows of the account still have something to send."""
        with self.guarded():
            ((count,),) = self.database.execute(
                "SELECT count(*) FROM items WHERE run = ? AND account = ? AND status = 'pending'", (run, account_id)
            )
        return int(count)

    # The send protocol

    async def sending(self, item: Item, at: float) -> None:
        """Record that the item's request is about to leave; returns when the record survives a power cut."""
        item.attempts += 1
        item.call = self._say("INSERT INTO calls (account, write, at) VALUES (?, 1, ?)", (item.account_id, at))
        if item.operation in {Operation.CREATE, Operation.LOOK_UP}:
            self._say(
                "INSERT OR REPLACE INTO doubts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    item.account_id, item.business_id, item.action, item.url_key,
                    item.run, item.seq, at, item.was_absent,
                ),
            )  # fmt: skip
        if item.was_looked_up:
            self.sent_again(item, at)
        if item.change is not None and item.operation is not Operation.RESTORE:
            self._say(
                "INSERT OR REPLACE INTO changes (run, seq, account, webhook_id, before, after)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    item.run, item.seq, item.account_id, item.webhook_id,
                    json.dumps(item.change.before), json.dumps(item.change.after),
                ),
            )  # fmt: skip
        self._say(
            "UPDATE items SET attempts = ?, sent_at = ?, error_code = ?,"
            " error = 'sent, and the run stopped before the answer came' WHERE run = ? AND seq = ?",
            (item.attempts, at, ErrorCode.IN_DOUBT, item.run, item.seq),
        )
        await self.durable()

    def answered(self, item: Item, at: float) -> None:
        """The item's request counts for the limits from its answer."""
        self._say("UPDATE calls SET at = ? WHERE id = ?", (at, item.call))

    def not_processed(self, item: Item, reason: str) -> None:
        """The server surely did nothing with the item's request: it counts for no cap and is in no doubt by it."""
        self._say("DELETE FROM calls WHERE id = ?", (item.call,))
        item.call = 0
        self._resolve(item)
        self._say(
            "UPDATE items SET error_code = ?, error = ?, attempts = ? WHERE run = ? AND seq = ?",
            (ErrorCode.NOT_SENT, reason, item.attempts, item.run, item.seq),
        )

    def in_doubt(self, item: Item, reason: str) -> None:
        """Keep why nobody knows what became of the item."""
        self._say(
            "UPDATE items SET error_code = ?, error = ?, http_status = ? WHERE run = ? AND seq = ?",
            (ErrorCode.IN_DOUBT, reason, item.http_status, item.run, item.seq),
        )

    def ended(self, item: Item, outcome: Outcome, at: float) -> None:
        """Record what became of an item, and with it what the tool now owns on the server."""
        self._say(
            "UPDATE items SET status = ?, webhook_id = coalesce(?, webhook_id), http_status = coalesce(?, http_status),"
            " error_code = ?, error = ?, changes = ?, verified = ?, url = coalesce(?, url), name = coalesce(?, name),"
            " description = coalesce(?, description), duration_ms = coalesce(?, duration_ms), attempts = ?"
            " WHERE run = ? AND seq = ?",
            (
                outcome.status, outcome.webhook_id, item.http_status, outcome.error_code, outcome.error,
                item.changes, outcome.verified, outcome.url, outcome.name, outcome.description,
                item.duration_ms, item.attempts, item.run, item.seq,
            ),
        )  # fmt: skip
        self.unsaved.append(f"{item.place}: {outcome.status} {outcome.webhook_id or ''}".rstrip())
        if outcome.status is Status.CREATED:
            self._own(item, outcome.webhook_id or 0, at)
            if outcome.twins:
                self.own_all(item.run, item.seq, [outcome.webhook_id or 0, *outcome.twins], at)
        elif outcome.status in {Status.UPDATED, Status.RESTORED}:
            self._say(
                "UPDATE created SET url = coalesce(?, url), url_key = ?, name = coalesce(?, name),"
                " description = coalesce(?, description) WHERE account = ? AND webhook_id = ?",
                (outcome.url, item.url_key, outcome.name, outcome.description, item.account_id, outcome.webhook_id),
            )
        elif outcome.status in {Status.DELETED, Status.MISSING}:
            self.gone(item.account_id, [item.webhook_id], at)
        if outcome.status is Status.RESTORED:
            self._say(
                "UPDATE changes SET restored_at = ? WHERE (run, seq) ="
                " (SELECT of_run, of_seq FROM changes WHERE run = ? AND seq = ?)",
                (at, item.run, item.seq),
            )
        if outcome.status is not Status.UNKNOWN and outcome.error_code != ErrorCode.IN_DOUBT:
            self._resolve(item)

    def _own(self, item: Item, webhook_id: int, at: float) -> None:
        self._say(
            "INSERT OR REPLACE INTO created VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                item.account_id, webhook_id, item.business_id, item.location, item.action, item.url, item.url_key,
                item.name, item.description, item.run, at,
            ),
        )  # fmt: skip

    def gone(self, account_id: int, ids: Iterable[int], at: float) -> None:
        """The server no longer has webhooks that this tool made: nobody looks for them again."""
        for webhook_id in ids:
            self._say(
                "UPDATE created SET deleted_at = ? WHERE account = ? AND webhook_id = ?", (at, account_id, webhook_id)
            )

    def arrived(self, account_id: int, key: tuple[int, int, str], webhook_id: int, at: float) -> None:
        """A send of an earlier run, in doubt until now, is on the server after all.

        That run created it, unless it could not see what was there before.
        """
        with self.guarded():
            found = self.database.execute(
                "SELECT was_absent, run, seq FROM doubts"
                " WHERE account = ? AND business_id = ? AND action = ? AND url_key = ?",
                (account_id, *key),
            ).fetchone()
            values = found and self.database.execute(f"{_SELECT_ITEM} WHERE run = ? AND seq = ?", found[1:]).fetchone()
        if values:
            status = Status.CREATED if found[0] else Status.EXISTS
            sentence = f"sent without an answer by this run; run {self._run_id} found it on the server"
            self.ended(_item(found[1], values), Outcome(status, webhook_id, error=sentence, verified=True), at)

    def change(self, item: Item) -> Change:
        """The change that goes with a row of an undo: from what the run wrote to what it was before that."""
        with self.guarded():
            before, after = self.database.execute(
                "SELECT before, after FROM changes WHERE run = ? AND seq = ?", (item.run, item.seq)
            ).fetchone()
        return Change(json.loads(before), json.loads(after))

    def called(self, account_id: int, at: float) -> None:
        """Count a request that is no write."""
        self._say("INSERT INTO calls (account, write, at) VALUES (?, 0, ?)", (account_id, at))

    def date_back(self, account_id: int, now: float) -> None:
        """Requests that a clock which was ahead has dated in the future count as of now, and not for longer."""
        with self.transaction() as database:
            database.execute("UPDATE calls SET at = ? WHERE account = ? AND at > ?", (now, account_id, now))

    def calls(self, account_id: int, *, write: bool, since: float) -> list[float]:
        """When the account's requests of earlier runs were answered, the oldest first."""
        with self.guarded():
            found = self.database.execute(
                "SELECT at FROM calls WHERE account = ? AND write = ? AND at > ? ORDER BY at",
                (account_id, write, since),
            ).fetchall()
        return [at for (at,) in found]

    # Parts of several records

    def _resolve(self, item: Item) -> None:
        self._say(
            "DELETE FROM doubts WHERE account = ? AND business_id = ? AND action = ? AND url_key = ?",
            (item.account_id, item.business_id, item.action, item.url_key),
        )


def _item(run: int, values: tuple[Any, ...]) -> Item:
    seq, place, account_id, business_id, location, action, url, url_key, *rest = values
    name, name_given, description, active, operation, webhook_id, attempts = rest
    return Item(
        run, seq, place, account_id, business_id, location, action, url, url_key, name, bool(name_given), description,
        None if active is None else bool(active), Operation(operation), webhook_id or 0, attempts,
    )  # fmt: skip
