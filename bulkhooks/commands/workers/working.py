"""A worker: sends what the journal has for one account of a run, for whoever shares the accounts out (``sharing.py``).

Everything that has to be known comes with the order, but no secret: those are of the worker's own environment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import anyio

from bulkhooks.commands.context import account_of, terms
from bulkhooks.config.job import AccountSettings, Job
from bulkhooks.errors import BulkhooksError, CredentialsError, JournalError, LeaseLost, UsageError
from bulkhooks.provision.account import Account
from bulkhooks.provision.canary import Canary
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.send import send_rows
from bulkhooks.provision.session import Session
from bulkhooks.provision.stopping import STOPPED_BY, Budget, Halt
from bulkhooks.version import VERSION

LOOK_EVERY = 2.0
"""Seconds between two looks whether the run is to stop."""

_PATIENCE = 60.0
"""Seconds to wait for the worker that has had the account to end."""


@dataclass(frozen=True, slots=True)
class Order:
    """One account of a run. ``job``: the options that sending takes; ``share``: how many writes at most, None for all,
    counted from ``since``, whichever worker sends them; ``until``: when no further request may begin (both seconds
    since 1970)."""

    version: str
    run: int
    run_id: str
    account: str
    account_id: int
    journal: str
    is_file: bool
    job: Mapping[str, Any]
    settings: Mapping[str, Any] | None
    unlisted: tuple[int, ...]
    share: int | None
    since: float
    until: float | None

    @property
    def place(self) -> Path | str:
        """Where the journal is."""
        return Path(self.journal) if self.is_file else self.journal

    def as_job(self) -> Job:
        """The job as far as sending takes it."""
        own = {self.account: AccountSettings(**self.settings)} if self.settings is not None else {}
        return Job(**self.job, journal=self.place, accounts=own)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order; the counts are those of all workers that have had it. ``halted`` and ``closed`` as
    ``Account`` has them; ``is_stopped``: the worker was told to stop, or saw nobody who could; ``is_lost``: another
    worker or run has taken the account over."""

    requests: int = 0
    writes: int = 0
    throttled: int = 0
    retried: int = 0
    taken: int = 0
    halted: Mapping[str, Any] | None = None
    closed: Mapping[str, Any] | None = None
    is_stopped: bool = False
    is_lost: bool = False

    @classmethod
    def failed(cls, error: BulkhooksError, *, is_stopped: bool = False, is_lost: bool = False) -> Answer:
        """Nothing was sent."""
        halt = Halt(str(error), 3 if isinstance(error, CredentialsError) else 4)
        return cls(halted=asdict(halt), is_stopped=is_stopped, is_lost=is_lost)


async def work(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Carry out an ``Order``, and answer with an ``Answer``, both as values of JSON."""
    if (theirs := given.get("version")) != VERSION:
        sentence = f"a worker has bulkhooks {VERSION}, and the run is of {theirs}: install one version everywhere"
        return asdict(Answer.failed(UsageError(sentence)))
    order = Order(**given)
    key = (order.journal, order.run)
    share = _shares.get(key)
    if share is None or share.is_over:
        share = _shares[key] = _Share(order)
    sending = asyncio.create_task(share.send(order))
    try:
        # Who is told to let go, because its scheduler is gone, still finishes what is in flight.
        return asdict(await asyncio.shield(sending))
    except asyncio.CancelledError:
        share.stop("its scheduler")
        raise


async def stop() -> None:
    """End what is under way, in good order: the process that has started this one is no more."""
    shares = [*_shares.values()]
    for share in shares:
        share.stop("the end of the run's own process")
    await asyncio.gather(*(share.serving for share in shares))


class _Share:
    """What the accounts of one run have in common in this process: one journal, with one connection, and a session."""

    def __init__(self, order: Order) -> None:
        self.is_stopped = False
        self._order = order
        self._job = order.as_job()
        self._session: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._count = 0
        self._over = asyncio.Event()
        self._turns: dict[str, asyncio.Lock] = {}
        self.serving = asyncio.create_task(self._serve())

    @property
    def is_over(self) -> bool:
        """Whether the last account has ended: for another one a new session is opened."""
        return self._over.is_set() or self.serving.done()

    async def _serve(self) -> None:
        """Be open for as long as an account of the run is at work here."""
        try:
            with Journal(self._order.place) as journal:
                self._check(journal)
                journal.database.lease_for(self._job.lease)
                journal.locks.heir_of = self._order.run
                async with self._opened(journal) as session, anyio.create_task_group() as group:
                    await self._look(session)
                    group.start_soon(self._watch, session)
                    self._session.set_result(session)
                    await self._over.wait()
                    group.cancel_scope.cancel()
        except BulkhooksError as error:
            if not self._session.done():
                self._session.set_exception(error)

    def _check(self, journal: Journal) -> None:
        with suppress(ValueError):
            if history.run_id(journal, self._order.run) == self._order.run_id:
                return
        raise UsageError(f"{journal.place}: a worker's journal is not the one of run {self._order.run_id}")

    def _opened(self, journal: Journal) -> Session:
        own = terms(self._job, journal.database.offset)
        left = None if self._order.until is None else max(0.0, self._order.until - own.wall())
        return Session(journal, replace(own, max_runtime=left, wait_lock=_PATIENCE), hears=False)

    async def _watch(self, session: Session) -> None:
        while not self.is_stopped:
            await anyio.sleep(min(LOOK_EVERY, self._job.lease / 3))
            await self._look(session)

    async def _look(self, session: Session) -> None:
        """Stop where the run is asked to, or nobody is there any more who could."""
        with suppress(JournalError):  # whoever cannot reach it cannot send either
            if await session.journal.is_to_stop(self._order.run, session.wall() - self._job.lease):
                self.stop("whoever shares out the accounts of this run")
        if self.is_stopped:
            session.halt(Halt(self._why))

    def stop(self, by: str) -> None:
        """Start no further request."""
        self.is_stopped, self._why = True, f"{STOPPED_BY}{by}"
        if self._session.done() and not self._session.exception():
            self._session.result().halt(Halt(self._why))

    _why = ""

    async def send(self, order: Order) -> Answer:
        """Send for one account."""
        self._count += 1
        try:
            async with self._turns.setdefault(order.account, asyncio.Lock()):
                return await self._send(order)
        except LeaseLost as error:
            return Answer.failed(error, is_lost=True)
        except BulkhooksError as error:
            return Answer.failed(error, is_stopped=self.is_stopped)
        finally:
            self._count -= 1
            if not self._count:
                self._over.set()

    async def _send(self, order: Order) -> Answer:
        session = await asyncio.shield(self._session)
        budget = Budget(order.share)
        account = await session.open(account_of(order.as_job(), order.account), lock=True, budget=budget)
        try:
            if account.id != order.account_id:
                raise UsageError(
                    f"account {order.account!r}: the credentials of a worker are of another user than those of the run"
                )
            # What a worker before this one has sent and could not tell.
            writes = len(session.journal.calls(account.id, write=True, since=order.since))
            reads = len(session.journal.calls(account.id, write=False, since=order.since))
            budget.take(writes)
            account.traffic.writes += writes
            account.traffic.requests += writes + reads
            await send_rows(
                {order.account: account}, order.run, Canary(), unlisted={order.account: order.unlisted}, ended=ignore
            )
            await session.journal.durable()
            return self._answer(account, budget, is_lost=account.id in session.journal.locks.lost)
        finally:
            await session.close(order.account)

    def _answer(self, account: Account, budget: Budget, *, is_lost: bool) -> Answer:
        traffic = account.traffic
        return Answer(
            traffic.requests,
            traffic.writes,
            traffic.throttled,
            traffic.retried,
            budget.taken,
            _known(account.halted),
            _known(account.capped),
            self.is_stopped,
            is_lost,
        )


_shares: dict[tuple[str, int], _Share] = {}
"""Of each run that this process works for."""


def _known(halt: Halt | None) -> dict[str, Any] | None:
    return None if halt is None else asdict(halt)


def ignore(outcome: object) -> None:
    """For who counts by the journal and not by what ends."""


def main() -> None:
    """Be a worker of ``--workers``."""
    from bulkhooks.engines.dask import serve

    serve(stop)
