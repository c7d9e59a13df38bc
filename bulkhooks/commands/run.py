"""The commands as compositions of stages: read this first and you have seen the program.

::

    read -> normalize -> expand -> make_plan -> journal -> send -> journal -> results

Each stage hands a value to the next, and none reaches back. ``check`` is in ``checking.py``, ``undo`` in
``upkeep.py``, ``health`` in ``health.py``.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bulkhooks.config.job import RESULTS, AccountSettings, Job
from bulkhooks.errors import BulkhooksError, UsageError
from bulkhooks.report import Ask, Progress, Question, Report, Summary, Watcher
from bulkhooks.webhook import Status

if TYPE_CHECKING:
    from bulkhooks.commands.context import Accounts
    from bulkhooks.commands.inputs import Desired
    from bulkhooks.provision.item import Outcome
    from bulkhooks.provision.plan import Plan
    from bulkhooks.report import Forecast

__all__ = [
    "AccountSettings",
    "Ask",
    "Job",
    "Progress",
    "Question",
    "Report",
    "Watcher",
    "plan",
    "run",
    "run_async",
]

T = TypeVar("T")


class Declined(BulkhooksError):
    """A person was asked, and said no."""

    exit_code = 4


# run


def run(job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None) -> Report:
    """Read, check, plan, send, write results. Raises ``BulkhooksError`` where nothing could be sent at all."""
    from bulkhooks.provision.tasks import run_sync

    return run_sync(lambda: run_async(job, watcher=watcher, ask=ask))


async def run_async(job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None) -> Report:
    """``run`` for those who have an event loop."""
    from bulkhooks.commands.context import embedded, journal_path, open_accounts, terms
    from bulkhooks.commands.inputs import read_desired
    from bulkhooks.commands.lifecycle import begin, nothing_to_do, registered
    from bulkhooks.commands.outputs import Destinations, refuse_to_overwrite
    from bulkhooks.provision.forecast import forecast
    from bulkhooks.provision.journal.journal import Journal
    from bulkhooks.provision.plan import send, tell_arrivals
    from bulkhooks.provision.session import Session

    started_at = time.time()
    if not job.inputs:
        return nothing_to_do(job, started_at)
    job = job.with_output(RESULTS)
    with embedded(job) as (settled, sandbox), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            desired = await read_desired(settled, session, sandbox, lock=True)
            if settled.strict and desired.is_flawed:
                return _refused(settled, desired, started_at)
            refuse_to_overwrite(settled.outputs, desired.table, settled.inputs)
            with Destinations(settled.outputs, settled.inputs) as destinations:
                accounts = await open_accounts(settled, session, desired.accounts, lock=True)
                with registered(begin(settled, session, accounts, destinations, started_at=started_at)) as running:
                    plan = await _compare(settled, desired, accounts)
                    _refuse_too_many_deletions(settled, plan)
                    _confirm(settled, forecast(plan, accounts.lines), ask)
                    tell_arrivals(accounts.lines, plan)
                    running.write_down(desired, plan)
                with running.telling_if_the_journal_breaks():
                    await send(
                        accounts.lines,
                        running.number,
                        plan.unlisted,
                        workers=settled.concurrency,
                        retries=settled.retries,
                        settle=settled.settle,
                        canary=settled.canary,
                        ended=Tally(plan.writes, accounts, watcher).ended,
                    )
                    return running.conclude()


async def _compare(job: Job, desired: Desired, accounts: Accounts) -> Plan:
    from bulkhooks.provision.plan import make_plan

    return await make_plan(
        accounts.lines, desired.rows, if_exists=job.if_exists, resend_unknown=job.resend_unknown, prune=job.prune
    )


def _refused(job: Job, desired: Desired, started_at: float) -> Report:
    """--strict, and a row is invalid: nothing is sent."""
    from bulkhooks.commands.check import found_in

    report = found_in(job, desired, started_at)
    summary = report.summary
    summary.counts = {
        str(Status.PENDING if status == Status.PLANNED else status): count for status, count in summary.counts.items()
    }
    summary.status = "input-error"
    report.warnings.append("--strict: a row is invalid, so nothing was sent")
    return report


def _refuse_too_many_deletions(job: Job, plan: Plan) -> None:
    if plan.deletions > job.max_deletes:
        raise UsageError(
            f"--prune would delete {plan.deletions} webhooks, more than --max-deletes {job.max_deletes}: nothing was"
            " sent; look at `bulkhooks plan --prune` first"
        )


def _confirm(job: Job, forecast: Forecast, ask: Ask | None) -> None:
    if ask is None or job.yes or forecast.writes <= job.confirm_above:
        return
    changes = ", ".join(f"{count} to {operation}" for operation, count in forecast.changes.items())
    if not ask(Question(f"{changes}. Send them?", forecast)):
        raise Declined("nothing was sent")


class Tally:
    """Counts what has ended, for whoever watches."""

    def __init__(self, total: int, accounts: Accounts, watcher: Watcher | None) -> None:
        self._lines = accounts.lines.values()
        self._watcher = watcher
        self._total = total
        self._done = self._created = self._failed = 0
        self._tell()

    def ended(self, outcome: Outcome) -> None:
        """Count one more."""
        self._done += 1
        self._created += outcome.status == "created"
        self._failed += outcome.status in {"failed", "unknown"}
        self._tell()

    def _tell(self) -> None:
        if self._watcher is None:
            return
        left = (self._total - self._done) // max(1, len(self._lines))
        seconds = max((line.limiter.seconds_for(writes=left) for line in self._lines), default=0.0)
        self._watcher.moved(Progress(self._total, self._done, self._created, self._failed, seconds))


def plan(job: Job) -> Report:
    """What ``run`` would do now. Reads, writes nothing but the sheet asked for. Raises as ``run`` does."""
    from bulkhooks.provision.tasks import run_sync

    return run_sync(lambda: _plan(job))


async def _plan(job: Job) -> Report:
    from bulkhooks.commands.context import embedded, journal_path, open_accounts, terms
    from bulkhooks.commands.inputs import read_desired
    from bulkhooks.commands.lifecycle import nothing_to_do, results_frame, write_down
    from bulkhooks.commands.outputs import Destinations
    from bulkhooks.provision.forecast import forecast
    from bulkhooks.provision.journal import history
    from bulkhooks.provision.journal.journal import Journal
    from bulkhooks.provision.preview import preview
    from bulkhooks.provision.session import Session

    started_at = time.time()
    if not job.inputs:
        return nothing_to_do(job, started_at)
    with embedded(job) as (settled, sandbox), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            desired = await read_desired(settled, session, sandbox)
            with Destinations(settled.outputs, settled.inputs) as destinations, Journal(Path(":memory:")) as scratch:
                accounts = await open_accounts(settled, session, desired.accounts, lock=False)
                plan = await _compare(settled, desired, accounts)
                await preview(plan, accounts.lines)
                found = forecast(plan, accounts.lines)
                summary = Summary.begun(settled.inputs, started_at)
                # The sheet of a plan is written as a run's is: from a journal, here one that nobody keeps.
                numbers = {name: scratch.account(name, name) for name in accounts.numbers}
                number = scratch.begin(
                    "plan", command="plan", job=job.name, inputs=job.inputs, accounts=numbers.values(), at=started_at
                )
                write_down(scratch, number, desired, plan, accounts=numbers, server=settled.base_url)
                summary.counts = history.counts(scratch, number, Status.PLANNED)
                summary.total = sum(summary.counts.values())
                summary.errors = history.errors(scratch, number)
                summary.requests = session.traffic.requests
                destinations.write(scratch, number, summary, desired.table, Status.PLANNED)
                warnings = [*desired.table.warnings, *plan.warnings, *accounts.reasons, *destinations.said]
                summary.settle(refused=accounts.is_refused)
                if any(line.halted for line in accounts.lines.values()) and not accounts.is_refused:
                    summary.status = "incomplete"
                elif settled.expect_no_changes and plan.writes and summary.status == "ok":
                    summary.status = "failures"
                if plan.deletions > settled.max_deletes:
                    warnings.append(
                        f"--prune would delete more than --max-deletes {settled.max_deletes}: run would stop"
                    )
                summary.close(time.time())
                frame = results_frame(scratch, number, Status.PLANNED)
                return Report(summary, desired.expansion.problems, warnings, found, load=lambda: frame)
