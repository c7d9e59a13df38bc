"""``--workers`` and ``--scheduler``: the accounts of a run are sent by other processes, and this one shares them out.

Reading, comparing and planning are done here, as without workers. Then each account is a task: a worker opens it,
sends what the journal has for it, and answers with what it counted (``working.py``). What became of the rows stands in
the journal.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import anyio

from bulkhooks import actions
from bulkhooks.commands.context import Accounts, Context, address_of
from bulkhooks.commands.lifecycle import RunContext
from bulkhooks.commands.workers.working import LOOK_EVERY, Answer, Order, ignore, work
from bulkhooks.config.places import journal_place
from bulkhooks.engines.engine import Ended, Engine, EngineFailed
from bulkhooks.errors import JournalError
from bulkhooks.provision.account import Account
from bulkhooks.provision.canary import Canary
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.stored import items
from bulkhooks.provision.plan import Plan
from bulkhooks.provision.send import send_rows
from bulkhooks.provision.stopping import Halt
from bulkhooks.provision.tasks import task_group
from bulkhooks.report import Progress, Report, Watcher
from bulkhooks.version import VERSION
from bulkhooks.webhook import Status

_NEED_A_LOOK = frozenset({Status.FAILED, Status.UNKNOWN})

_log = logging.getLogger("bulkhooks")

_TRIES = 6
"""Times that an account is given to a worker, where others have taken it away from the one before."""

_GLANCE = 0.2
"""Seconds between two looks whether a signal has come."""

_TRAVELS = (
    "account", "auth", "allow_http", "rate", "request_rate", "concurrency", "timeout", "retries", "give_up_after",
    "settle", "wait", "lease",
)  # fmt: skip
"""Options of a job that a worker needs; none has a secret."""


async def send_over(engine: Engine, running: RunContext, plan: Plan, watcher: Watcher | None = None) -> None:
    """``sending.send`` by the workers of an engine. The first few of ``--canary`` are sent from here."""
    unlisted = {name: tuple(map(int, ids)) for name, ids in plan.unlisted.items()}
    await _Sharing(engine, running.context, running.accounts, running.number, running.report, unlisted).send(
        plan.writes, watcher
    )


@dataclass
class _Sharing:
    engine: Engine
    context: Context
    accounts: Accounts
    run: int
    report: Report
    unlisted: Mapping[str, tuple[int, ...]]
    under_way: dict[str, Order] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)

    @property
    def journal(self) -> Journal:
        return self.context.journal

    async def send(self, writes: int, watcher: Watcher | None) -> None:
        opened, session = self.accounts.opened, self.context.session
        canary = self.context.job.canary
        if canary:
            first = Canary(canary, alone=True)
            await send_rows(opened, self.run, first, unlisted=self.unlisted, ended=ignore)
        await self.journal.durable()
        since = session.wall()
        await self._see()
        self.journal.locks.hand_on([account.id for account in opened.values()])
        if session.halted is None:
            async with task_group() as group:
                group.start_soon(self._keep_seeing)
                if watcher is not None:
                    group.start_soon(self._keep_telling, writes, watcher)
                with session.finishing():
                    await self._share_out()
                group.cancel_scope.cancel()
        await self._see(stops=True)  # for a worker that was taken for dead, and is not
        if watcher is not None:
            watcher.moved(await self._progress(writes))
        for account in opened.values():
            account.remember(since)
            await account.close_run(self.run)
        if self.tries:
            self._log_failed()

    async def _share_out(self) -> None:
        """Give the accounts out, and those that have used up their part of ``--limit`` once more, while any is left."""
        budget = self.context.session.budget
        opened = self.accounts.opened
        waiting = set(opened)
        try:
            while waiting := {name for name in waiting if self._has_work(opened[name])}:
                left = None if budget.total is None else budget.total - budget.taken
                shares = allot(left, {name: opened[name].pending(self.run) for name in waiting})
                for name, share in shares.items():
                    self._submit(name, share)
                waiting -= shares.keys()
                while self.under_way:
                    waiting |= self._used_up(await self.engine.completed())
        except EngineFailed as error:
            for name in self.under_way:
                self.accounts.opened[name].halt(Halt(str(error), error.exit_code))

    def _has_work(self, account: Account) -> bool:
        return account.halted is None and account.closed is None and account.pending(self.run) > 0

    def _submit(self, name: str, share: int | None, since: float | None = None) -> None:
        job = self.context.job
        place = journal_place(job)
        settings = job.accounts.get(name)
        runtime = self.context.session.ends_at
        order = Order(
            version=VERSION,
            run=self.run,
            run_id=history.run_id(self.journal, self.run),
            account=name,
            account_id=self.accounts.numbers[name],
            journal=str(place.resolve()) if isinstance(place, Path) else place,
            is_file=isinstance(place, Path),
            job={option: getattr(job, option) for option in _TRAVELS} | {"base_url": address_of(job, name)},
            settings=None if settings is None else asdict(settings),
            unlisted=self.unlisted.get(name, ()),
            share=share,
            since=self.context.session.wall() if since is None else since,
            until=runtime,
        )
        self.tries[name] += 1
        self.under_way[name] = order
        self.engine.submit(name, work, asdict(order))

    def _used_up(self, ended: Ended) -> set[str]:
        """Note what a task has answered; its account, where its part of ``--limit`` was not enough."""
        order = self.under_way.pop(ended.name)
        account = self.accounts.opened[ended.name]
        if ended.error:
            answer = Answer.failed(EngineFailed(f"account {ended.name!r}: a worker failed: {ended.error}"))
        else:
            answer = Answer(**ended.answer)
        self._count(account, answer)
        share = None if order.share is None else order.share - answer.taken
        was_taken_away = ended.may_repeat or answer.is_lost or answer.is_stopped
        if was_taken_away and account.halted is None and self.tries[ended.name] < _TRIES:
            self._submit(ended.name, share, order.since if ended.may_repeat else None)
            return set()
        if answer.halted is not None:
            account.halt(Halt(**answer.halted))
        if answer.closed is not None:
            account.capped = Halt(**answer.closed)
        return {ended.name} if share is not None and share <= 0 else set()

    def _count(self, account: Account, answer: Answer) -> None:
        traffic = account.traffic
        traffic.requests += answer.requests
        traffic.writes += answer.writes
        traffic.throttled += answer.throttled
        traffic.retried += answer.retried
        self.context.session.budget.take(answer.taken)

    def _log_failed(self) -> None:
        """A record for each row that a worker saw fail: its own log is elsewhere."""
        names = {account.id: name for name, account in self.accounts.opened.items()}
        for item in items(self.journal, self.run):
            if item.operation and item.status in _NEED_A_LOOK:
                found = {
                    "account": names.get(item.account, ""),
                    "row": item.place,
                    "business_id": item.business_id,
                    "action": actions.name_of(item.action),
                    "status": str(item.status),
                    "attempt": item.attempts,
                    "ms": item.duration_ms,
                    "error_code": item.error_code,
                    "error": item.error,
                }
                _log.error("%s: %s %s", item.place, item.status, item.error, extra={"is_event": True, **found})

    # While the workers are at it

    async def _see(self, *, stops: bool = False) -> None:
        await self.journal.seen(self.run, self.context.session.wall(), stops=stops)

    async def _keep_seeing(self) -> None:
        """Give the workers a sign of life, and have them stop where this process is told to."""
        seen_at, has_stopped = anyio.current_time(), False
        while True:
            await anyio.sleep(_GLANCE)
            stops = self.context.session.halted is not None
            if stops != has_stopped or anyio.current_time() > seen_at + min(LOOK_EVERY, self.context.job.lease / 3):
                seen_at, has_stopped = anyio.current_time(), stops
                with suppress(JournalError):  # for as long as it lasts the workers cannot send either
                    await self._see(stops=stops)

    async def _keep_telling(self, writes: int, watcher: Watcher) -> None:
        while True:
            with suppress(JournalError):
                watcher.moved(await self._progress(writes))
            await anyio.sleep(LOOK_EVERY)

    async def _progress(self, writes: int) -> Progress:
        """How it stands by the journal."""
        counts: Counter[str] = Counter()
        left: Counter[int] = Counter()
        in_doubt = 0
        for account_id, status, is_doubtful, count in await self.journal.standing(self.run):
            if status == Status.PENDING:
                left[account_id] += count
                in_doubt += count if is_doubtful else 0
            else:
                counts[status] += count
        opened = self.accounts.opened.values()
        seconds = max((each.seconds_for(writes=left[each.id]) for each in opened if each.halted is None), default=0.0)
        return Progress(writes, sum(counts.values()), dict(counts), seconds, in_doubt)


def allot(total: int | None, wanted: Mapping[str, int]) -> dict[str, int | None]:
    """Share a number of writes out evenly; what one account has no use for goes to the others. None is no limit."""
    if total is None:
        return dict.fromkeys(wanted)
    shares: dict[str, int | None] = {}
    left = total
    for number, name in enumerate(sorted(wanted, key=lambda name: wanted[name])):
        share = min(wanted[name], left // (len(wanted) - number))
        left -= share
        if share:
            shares[name] = share
    return shares
