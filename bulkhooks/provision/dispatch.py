"""One request and its answer, and everybody who has to be told of it: the limits, the journal and the outage."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio

from bulkhooks.errors import (
    ApiError,
    CredentialsError,
    InDoubt,
    JournalError,
    NotSent,
    Refused,
    Throttled,
    Unauthorized,
)
from bulkhooks.provision.item import Item
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.limiter import Limiter, Slot
from bulkhooks.provision.outage import Outage, backoff
from bulkhooks.provision.stopping import HeldBack

_log = logging.getLogger("bulkhooks")

T = TypeVar("T")


@dataclass(slots=True)
class Traffic:
    """What went over the line in this run."""

    requests: int = 0
    writes: int = 0
    throttled: int = 0
    retried: int = 0


class Dispatcher:
    """Makes the requests of one account. ``wall`` tells seconds since 1970."""

    def __init__(
        self,
        journal: Journal,
        account: int,
        limiter: Limiter,
        outage: Outage,
        traffic: Traffic,
        *,
        wall: Callable[[], float],
        draw: random.Random,
    ) -> None:
        self._journal = journal
        self._account = account
        self._limiter = limiter
        self._outage = outage
        self._traffic = traffic
        self._wall = wall
        self._draw = draw
        self._throttles = 0

    async def make(self, request: Callable[[], Awaitable[T]], item: Item | None, slot: Slot) -> T:
        """One request and its answer; whatever happens is told to the limits, the journal and the outage."""
        if item is not None:
            try:
                await self._journal.sending(item, self._wall())
            except JournalError:
                slot.never_left()
                raise
            if self._limiter.is_paused or self._outage.is_down:
                slot.never_left()
                item.attempts -= 1
                self._journal.not_processed(item, "held back: the API asked to wait, or does not answer")
                raise HeldBack
        sent_at = anyio.current_time()
        self._traffic.requests += 1
        slot.leaves()
        try:
            answer = await request()
        except NotSent as error:
            slot.never_left()
            self._not_processed(item, error)
            self._lost(item, sent_at, error)
            raise
        except Throttled as error:
            slot.throttled()
            self._not_processed(item, error)
            self._throttled(item, sent_at, error)
            raise
        except InDoubt as error:
            self._answered(slot, item, sent_at, error.http_status)
            if item is not None:
                self._journal.in_doubt(item, str(error))
            self._lost(item, sent_at, error)
            raise
        except Refused as error:
            self._answered(slot, item, sent_at, error.http_status)
            if isinstance(error, Unauthorized):
                self._not_processed(item, error)
            self._outage.useful(sent_at)
            raise
        except CredentialsError:
            slot.answered()
            raise
        self._answered(slot, item, sent_at, 200)
        self._outage.useful(sent_at)
        self._throttles = 0
        return answer

    def _answered(self, slot: Slot, item: Item | None, sent_at: float, http_status: int | None) -> None:
        slot.answered()
        if item is None:
            self._journal.called(self._account, self._wall())
            return
        self._traffic.writes += 1
        item.http_status = http_status
        item.duration_ms = round((anyio.current_time() - sent_at) * 1000)
        self._journal.answered(item, self._wall())

    def _not_processed(self, item: Item | None, error: ApiError) -> None:
        if item is None:
            return
        item.http_status = error.http_status
        if isinstance(error, Throttled):
            item.attempts -= 1
        self._journal.not_processed(item, str(error))

    def _lost(self, item: Item | None, sent_at: float, error: ApiError) -> None:
        quiet = self._outage.failed(sent_at, str(error), read=item is None)
        if quiet:
            _log.warning("the API does not answer (%s); trying again in %.1f s", error, quiet)
            self._limiter.pause(quiet)

    def _throttled(self, item: Item | None, sent_at: float, error: Throttled) -> None:
        self._traffic.throttled += 1
        self._throttles += 1
        if error.alive:
            self._outage.useful(sent_at)
        else:
            self._outage.failed(sent_at, str(error), read=item is None)
        wait = error.retry_after
        self._limiter.pause(backoff(self._throttles, self._draw) if wait is None else wait)
