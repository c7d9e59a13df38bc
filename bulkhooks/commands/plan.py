"""``plan``: what ``run`` would do now."""

from __future__ import annotations

import time
from dataclasses import replace

from bulkhooks.commands.context import Accounts, Context, begin_summary, open_accounts, open_context
from bulkhooks.commands.inputs import Desired, read_desired
from bulkhooks.commands.kept import keep_earlier
from bulkhooks.commands.lifecycle import nothing_to_do
from bulkhooks.commands.other_server import refuse_to_replace
from bulkhooks.commands.outputs import Destinations, places, refuse_to_overwrite, results_frame
from bulkhooks.commands.scratch import scratch_journal
from bulkhooks.commands.sending import compare
from bulkhooks.config.job import Job
from bulkhooks.provision.forecast import forecast
from bulkhooks.provision.journal import history
from bulkhooks.provision.plan import Plan
from bulkhooks.provision.preview import preview
from bulkhooks.provision.tasks import run_sync
from bulkhooks.report import Report
from bulkhooks.sheets.normalizing.fields import patterns
from bulkhooks.webhook import Status


def plan(job: Job) -> Report:
    """What ``run`` would do now, with its ``forecast``. Sends reads only, and writes nothing but the sheet asked for.

    Raises what ``run`` raises; ``Stopped`` on a first signal.
    """
    return run_sync(lambda: _plan(job))


async def _plan(job: Job) -> Report:
    started_at = time.time()
    if not job.inputs:
        return nothing_to_do(job, started_at)
    async with open_context(job) as context:
        job = context.job
        with context.session.stoppable():
            desired = await read_desired(context)
            refuse_to_overwrite(job.outputs, desired.table, job.inputs)
            refuse_to_replace(job, places(job.outputs, job.inputs), desired.accounts, may_say_yes=False)
            with Destinations(job.outputs, job.inputs) as destinations:
                accounts = await open_accounts(context, desired.accounts, lock=False)
                made = await compare(job, desired, accounts)
                await preview(made, accounts.opened)
                return _report(context, accounts, desired, made, destinations=destinations, started_at=started_at)


def _report(
    context: Context,
    accounts: Accounts,
    desired: Desired,
    made: Plan,
    *,
    destinations: Destinations,
    started_at: float,
) -> Report:
    job = context.job
    summary = begin_summary(job, accounts.numbers, started_at)
    facts = summary.facts | keep_earlier(made, desired.table.earlier, context.journal, accounts.numbers)
    scratch_of = scratch_journal(job, desired, made, accounts=accounts.numbers, facts=facts, summary=summary)
    with scratch_of as (scratch, number):
        summary.counts = history.counts(scratch, number, Status.PLANNED)
        summary.total = sum(summary.counts.values())
        summary.errors = history.errors(scratch, number)
        summary.warnings = history.warnings(scratch, number)
        summary.requests = context.session.traffic.requests
        destinations.write(scratch, number, summary, desired.table, Status.PLANNED)
        frame = results_frame(scratch, number, Status.PLANNED)
    warnings = [*desired.table.warnings, *made.warnings, *accounts.reasons, *destinations.warnings]
    summary.settle(refused=accounts.is_refused)
    if accounts.is_halted and not accounts.is_refused:
        summary.status = "incomplete"
    elif job.expect_no_changes and made.writes and summary.status == "ok":
        summary.status = "failures"
    if made.deletions > job.max_deletes:
        warnings.append(f"--prune would delete more than --max-deletes {job.max_deletes}: run would stop")
    summary.close(time.time())
    found = replace(forecast(made, accounts.opened), patterns=patterns(desired.table.rows["Action"].unique()))
    return Report(summary, desired.expansion.problems, warnings, found, load=lambda: frame)
