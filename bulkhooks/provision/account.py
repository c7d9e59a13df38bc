"""One account's line to the API: everything that is sent passes here, under its limits and into its journal."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

import anyio

from bulkhooks.errors import (
    BulkhooksError,
    CredentialsError,
    Forbidden,
    InDoubt,
    NotSent,
    Refused,
    Throttled,
    Unauthorized,
)
from bulkhooks.nexudus.client import NexudusClient
from bulkhooks.provision.dispatch import Dispatcher, Traffic
from bulkhooks.provision.item import Item
from bulkhooks.provision.journal.journal import DAY, Journal
from bulkhooks.provision.limiter import Limiter, NextSlotTooFar
from bulkhooks.provision.outage import Outage, backoff
from bulkhooks.provision.stopping import Budget, Halt, HeldBack, NotRead, WritesClosed

LOCATIONS_THAT_MEAN_LOCKED_OUT = 3
"""Refused on so many locations with no success between, the credentials themselves are taken to be the reason."""

AT_ONCE = 5.0
"""Seconds: a next slot as near as that is not worth telling."""

_log = logging.getLogger("bulkhooks")

T = TypeVar("T")


class Account:
    """A client, its limits, and what is known of the other end."""

    def __init__(
        self,
        client: NexudusClient,
        journal: Journal,
        account: int,
        limiter: Limiter,
        *,
        budget: Budget,
        retries: int,
        give_up_after: float,
        patience: float,
        deadline: float = math.inf,
        wall: Callable[[], float] = time.time,
        draw: random.Random | None = None,
    ) -> None:
        self.client = client
        self.journal = journal
        self.account = account
        self.limiter = limiter
        self.wall = wall
        self.traffic = Traffic()
        self.halted: Halt | None = None
        self.left = 0
        """Rows that a run has left pending."""
        self._capped: Halt | None = None
        self._scope = anyio.CancelScope()
        self._deadline = deadline
        self.draw = draw or random.Random()  # noqa: S311 (jitter, not a secret)
        self._budget = budget
        self.outage = Outage(give_up_after, self.draw)
        self._dispatcher = Dispatcher(journal, account, limiter, self.outage, self.traffic, wall=wall, draw=self.draw)
        self._retries = retries
        self._patience = patience
        self._first = anyio.Lock()
        self._down = anyio.Lock()
        self._signing_in = anyio.Lock()
        self._write_was_taken = False
        self._refused: set[int] = set()
        self._in_flight: set[anyio.CancelScope] = set()
        self.remember()

    def remember(self) -> None:
        """Count what earlier runs of the account have sent."""
        now = self.wall()
        for write in (True, False):
            ages = [now - at for at in self.journal.calls(self.account, write=write, since=now - DAY)]
            self.limiter.remember(ages, write=write)

    # Stopping

    @contextmanager
    def working(self) -> Iterator[None]:
        """What is awaited inside ends when the line is halted, or when the run's time is over."""
        with anyio.CancelScope(deadline=self._deadline) as self._scope:
            if self.halted is not None:
                self._scope.cancel()
            yield
        if self._scope.cancelled_caught and self.halted is None:
            self.halt(Halt("the time given with --max-runtime is over"))

    def halt(self, halt: Halt) -> None:
        """Start nothing more on this line; what is in flight ends by itself. The first reason stands."""
        if self.halted is None:
            self.halted = halt
            _log.info(halt.reason)
        self._scope.cancel()

    def stop(self, error: BulkhooksError) -> None:
        """Halt for an error that concerns all of the account's work."""
        if isinstance(error, NextSlotTooFar):
            self.halt(self._too_far(error))
        else:
            self.halt(Halt(str(error), 3 if isinstance(error, CredentialsError) else 4))

    def _too_far(self, far: NextSlotTooFar) -> Halt:
        return Halt("the limits allow the next request only later", resume_at=self.wall() + far.seconds)

    def drop(self) -> None:
        """Let go even of what is in flight; the journal has it in doubt."""
        for scope in self._in_flight:
            scope.shield = False
        self._scope.cancel()

    def refused(self, item: Item, reason: str) -> None:
        """A row was turned away for want of permission: halt where the credentials seem to be the reason."""
        self._refused.add(item.business_id)
        if len(self._refused) >= LOCATIONS_THAT_MEAN_LOCKED_OUT:
            self.halt(Halt(f"writes to {len(self._refused)} locations were refused in a row ({reason})", 3))

    @property
    def closed(self) -> Halt | None:
        """Why no more writes are sent, where look-ups still are; None while they are."""
        if self._budget.is_spent:
            return Halt(f"the limit of {self._budget.total} writes in this run is reached")
        return self._capped

    @property
    def resumes_at(self) -> float | None:
        """When (seconds since 1970) the limits let it go on with what it has left, where that is not at once."""
        reason = self.halted or self.closed
        if reason is None or reason.exit_code == CredentialsError.exit_code or not self.left:
            return None
        if reason.resume_at is not None:
            return reason.resume_at
        seconds = self.limiter.opens_in(write=True)
        return self.wall() + seconds if AT_ONCE < seconds < math.inf else None

    # Sending

    async def read(self, request: Callable[[], Awaitable[T]]) -> T:
        """Send what may be repeated at will, until it is answered or the API is given up (``GaveUp``).

        Where the API answers others and this one alone fails, that ends after ``retries`` with ``NotRead``.
        """
        failures = failures_while_others_succeed = 0
        heard: float = math.inf
        while True:
            try:
                return await self._call(request, None)
            except (NotSent, InDoubt) as error:
                failures += 1
                failures_while_others_succeed += self.outage.answers > heard
                if failures_while_others_succeed > self._retries:
                    raise NotRead(str(error), error.http_status) from error
                heard = self.outage.answers
                self.traffic.retried += 1
                if not self.outage.is_down:  # then all are quiet for a while
                    await anyio.sleep(backoff(failures, self.draw))

    async def write(self, item: Item, request: Callable[[], Awaitable[T]]) -> T:
        """Send a write for an item, its record made durable before it leaves; throttling is waited out.

        Raises the ``ApiError`` that says what became of it, or ``WritesClosed`` where no more may be sent in this run.
        """
        if self.closed is not None:
            raise WritesClosed(self.closed.reason)
        self._budget.take()
        if item.attempts:
            self.traffic.retried += 1
        item.call = 0
        try:
            return await _alone(self._first, self._is_first, partial(self._write, item, request))
        except NextSlotTooFar as far:
            self._capped = self._too_far(far)
            raise WritesClosed(self._capped.reason) from far
        finally:
            if not item.call:
                self._budget.give_back()

    def _is_first(self) -> bool:
        return not self._write_was_taken

    async def _write(self, item: Item, request: Callable[[], Awaitable[T]]) -> T:
        try:
            answer = await self._call(request, item)
        except (Unauthorized, Forbidden) as error:
            if self._is_first():
                self.halt(Halt(f"the first write was refused ({error}); check the credentials and their roles", 3))
            raise
        except Refused:
            self._write_was_taken = True
            raise
        except InDoubt:
            if item.tries >= self._retries and not self.outage.was_down(self.outage.answers):
                await self._ask()  # it was the last try: did the row fail, or the API?
            raise
        self._write_was_taken = True
        self._refused.clear()
        return answer

    async def _call(self, request: Callable[[], Awaitable[T]], item: Item | None) -> T:
        """Send until it is answered: throttling is waited out, and a token that has ended is renewed."""
        resent = 0
        while True:
            try:
                if self.client.needs_token:
                    await self._fetch_token()
                return await self._in_turn(request, item)
            except (Throttled, HeldBack):
                continue
            except Unauthorized as error:
                if not self.client.should_resend(error, resent=resent):
                    raise
                resent += 1

    async def _fetch_token(self) -> None:
        """One worker asks for the token, and the others wait for it."""
        async with self._signing_in:
            while self.client.needs_token:
                if self.client.token_is_printed:  # no request: it counts for no limit
                    await self.client.fetch_token()
                    continue
                try:
                    await self._in_turn(self.client.fetch_token, None)
                except InDoubt as error:
                    raise NotSent(str(error), error.http_status) from error

    async def _in_turn(self, request: Callable[[], Awaitable[T]], item: Item | None) -> T:
        """Send at once; alone while nothing is answered, and then no write before a read has been answered.

        A write that fails may be in doubt, and where only writes fail, the API is not down: a read tells.
        """
        if item is None and not self.outage.is_down:
            return await self._send(request, None)
        send = partial(self._send, request, None) if item is None else partial(self._once_up, request, item)
        return await _alone(self._down, lambda: self.outage.is_down, send)

    async def _once_up(self, request: Callable[[], Awaitable[T]], item: Item) -> T:
        while self.outage.is_down:
            await self._ask()
        return await self._send(request, item)

    async def _ask(self) -> None:
        """Find out whether anybody is there, by a read for next to nothing; any answer will do."""
        with suppress(NotSent, InDoubt, Throttled, Refused):
            await self._send(lambda: self.client.search(1, 1), None)

    async def _send(self, request: Callable[[], Awaitable[T]], item: Item | None) -> T:
        slot = await self.limiter.slot(write=item is not None, patience=self._patience)
        with anyio.CancelScope(shield=True) as in_flight:
            self._in_flight.add(in_flight)
            try:
                answer = await self._dispatcher.make(request, item, slot)
            finally:
                self._in_flight.discard(in_flight)
        return answer


async def _alone(line: anyio.Lock, is_needed: Callable[[], bool], send: Callable[[], Awaitable[T]]) -> T:
    """Send one after the other while that is needed, then at once.

    Nothing overtakes what has waited for that, or a cap would leave gaps in the sheet.
    """
    in_line = line.locked()
    while in_line or is_needed():
        async with line:
            if is_needed():
                return await send()
        in_line = False
    return await send()
