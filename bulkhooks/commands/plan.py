"""``plan``: what ``run`` would do now."""

from __future__ import annotations

import time
from pathlib import Path

from bulkhooks.commands.sending import compare
from bulkhooks.config.job import Job
from bulkhooks.report import Report, Summary
from bulkhooks.webhook import Status


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
                plan = await compare(settled, desired, accounts)
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
