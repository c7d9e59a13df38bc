"""The commands as compositions of stages: read this first and you have seen the program.

::

    read -> normalize -> expand -> make_plan -> journal -> send -> journal -> results

Each stage hands a value to the next, and none reaches back. The other commands are modules of
this folder, by their names.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bulkhooks.commands.sending import Declined, Tally, compare
from bulkhooks.config.job import RESULTS, Job
from bulkhooks.errors import UsageError
from bulkhooks.report import Ask, Question, Report, Watcher
from bulkhooks.webhook import Status

if TYPE_CHECKING:
    from bulkhooks.commands.inputs import Desired
    from bulkhooks.provision.plan import Plan
    from bulkhooks.report import Forecast


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
    from bulkhooks.provision.plan import tell_arrivals
    from bulkhooks.provision.send import send
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
                    plan = await compare(settled, desired, accounts)
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
