"""The commands as compositions of stages: read this first and you have seen the program.

::

    read -> normalize -> expand -> make_plan -> journal -> send -> journal -> results

Each stage hands a value to the next, and none reaches back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bulkhooks.errors import BulkhooksError, UsageError
from bulkhooks.findings import Ask, Progress, Report, Watcher
from bulkhooks.settings import AccountSettings, Job
from bulkhooks.summary import EXIT_CODES, Summary

if TYPE_CHECKING:
    from bulkhooks.conclusion import Running
    from bulkhooks.intake import Wish
    from bulkhooks.opening import Desk
    from bulkhooks.provision.item import Outcome
    from bulkhooks.provision.run import Plan
    from bulkhooks.provision.session import Session
    from bulkhooks.sheets.results import Outputs

__all__ = ["AccountSettings", "Ask", "Job", "Progress", "Report", "Watcher", "run", "run_async"]

T = TypeVar("T")


class Declined(BulkhooksError):
    """A person was asked, and said no."""

    exit_code = 4


def blocking(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, also where an event loop runs already (a notebook, a scheduler)."""
    from concurrent.futures import ThreadPoolExecutor

    import anyio
    import sniffio

    try:
        sniffio.current_async_library()
    except sniffio.AsyncLibraryNotFoundError:
        return anyio.run(work)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="bulkhooks") as elsewhere:
        return elsewhere.submit(anyio.run, work).result()


# run


def run(
    job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None, confirm_above: int | None = None
) -> Report:
    """Read, check, plan, send, write results. Raises ``BulkhooksError`` where nothing could be sent at all."""
    return blocking(lambda: run_async(job, watcher=watcher, ask=ask, confirm_above=confirm_above))


async def run_async(
    job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None, confirm_above: int | None = None
) -> Report:
    """``run`` for those who have an event loop."""
    from bulkhooks.opening import embedded, journal_path, open_accounts, terms
    from bulkhooks.provision.journal import Journal
    from bulkhooks.provision.run import make_plan, send
    from bulkhooks.provision.session import Session
    from bulkhooks.sheets.results import Outputs

    started_at = time.time()
    with embedded(job) as (settled, sandbox), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            wish = await _read(settled, session)
            if settled.strict and wish.is_flawed:
                return _refused(settled, wish, started_at)
            rows = wish.rows
            if sandbox is not None:
                sandbox.know(rows["business_id"].unique().tolist())
            with Outputs([Path(path) for path in settled.output]) as outputs:
                desk = await open_accounts(settled, session, sorted(rows["account"].unique()), lock=True)
                with _registered(settled, session, desk, outputs, started_at) as running:
                    plan = await make_plan(
                        desk.lines,
                        rows,
                        if_exists=settled.if_exists,
                        resend_unknown=settled.resend_unknown,
                        prune=settled.prune,
                    )
                    _confirm(settled, plan, ask, confirm_above)
                    running.write_down(wish, plan)
                with running.telling_if_the_journal_breaks():
                    await send(
                        desk.lines,
                        running.number,
                        plan.may_list,
                        workers=settled.concurrency,
                        retries=settled.retries,
                        settle=settled.settle,
                        canary=settled.canary,
                        ended=_Tally(plan, desk, watcher).ended,
                    )
                    return running.conclude()


async def _read(job: Job, session: Session) -> Wish:
    from bulkhooks.intake import expand_table, read_table
    from bulkhooks.opening import account_of
    from bulkhooks.provision.listing import locations

    table = read_table(job)
    if job.locations != "live":
        return expand_table(job, table)
    line = await session.open(account_of(job, job.account))
    return expand_table(job, table, await locations(line))


def _refused(job: Job, wish: Wish, started_at: float) -> Report:
    """--strict, and a row is invalid: nothing is sent."""
    from bulkhooks.conclusion import close, opened

    summary = opened(job, "", started_at)
    _count(summary, wish)
    summary.status, summary.exit_code = "input-error", EXIT_CODES["input-error"]
    close(summary)
    return Report(
        summary, wish.expansion.problems, [*wish.table.warnings, "--strict: a row is invalid, so nothing was sent"]
    )


def _confirm(job: Job, plan: Plan, ask: Ask | None, confirm_above: int | None) -> None:
    if plan.deletions > job.max_deletes:
        raise UsageError(
            f"--prune would delete {plan.deletions} webhooks, more than --max-deletes {job.max_deletes}: nothing was"
            " sent; look at `bulkhooks plan --prune` first"
        )
    if ask is None or confirm_above is None or plan.writes <= confirm_above:
        return
    changes = ", ".join(f"{count} to {verdict}" for verdict, count in plan.changes().items())
    if not ask(f"{changes}. Send them?"):
        raise Declined("nothing was sent")


class _Tally:
    """Counts what has ended, for whoever watches."""

    def __init__(self, plan: Plan, desk: Desk, watcher: Watcher | None) -> None:
        self._lines = desk.lines.values()
        self._watcher = watcher
        self._total = plan.writes
        self._done = self._created = self._failed = 0

    def ended(self, outcome: Outcome) -> None:
        if self._watcher is None:
            return
        self._done += 1
        self._created += outcome.status == "created"
        self._failed += outcome.status in {"failed", "unknown"}
        left = (self._total - self._done) // max(1, len(self._lines))
        seconds = max((line.limiter.seconds_for(writes=left) for line in self._lines), default=0.0)
        self._watcher.moved(Progress(self._total, self._done, self._created, self._failed, seconds))


@contextmanager
def _registered(job: Job, session: Session, desk: Desk, outputs: Outputs, started_at: float) -> Iterator[Running]:
    """The run in the journal; gone again where it ends before anything is planned."""
    from bulkhooks.conclusion import Running

    running = Running.begin(job, session, desk, outputs, started_at=started_at)
    try:
        yield running
    except BaseException:
        session.journal.forget(running.number)
        raise


def _count(summary: Summary, wish: Wish) -> None:
    counts = wish.expansion.webhooks["status"].value_counts()
    summary.counts = {str(status): int(count) for status, count in counts.items()}
    summary.total = int(counts.sum())
