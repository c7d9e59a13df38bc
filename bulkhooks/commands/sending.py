"""What the commands that send have in common: comparing, asking a person, sending with its progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Container, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio

from bulkhooks.commands.context import Accounts
from bulkhooks.commands.inputs import Desired
from bulkhooks.config.job import Job
from bulkhooks.errors import Declined
from bulkhooks.provision.account import Account
from bulkhooks.provision.item import Outcome
from bulkhooks.provision.plan import Plan, make_plan
from bulkhooks.provision.send import send as send_items
from bulkhooks.provision.tasks import task_group
from bulkhooks.report import REHEARSAL, Ask, Progress, Question, Summary, Watcher


async def compare(job: Job, desired: Desired, accounts: Accounts, watcher: Watcher | None = None) -> Plan:
    """What has to be sent so that the servers have what the input asks for. Sends reads only."""

    def show(watcher: Watcher) -> None:
        opened = accounts.opened.values()
        next_is, next_in = _next(opened)
        watcher.moved(
            Progress(0, sum(account.traffic.requests for account in opened), {}, next_in=next_in, next_is=next_is)
        )

    async with _each_second(show, watcher):
        return await make_plan(
            accounts.opened,
            desired.rows,
            if_exists=job.if_exists,
            resend_unknown=job.resend_unknown,
            max_deletes=job.max_deletes if job.prune else None,
            is_flawed=desired.is_flawed,
        )


def confirm(job: Job, ask: Ask | None, summary: Summary, question: Question, otherwise: str) -> None:
    """Put a question to a person, where there is one and ``--yes`` is not given; it says where ``summary``'s run goes.

    Raises ``Declined`` with the sentence ``otherwise`` where the answer is no.
    """
    if ask is None or job.yes:
        return
    marked = f"{REHEARSAL}: " if summary.is_rehearsal else ""
    if not ask(replace(question, sentence=f"{marked}{summary.where}: {question.sentence}")):
        raise Declined(otherwise)


async def send(
    accounts: Accounts,
    run: int,
    *,
    writes: int,
    watcher: Watcher | None = None,
    unlisted: Mapping[str, Container[int]] | None = None,
    canary: int = 0,
) -> None:
    """Send what the journal has for ``run`` (its number there), all accounts side by side.

    ``writes``: how many at most, for the progress. ``unlisted``: by account the locations where what is in doubt
    cannot be looked up. Raises ``JournalError`` where the journal takes no more.
    """
    tally = _Tally(writes, accounts.opened.values(), run)
    async with _each_second(tally.show, watcher):
        await send_items(accounts.opened, run, unlisted=unlisted, canary=canary, ended=tally.ended)
    if watcher is not None:
        tally.show(watcher)


@asynccontextmanager
async def _each_second(show: Callable[[Watcher], None], watcher: Watcher | None) -> AsyncIterator[None]:
    """Tell the watcher how it stands while the block works, also while nothing moves."""
    if watcher is None:
        yield
        return

    async def repeat() -> None:
        while True:
            await anyio.sleep(1)
            show(watcher)

    async with task_group() as group:
        group.start_soon(repeat)
        yield
        group.cancel_scope.cancel()


def _next(opened: Iterable[Account]) -> tuple[str, float | None]:
    """What leaves next, a write or another request, of those that wait for the limits, and in how many seconds."""
    waits = [wait for account in opened if account.halted is None for wait in account.waits()]
    kind, seconds = min(waits, key=lambda wait: wait[1], default=("write", None))
    return kind, seconds


class _Tally:
    """Counts the rows that are done. ``total``: how many there are to do at most."""

    def __init__(self, total: int, opened: Collection[Account], run: int) -> None:
        self._accounts = opened
        self._total = total
        self._done = 0
        self._counts: Counter[str] = Counter()
        self._to_do = {account.id: account.done + account.pending(run) for account in opened}

    def ended(self, outcome: Outcome) -> None:
        """Count one more."""
        self._done += 1
        self._counts[str(outcome.status)] += 1

    def show(self, watcher: Watcher) -> None:
        """How it stands now; accounts work side by side, so the slowest says when it is over."""
        at_work = [account for account in self._accounts if account.halted is None]
        seconds = max(
            (account.seconds_for(writes=self._to_do[account.id] - account.done) for account in at_work), default=0.0
        )
        next_is, next_in = _next(at_work)
        in_doubt = sum(len(account.in_doubt) for account in self._accounts)
        watcher.moved(
            Progress(self._total, self._done, dict(self._counts), seconds, in_doubt, next_in=next_in, next_is=next_is)
        )
