"""An account of the API: a verb for each request, sent under the account's limits and into its journal.

A write goes this way, and every arrow is one call::

    Sender -> Account.create -> Account._write -> Account._call -> Dispatcher.send -> NexudusClient.create -> transport
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeVar

import anyio

from bulkhooks.errors import (
    ApiError,
    CredentialsError,
    Forbidden,
    InDoubt,
    NotSent,
    Refused,
    Throttled,
    Unauthorized,
)
from bulkhooks.nexudus.client import NexudusClient
from bulkhooks.nexudus.models import Business, Record
from bulkhooks.nexudus.pages import Page
from bulkhooks.provision.account_records import AccountRecords
from bulkhooks.provision.dispatch import Dispatcher, Traffic
from bulkhooks.provision.item import Item
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.runs import DAY
from bulkhooks.provision.limits.gate import FirstWriteGate, OutageGate
from bulkhooks.provision.limits.limiter import Limiter, NextSlotTooFar
from bulkhooks.provision.limits.outage import backoff
from bulkhooks.provision.requests import Businesses, Create, Delete, Read, Request, Search, SignIn, Update
from bulkhooks.provision.stopping import Budget, Halt, HeldBack, NotRead, WritesClosed
from bulkhooks.provision.terms import AccountConfig, Terms

AT_ONCE = 5.0
"""Seconds: a next slot as near as that is not worth telling."""

T = TypeVar("T")


class Account(AccountRecords):
    """One account: its client, its limits, its part of the journal. ``id`` is its number in the journal.

    ``create``, ``update`` and ``delete`` raise the ``ApiError`` that says what became of the write, or ``WritesClosed``
    where no more may be sent in this run; ``create`` also ``LookUpIsStale``. ``read``, ``search`` and ``businesses``
    are repeated until they are answered; they raise ``Refused``, ``GaveUp``, or ``NotRead`` where the API answers
    others and this one alone fails ``retries`` times. All of them raise ``Stopped`` once the account is halted,
    ``Aborted`` on a second signal, ``NextSlotTooFar`` (reads), ``CredentialsError`` and ``JournalError``.
    """

    def __init__(
        self,
        config: AccountConfig,
        client: NexudusClient,
        journal: Journal,
        account_id: int,
        *,
        terms: Terms,
        budget: Budget,
    ) -> None:
        super().__init__(config.name, journal, account_id, terms=terms, budget=budget)
        self._client = client
        self._limiter = Limiter(config.writes, config.requests)
        self._dispatcher = Dispatcher(
            client, journal, account_id, self._limiter, terms=terms, cancellation=self._cancellation
        )
        self._outage = self._dispatcher.outage
        self._first_write = FirstWriteGate()
        self._while_down = OutageGate(self._outage)
        self._signing_in = anyio.Lock()
        # The limits are the account's, whichever run has used them up: what the last day has sent counts from here.
        now = terms.wall()
        journal.date_back(account_id, now)
        self.remember(now - DAY)

    def remember(self, since: float) -> None:
        """Count what others have sent for it since a moment (seconds since 1970)."""
        now = self.terms.wall()
        for write in (True, False):
            ages = [now - at for at in self._journal.calls(self.id, write=write, since=since)]
            self._limiter.remember(ages, write=write)

    # Requests

    async def create(self, item: Item) -> int:
        """Create the item's webhook; returns its id."""
        return await self._write(item, Create(item.body()))

    async def update(self, item: Item, record: Mapping[str, object]) -> None:
        """Put a full record back, for an item."""
        await self._write(item, Update(record))

    async def delete(self, item: Item) -> None:
        """Delete the item's webhook."""
        await self._write(item, Delete(item.webhook_id))

    async def read(self, webhook_id: int) -> dict[str, object]:
        """One webhook with every field, as the API names them."""
        return await self._read(Read(webhook_id))

    async def search(
        self, page: int, size: int, *, business_id: int | None = None, action: int | None = None
    ) -> Page[Record]:
        """One page (from 1) of the webhooks: of all, or of one location, or of one location and event."""
        return await self._read(Search(page, size, business_id, action))

    async def businesses(self, page: int, size: int, root: int | None = None) -> Page[Business]:
        """One page (from 1) of the locations: of all, or of those of a network."""
        return await self._read(Businesses(page, size, root))

    async def _write(self, item: Item, request: Request[T]) -> T:
        if self.closed is not None:
            raise WritesClosed(self.closed.reason)
        # Taken before the first wait, or workers side by side would all see the last write of the budget.
        self._budget.take()
        if item.attempts:
            self._dispatcher.traffic.retried += 1
        item.call = 0
        try:
            with self._cancellation.scope():
                async with self._first_write.turn():
                    try:
                        answer = await self._call(request, item)
                    except ApiError as error:
                        await self._write_failed(item, error)
                        raise
                    self._first_write.open()
                    self.was_let_in()
                    return answer
        except NextSlotTooFar as far:
            # Only writes have reached the cap: the account is not halted, what is in doubt is still looked up.
            raise WritesClosed(self.close(far).reason) from far
        finally:
            if not item.call:
                self._budget.give_back()

    async def _write_failed(self, item: Item, error: ApiError) -> None:
        """What a failed write says of the account. Whoever waits behind the first one is let past only afterwards."""
        if isinstance(error, Unauthorized | Forbidden):
            if self._first_write.is_shut:
                self.halt(Halt(f"the first write was refused ({error}); check the credentials and their roles", 3))
        elif isinstance(error, Refused):
            self._first_write.open()
        elif (
            isinstance(error, InDoubt)
            and item.tries >= self.terms.retries
            and not self._outage.was_down(self._outage.answers)
        ):
            await self._ask()  # it was the last try: did the row fail, or the API?

    async def _read(self, request: Request[T]) -> T:
        failures = failures_while_others_succeed = 0
        answers_before = math.inf
        with self._cancellation.scope():
            while True:
                try:
                    return await self._call(request)
                except (NotSent, InDoubt) as error:
                    failures += 1
                    failures_while_others_succeed += self._outage.answers > answers_before
                    if failures_while_others_succeed > self.terms.retries:
                        raise NotRead(str(error), error.http_status) from error
                    answers_before = self._outage.answers
                    self._dispatcher.traffic.retried += 1
                    if not self._outage.is_down:  # then the limiter pauses every request
                        await anyio.sleep(self.backoff(failures))

    async def _call(self, request: Request[T], item: Item | None = None) -> T:
        """Send until there is an answer: throttling is waited out, an expired token is renewed."""
        resent = 0
        while True:
            try:
                # The token comes before the gate: signing in is a request too, and has to pass the gate itself.
                if self._client.needs_token:
                    await self._sign_in()
                async with self._while_down.turn(overtakes=item is None):
                    # A write without an answer is in doubt and costs a look-up, so while the API is down reads alone
                    # find out whether it is back.
                    while item is not None and self._outage.is_down:
                        await self._ask()
                    return await self._dispatcher.send(request, item)
            except (Throttled, HeldBack):
                continue
            except Unauthorized as error:
                if not self._client.should_resend(error, resent=resent):
                    raise
                resent += 1

    async def _sign_in(self) -> None:
        """One worker asks for the token, and the others wait for it."""
        async with self._signing_in:
            while self._client.needs_token:
                if self._client.token_is_printed:  # a command of this machine: it counts for no limit
                    await self._client.fetch_token()
                    continue
                try:
                    async with self._while_down.turn(overtakes=True):
                        await self._dispatcher.send(SignIn())
                except InDoubt as error:
                    # A sign-in may be repeated at will, and the write that waits for it has not left.
                    raise NotSent(str(error), error.http_status) from error

    async def _ask(self) -> None:
        """Find out whether anybody is there, by a read for next to nothing; any answer will do."""
        with suppress(NotSent, InDoubt, Throttled, Refused):
            await self._dispatcher.send(Search(1, 1))

    # Failures

    @property
    def settles_in(self) -> float:
        """Seconds after which what an earlier run left in doubt has settled. Where machines share the journal, its
        sender may still be at it."""
        return self.terms.settle + (self.terms.timeout if self._journal.locks.may_be_lost else 0.0)

    def backoff(self, failures: int) -> float:
        """Seconds to wait after so many failures of one request in a row."""
        return backoff(failures, self.terms.draw)

    async def pause(self, failures: int) -> None:
        """Wait as long. Raises ``Stopped`` or ``Aborted`` as soon as the account is halted."""
        with self._cancellation.scope():
            await anyio.sleep(self.backoff(failures))

    def lost(self, item: Item, error: NotSent | InDoubt) -> None:
        """Remember how the item's last send failed, and in which silence of the API."""
        item.failure, item.silence = error, self._outage.answers
        if isinstance(error, InDoubt):
            self.in_doubt.add(item.seq)

    def is_used_up(self, item: Item) -> bool:
        """Count the last send that failed, if the API answered others and was not down; whether it was one too many."""
        if 0 <= item.silence < self._outage.answers and not self._outage.was_down(item.silence):
            item.tries += 1
        item.silence = -1
        return item.tries > self.terms.retries

    # The limits

    @property
    def traffic(self) -> Traffic:
        """What has been sent in this run."""
        return self._dispatcher.traffic

    @property
    def resumes_at(self) -> float | None:
        """When (seconds since 1970) the limits let it go on with what it has left, where that is not at once."""
        reason = self.halted or self.closed
        if reason is None or reason.exit_code == CredentialsError.exit_code or not self.left:
            return None
        if reason.resume_at is not None:
            return reason.resume_at
        seconds = self._limiter.opens_in(write=True)
        return self.terms.wall() + seconds if AT_ONCE < seconds < math.inf else None

    def seconds_for(self, *, writes: int, reads: int = 0) -> float:
        """Seconds at the limits for so many more requests, latency not counted."""
        return self._limiter.seconds_for(writes=writes, reads=reads)

    def waits(self) -> list[tuple[str, float]]:
        """What waits for the limits, a ``write`` or another ``request``, and for how many seconds yet."""
        return self._limiter.waits()

    def days_for(self, writes: int) -> int | None:
        """On how many days so many more writes are sent; None without a daily cap."""
        return self._limiter.days_for(writes)

    def writes_left(self) -> int | None:
        """How many writes the longest limit still takes now; None without a limit."""
        return self._limiter.writes_left()
