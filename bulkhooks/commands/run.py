"""``run``: read this module and you have seen the program.

::

    read -> normalize -> expand -> compare(server, journal) -> plan -> journal -> send -> journal -> results

Each stage hands a value to the next. The other commands are modules of this folder, by their names.
"""

from __future__ import annotations

import time

from bulkhooks.commands.check import check_of
from bulkhooks.commands.context import open_accounts, open_context
from bulkhooks.commands.inputs import Desired, read_desired
from bulkhooks.commands.journal import forget_old_runs
from bulkhooks.commands.lifecycle import RunContext, begin, nothing_to_do, registered
from bulkhooks.commands.other_server import refuse_to_replace
from bulkhooks.commands.outputs import Destinations, places, refuse_to_overwrite
from bulkhooks.commands.sending import compare, confirm, send
from bulkhooks.commands.workers.engine import check_engine, open_engine
from bulkhooks.commands.workers.sharing import send_over
from bulkhooks.config.job import Job
from bulkhooks.engines.engine import Engine
from bulkhooks.errors import UsageError, WarningCode
from bulkhooks.provision.forecast import forecast
from bulkhooks.provision.plan import Plan, record_findings
from bulkhooks.provision.tasks import run_sync
from bulkhooks.report import Ask, Forecast, Problem, Question, Report, Summary, Watcher
from bulkhooks.temporary import check_temporary_folder
from bulkhooks.webhook import Status


def run(job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None, run_id: str = "") -> Report:
    """Read, check, plan, send, write results.

    ``watcher`` sees the progress; ``ask`` is asked before more than ``job.confirm_above`` writes, None asks nobody;
    ``run_id`` is what the run is called, '' gives it a new name. What went wrong with single rows is in the report.
    Where nothing could be sent at all, raises ``UsageError``, ``InputError``, ``OutputError``, ``JournalError``,
    ``CredentialsError``, ``LockedError``, ``Declined`` or ``Stopped``; ``Incomplete`` and ``Aborted`` where it broke
    off while sending.
    """
    return run_sync(lambda: run_async(job, watcher=watcher, ask=ask, run_id=run_id))


async def run_async(job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None, run_id: str = "") -> Report:
    """``run`` for those who have an event loop."""
    started_at = time.time()
    if job.shard and not job.run_id:
        raise UsageError(
            f"--shard {job.shard}: name the run that it is a part of, the same for all shards: --run-id NAME"
        )
    if not job.inputs:
        return nothing_to_do(job, started_at)
    check_engine(job)
    async with open_context(job.with_results()) as context, open_engine(context.job) as engine:
        job = context.job
        with context.session.stoppable():
            desired = await read_desired(context, lock=True)
        if job.strict and desired.is_flawed:
            return _refused(job, desired, started_at)
        if job.write_back:
            check_temporary_folder()
        refuse_to_overwrite(job.outputs, desired.table, job.inputs)
        part = desired.part(job.shard) if job.shard else None
        refuse_to_replace(job, places(job.outputs, job.inputs), desired.accounts)
        desired = desired.of(job.shard) if job.shard else desired
        # The places of the results are open before the first request: what cannot be written is known in time.
        with Destinations(job.outputs, job.inputs) as destinations:
            with context.session.stoppable():
                accounts = await open_accounts(context, desired.accounts, lock=True)
            name = job.run_id or run_id
            running = begin(context, accounts, destinations, started_at=started_at, run_id=name, part=part)
            with registered(running):
                if part is not None and desired.rows.empty:
                    running.report.warnings.append(
                        f"shard {part.shard} of run {name} has none of the input's accounts: it has nothing to do"
                    )
                plan = await compare(job, desired, accounts, watcher)
                plan.warnings += [
                    Problem.of_whole(WarningCode.ASYNC_STANDBY, "", sentence)
                    for sentence in context.journal.database.doubts_about_fail_over()
                ]
                _refuse_too_many_deletions(job, plan)
                _confirm(job, running.report.summary, forecast(plan, accounts.opened), ask)
                record_findings(accounts.opened, plan)
                running.write_down(desired, plan)
            # From here on the journal has the whole plan, and a run that breaks off can go on.
            with running.surviving_a_full_disk():
                await _send(running, plan, watcher, engine)
                report = running.conclude()
            if job.keep is not None and report.exit_code == 0 and not job.sandbox:
                report.warnings += forget_old_runs(context.journal, job.keep, started_at)
            return report


async def _send(running: RunContext, plan: Plan, watcher: Watcher | None, engine: Engine | None) -> None:
    """From this process, or by the workers of an engine."""
    if engine is not None:
        await send_over(engine, running, plan, watcher)
        return
    await send(
        running.accounts,
        running.number,
        writes=plan.writes,
        watcher=watcher,
        unlisted=plan.unlisted,
        canary=running.context.job.canary,
    )


def _refused(job: Job, desired: Desired, started_at: float) -> Report:
    """--strict, and a row is invalid: nothing is sent."""
    report = check_of(job, desired, started_at)
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


def _confirm(job: Job, summary: Summary, found: Forecast, ask: Ask | None) -> None:
    if found.writes > job.confirm_above:
        changes = ", ".join(f"{count} to {operation}" for operation, count in found.changes.items())
        confirm(job, ask, summary, Question(f"{changes}. Send them?", found), "nothing was sent")
