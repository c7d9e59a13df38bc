"""Sends what a plan says for one account, in order, and finds out what became of whatever is in doubt.

What decides is the type of a failure (``errors.py``) and nothing else:

======================  ==========================================================================
``NotSent``             sent again, after a pause; out of tries while others are answered: ``failed``, ``not-sent``
``Throttled``           never seen here: the account waits and sends again
``InDoubt``, a create   not sent again before a look-up, ``--settle`` seconds later, has not found it
``InDoubt``, a change   read again by id; what is as wanted is done, else it is sent again
``Refused``             final: ``failed`` with the API's sentence
======================  ==========================================================================
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Mapping
from contextlib import suppress

import anyio

from bulkhooks import actions
from bulkhooks.errors import (
    ApiError,
    CredentialsError,
    ErrorCode,
    Forbidden,
    InDoubt,
    JournalError,
    NotFound,
    NotSent,
    Refused,
    Stopped,
    Unauthorized,
)
from bulkhooks.provision.account import Account
from bulkhooks.provision.canary import Canary
from bulkhooks.provision.changes import change_of, described, differences, moved, touched_since, wanted
from bulkhooks.provision.item import Item, Operation, Outcome
from bulkhooks.provision.listing.listing import find
from bulkhooks.provision.stopping import LookUpIsStale, NotRead, WritesClosed
from bulkhooks.provision.tasks import task_group
from bulkhooks.provision.work_queue import WorkQueue
from bulkhooks.webhook import Status

_log = logging.getLogger("bulkhooks")


class Sender:
    """The work of one account in one run. ``unlisted``: locations where the credentials do not permit a look-up."""

    def __init__(
        self,
        account: Account,
        run: int,
        canary: Canary,
        *,
        unlisted: Container[int],
        ended: Callable[[Outcome], None],
    ) -> None:
        self._account = account
        self._canary = canary
        self._unlisted = unlisted
        self._on_ended = ended
        self._named = {"run_id": account.run_id(run), "account": account.name}
        self._queue = WorkQueue(account, run, canary, unlisted=unlisted)

    async def send(self) -> None:
        """Send everything the journal has to do for this account, or as much as the account lets pass."""
        if self._account.halted is not None:
            return
        # These wake workers that wait for each other; a worker that waits in a request is stopped by the account.
        self._canary.listen(self._queue.wake)
        self._account.listen(self._queue.wake)
        async with task_group() as group:
            for _ in range(self._account.terms.concurrency):
                group.start_soon(self._work)
        if self._queue.open:  # halted with a canary on its hands: the other accounts must not wait for it
            self._canary.ended(None)

    async def _work(self) -> None:
        while (item := await self._queue.next()) is not None:
            self._queue.busy += 1
            await self._settle_one(item)
            self._queue.busy -= 1
            self._queue.wake()

    # One item

    async def _settle_one(self, item: Item) -> None:
        # Counted only now, before the next send: by now it is known whether the API answered others meanwhile.
        if isinstance(item.failure, NotSent) and self._account.is_used_up(item):
            self._fail(item, item.failure)
            return
        try:
            await self._send_one(item)
        except WritesClosed:
            pass  # it stays pending
        except LookUpIsStale:
            item.operation = Operation.LOOK_UP
            self._queue.put(item, 0.0)
        except (NotSent, InDoubt) as error:
            self._lost(item, error)
        except NotRead as error:
            self._not_read(item, error)
        except (Unauthorized, Forbidden) as error:
            self._fail(item, error)
            self._account.refused(item.business_id, str(error))
        except Refused as error:
            self._fail(item, error)
        except (Stopped, CredentialsError, JournalError) as error:
            self._account.stop(error)

    async def _send_one(self, item: Item) -> None:
        match item.operation:
            case Operation.CREATE:
                await self._create(item)
            case Operation.LOOK_UP:
                await self._look_up(item)
            case Operation.CHECK:
                await self._check(item)
            case Operation.UPDATE | Operation.MOVE:
                await self._change(item)
            case Operation.DELETE:
                await self._delete(item)
            case Operation.RESTORE:
                await self._restore(item)

    async def _create(self, item: Item) -> None:
        webhook_id = await self._account.create(item)
        self._end(item, Outcome(Status.CREATED, webhook_id))
        if item.was_looked_up:
            # The id is in the journal; now the first send has the same time once more to show that it arrived as well.
            item.operation, item.failure = Operation.CHECK, None
            self._queue.put(item, self._account.terms.settle)

    async def _check(self, item: Item) -> None:
        """Look whether both sends of a row have arrived. What cannot be seen now, the list of the next run shows."""
        with suppress(Refused, NotRead):
            ids = await find(self._account, item)
            if len(ids) > 1:
                self._account.own_all(item, ids)

    async def _look_up(self, item: Item) -> None:
        """Find out what became of a create in doubt. It was sent because the server had no such webhook: one that is
        there now is ours."""
        try:
            found = await find(self._account, item)
        except (Unauthorized, Forbidden) as error:
            self._unknown(item, str(error))
            return
        except Refused as error:
            self._end_in_doubt(item, f"the look-up was refused ({error}): the next run looks again")
            return
        if found:
            self._end(item, Outcome(Status.CREATED, found[0], verified=True, twins=tuple(found[1:])))
        elif self._account.is_used_up(item):
            self._end_in_doubt(item, "not found on the server; out of tries")
        else:
            item.operation, item.looked_up_at = Operation.CREATE, anyio.current_time()
            await self._create(item)

    async def _change(self, item: Item) -> None:
        """PUT the full record back with what is to change; after a PUT in doubt the record tells if it got there."""
        record = await self._account.read(item.webhook_id)
        fields = wanted(item)
        changed = differences(record, fields)
        if changed and self._account.is_used_up(item):
            self._end_in_doubt(item, "the record is as it was; out of tries")
            return
        if changed:
            await self._put(item, record, changed)
        status = Status.UPDATED if item.changes else Status.EXISTS
        self._end_as(item, status, {**record, **changed}, verified=bool(item.changes and not changed))

    async def _restore(self, item: Item) -> None:
        """Give back what a run changed, where the server still has what that run wrote."""
        change = self._account.change(item)
        try:
            record = await self._account.read(item.webhook_id)
        except NotFound:
            self._end(item, Outcome(Status.MISSING, item.webhook_id))
            return
        changed = differences(record, change.after)
        error = touched_since(record, change.before) or moved(record, item)
        if changed and error:
            self._end(item, Outcome(Status.CHANGED, item.webhook_id, error=f"left alone: {error}"))
            return
        if changed and self._account.is_used_up(item):
            self._end_in_doubt(item, "the record is as it was; out of tries")
            return
        if changed:
            await self._put(item, record, changed)
        self._end_as(item, Status.RESTORED, {**record, **changed}, verified=not changed)

    async def _put(self, item: Item, record: Mapping[str, object], changed: Mapping[str, object]) -> None:
        item.changes, item.change = described(record, changed), change_of(record, changed)
        await self._account.update(item, {**record, **changed})

    def _end_as(self, item: Item, status: Status, after: Mapping[str, object], *, verified: bool) -> None:
        """The item has come to its end with the record that the server has now."""
        url, name, description = (str(after.get(field) or "") for field in ("URL", "Name", "Description"))
        outcome = Outcome(status, item.webhook_id, verified=verified, url=url, name=name, description=description)
        self._end(item, outcome)

    async def _delete(self, item: Item) -> None:
        """Delete what is still as this tool made it; after a DELETE in doubt its absence tells that it got there."""
        gone = Outcome(
            Status.DELETED if item.attempts else Status.MISSING, item.webhook_id, verified=bool(item.attempts)
        )
        try:
            record = await self._account.read(item.webhook_id)
            if error := moved(record, item):
                self._end(item, Outcome(Status.CHANGED, item.webhook_id, error=f"left alone: {error}"))
                return
            if self._account.is_used_up(item):
                self._end_in_doubt(item, "still there; out of tries")
                return
            await self._account.delete(item)
        except NotFound:
            self._end(item, gone)
        else:
            self._end(item, Outcome(Status.DELETED, item.webhook_id))

    # What becomes of it

    def _lost(self, item: Item, error: NotSent | InDoubt) -> None:
        """What never left is sent again. What may have arrived is looked up once it has had time to settle; where that
        was a change, it is read again by id."""
        self._account.lost(item, error)
        if isinstance(error, NotSent) or item.operation is not Operation.CREATE:
            self._queue.put(item, self._account.backoff(item.tries + 1))
        elif item.business_id not in self._unlisted:
            item.operation = Operation.LOOK_UP
            self._queue.put(item, self._account.terms.settle)
        else:
            self._unknown(item, str(error))

    def _not_read(self, item: Item, error: NotRead) -> None:
        """The API answers others, and not whoever asks for this one."""
        item.tries += 1
        if item.tries <= self._account.terms.retries:
            settle = self._account.terms.settle if item.operation is Operation.LOOK_UP else 0.0
            self._queue.put(item, settle + self._account.backoff(item.tries))
            _log.warning("%s: the look-up failed (%s); looking again", item.place, error)
        elif item.operation is Operation.LOOK_UP or isinstance(item.failure, InDoubt):
            self._end_in_doubt(item, f"the look-up failed as well ({error}): the next run looks again")
        else:
            self._fail(item, error)

    def _end_in_doubt(self, item: Item, what_was_seen: str) -> None:
        error = f"sent, not answered, and {what_was_seen}"
        self._end(item, Outcome(Status.FAILED, error_code=ErrorCode.IN_DOUBT, error=error))

    def _unknown(self, item: Item, reason: str) -> None:
        error = f"{reason}; looking it up is not permitted: see in Nexudus whether it is there, or use --resend-unknown"
        self._end(item, Outcome(Status.UNKNOWN, error_code=ErrorCode.IN_DOUBT, error=error))

    def _fail(self, item: Item, error: ApiError) -> None:
        self._end(item, Outcome(Status.FAILED, error_code=error.error_code, error=str(error)))

    def _end(self, item: Item, outcome: Outcome) -> None:
        self._account.ended(item, outcome)
        self._queue.open -= 1
        self._canary.ended(outcome)
        if _log.isEnabledFor(logging.INFO):
            self._log(item, outcome)
        self._on_ended(outcome)

    def _log(self, item: Item, outcome: Outcome) -> None:
        """One record a row; one that failed is an event of the run, which a log for machines has without -v too."""
        has_failed = outcome.status in {Status.FAILED, Status.UNKNOWN}
        _log.log(
            logging.ERROR if has_failed else logging.INFO,
            "%s: %s",
            item.place,
            " ".join(str(word) for word in (outcome.status, outcome.webhook_id, outcome.error) if word),
            extra={
                **self._named,
                "row": item.place,
                "business_id": item.business_id,
                "action": actions.name_of(item.action),
                "status": str(outcome.status),
                "attempt": item.attempts,
                "ms": item.duration_ms,
                **(_why(outcome) if has_failed else {}),
            },
        )


def _why(outcome: Outcome) -> dict[str, object]:
    return {"is_event": True, "error_code": str(outcome.error_code), "error": outcome.error}
