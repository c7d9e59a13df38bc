"""One request and its answer, and what depends on it: the limits, the journal and the outage."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TypeVar

import anyio

from bulkhooks.errors import (
    ApiError,
    CredentialsError,
    InDoubt,
    JournalError,
    LeaseLost,
    NotSent,
    Throttled,
    Unauthorized,
)
from bulkhooks.nexudus.client import NexudusClient
from bulkhooks.nexudus.transport import BeforeSend
from bulkhooks.provision.item import Item
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.limits.limiter import Limiter, Slot
from bulkhooks.provision.limits.outage import Outage, backoff
from bulkhooks.provision.requests import Request
from bulkhooks.provision.stopping import Cancellation, HeldBack, LookUpIsStale
from bulkhooks.provision.terms import Terms

SHORTEST_SETTLE = 0.25
"""Seconds for which a look-up counts at least, or with a tiny ``--settle`` none would be young enough."""

_log = logging.getLogger("bulkhooks")

T = TypeVar("T")


@dataclass(slots=True)
class Traffic:
    """What an account has sent in this run. ``throttled`` were asked to wait, ``retried`` were sent again."""

    requests: int = 0
    writes: int = 0
    throttled: int = 0
    retried: int = 0


class Dispatcher:
    """Sends the requests of one account, each in a slot of its limits."""

    def __init__(
        self,
        client: NexudusClient,
        journal: Journal,
        account_id: int,
        limiter: Limiter,
        *,
        terms: Terms,
        cancellation: Cancellation,
    ) -> None:
        self.traffic = Traffic()
        self.outage = Outage(terms.give_up_after, terms.draw)
        self._client = client
        self._journal = journal
        self._account_id = account_id
        self._limiter = limiter
        self._terms = terms
        self._cancellation = cancellation
        self._throttles = 0

    async def send(self, request: Request[T], item: Item | None = None) -> T:
        """Send a request and return its answer; ``item`` is the row that a write is for, None for a read.

        Raises the ``ApiError`` that says what became of it, ``HeldBack`` and ``LookUpIsStale`` where the write did not
        leave, ``NextSlotTooFar`` and ``GaveUp``.
        """
        # The order is the protocol. The slot comes first: a record in the journal says "may have been sent", and must
        # not say so for the hours that a slot may take.
        slot = await self._limiter.slot(write=item is not None, patience=self._terms.patience)
        # The first send may have been stored during the wait, or while a throttle or an outage lasted.
        if item is not None and anyio.current_time() - item.looked_up_at > max(self._terms.settle, SHORTEST_SETTLE):
            slot.never_left()
            raise LookUpIsStale("looked up too long ago")
        with self._cancellation.shielded():
            # Then the record, on the disk before anything leaves: after a power cut the next run looks it up.
            if item is not None:
                await self._record(item, slot)
            # Only now does the request leave. A short window counts from here, for the disk may have taken a while.
            sent_at = anyio.current_time()
            self.traffic.requests += 1
            slot.leaves()
            try:
                answer = await request.sent_by(self._client, self._leaves_by(item))
            except (HeldBack, LeaseLost):
                self._held_back(slot, item)
                raise
            except (ApiError, CredentialsError) as error:
                self._failed(slot, item, sent_at, error)
                raise
            self._answered(slot, item, sent_at, 200)
            self.outage.useful(sent_at)
            self._throttles = 0
            return answer

    async def _record(self, item: Item, slot: Slot) -> None:
        try:
            await self._journal.sending(item, self._terms.wall())
        except JournalError:
            slot.never_left()
            raise
        # While the disk was busy, the API may have asked everyone to wait: then this one has not left yet.
        if self._limiter.is_paused or self.outage.is_down:
            self._held_back(slot, item)
            raise HeldBack

    def _leaves_by(self, item: Item | None) -> BeforeSend | None:
        """Where machines share the journal: a request leaves while the account is surely ours, and soon after its
        record, or whoever takes the account over would look it up too early."""
        locks = self._journal.locks
        if item is None or not locks.may_be_lost:
            return None
        soon = locks.now() + max(self._terms.settle, SHORTEST_SETTLE)

        async def check() -> None:
            if locks.now() > min(soon, locks.not_after(self._account_id)):
                raise HeldBack

        return check

    def _held_back(self, slot: Slot, item: Item | None) -> None:
        """A write has not left after all."""
        slot.never_left()
        if item is not None:
            item.attempts -= 1
            self._journal.not_processed(item, "held back: the API asked to wait, or the journal could not be reached")

    def _failed(self, slot: Slot, item: Item | None, sent_at: float, error: ApiError | CredentialsError) -> None:
        """The kind of the failure says which slots are free again, and whether the row is in doubt (``errors.py``)."""
        match error:
            case NotSent():
                slot.never_left()
                self._not_processed(item, error)
                self._lost(item, sent_at, error)
            case Throttled():
                slot.throttled()
                self._not_processed(item, error)
                self._throttled(item, sent_at, error)
            case InDoubt():
                self._answered(slot, item, sent_at, error.http_status)
                if item is not None:
                    self._journal.in_doubt(item, str(error))
                self._lost(item, sent_at, error)
            case ApiError():
                self._answered(slot, item, sent_at, error.http_status)
                if isinstance(error, Unauthorized):
                    self._not_processed(item, error)
                self.outage.useful(sent_at)
            case _:
                slot.answered()

    def _answered(self, slot: Slot, item: Item | None, sent_at: float, http_status: int | None) -> None:
        slot.answered()
        if item is None:
            self._journal.called(self._account_id, self._terms.wall())
            return
        self.traffic.writes += 1
        item.http_status = http_status
        item.duration_ms = round((anyio.current_time() - sent_at) * 1000)
        self._journal.answered(item, self._terms.wall())

    def _not_processed(self, item: Item | None, error: ApiError) -> None:
        if item is None:
            return
        item.http_status = error.http_status
        if isinstance(error, Throttled):
            item.attempts -= 1
        self._journal.not_processed(item, str(error))

    def _lost(self, item: Item | None, sent_at: float, error: ApiError) -> None:
        quiet = self.outage.failed(sent_at, str(error), read=item is None)
        if quiet:
            _log.warning("the API does not answer (%s); trying again in %.1f s", error, quiet)
            self._limiter.pause(quiet)

    def _throttled(self, item: Item | None, sent_at: float, error: Throttled) -> None:
        self.traffic.throttled += 1
        self._throttles += 1
        if error.alive:
            self.outage.useful(sent_at)
        else:
            self.outage.failed(sent_at, str(error), read=item is None)
        wait = error.retry_after
        self._limiter.pause(backoff(self._throttles, self._terms.draw) if wait is None else wait)
