"""``check``: what is wrong with the input, and with ``--live`` what the API has to say; no write is sent."""

from __future__ import annotations

import time
from functools import partial

import pandas as pd

from bulkhooks.commands.checked import checked_frame, write_checked
from bulkhooks.commands.context import begin_summary, open_accounts, open_context
from bulkhooks.commands.inputs import Desired, expand_table, read_desired, read_table
from bulkhooks.commands.lifecycle import nothing_to_do
from bulkhooks.commands.probe import probe
from bulkhooks.config.job import Job
from bulkhooks.errors import CredentialsError, Forbidden, Unauthorized, WarningCode
from bulkhooks.provision.account import Account
from bulkhooks.provision.listing.listing import locations
from bulkhooks.provision.tasks import run_sync
from bulkhooks.report import Problem, Remark, Report, coded, counted
from bulkhooks.webhook import Status

_MOST_NAMED = 10


def check(job: Job) -> Report:
    """Read the input and find every problem in it.

    With ``live`` also try the credentials, the locations and the permission to list, with ``probe`` connect to the
    endpoints. Sends no write. ``output`` gets the problems as a results file, ``write_back`` copies of the workbooks
    with their cells marked. Raises ``InputError`` or ``UsageError`` where the input cannot be used at all,
    ``CredentialsError`` where the API takes no request, ``Stopped`` on a first signal.
    """
    return run_sync(lambda: _check(job))


async def _check(job: Job) -> Report:
    started_at = time.time()
    if not job.inputs:
        return nothing_to_do(job, started_at)
    if job.live or job.locations == "live":
        return await _check_live(job, started_at)
    desired = expand_table(job, read_table(job))
    report = check_of(job, desired, started_at)
    if job.probe:
        report.warnings += await _probed(desired)
    write_checked(job, desired, report)
    return report


def check_of(job: Job, desired: Desired, started_at: float) -> Report:
    """The report on an input that has been read: rows by status, problems by code. ``started_at``: since 1970."""
    summary = begin_summary(job, desired.accounts, started_at)
    counts = desired.expansion.webhooks["status"].value_counts()
    summary.counts = {str(status): int(count) for status, count in counts.items()}
    summary.total = int(counts.sum())
    problems = desired.expansion.problems
    summary.errors = counted(problem for problem in problems if not problem.warning)
    summary.warnings = counted([*coded(desired.table.warnings), *(problem for problem in problems if problem.warning)])
    summary.settle()
    summary.close(time.time())
    # Made when it is asked for: most who check want the problems alone.
    load = partial(checked_frame, job, desired, summary)
    return Report(summary, problems, list(desired.table.warnings), load=load)


async def _check_live(job: Job, started_at: float) -> Report:
    """With a look at the API: tries the credentials, the locations and the permission to list."""
    async with open_context(job) as context:
        with context.session.stoppable():
            desired = await read_desired(context)
            report = check_of(context.job, desired, started_at)
            accounts = await open_accounts(context, desired.accounts, lock=False)
            webhooks = desired.expansion.webhooks
            for name, account in accounts.opened.items():
                looked = await _look(account, name, webhooks[webhooks["account"] == name])
                report.warnings += looked
                report.summary.warnings += counted(coded(looked))
            report.warnings += accounts.reasons
            if context.job.probe:
                report.warnings += await _probed(desired)
        report.summary.requests = context.session.traffic.requests
        if accounts.is_refused:
            report.summary.status = "auth-error"
        write_checked(context.job, desired, report)
        return report


async def _look(account: Account, name: str, webhooks: pd.DataFrame) -> list[Remark]:
    """What is wrong with one account, a sentence each; ``CredentialsError`` where it may do nothing at all."""
    found: list[Remark] = []
    refused = 0
    try:
        known = {business.id for business in await locations(account)}
    except (Unauthorized, Forbidden) as error:
        refused += 1
        found.append(f"account {name!r} may not list the locations ({error}): whether they exist is not known")
    else:
        wanted = webhooks["business_id"].unique().tolist()
        strangers = sorted(number for number in wanted if number and number not in known)
        if strangers:
            named = ", ".join(map(str, strangers[:_MOST_NAMED])) + (", …" if len(strangers) > _MOST_NAMED else "")
            found.append(f"account {name!r} has no location with these ids: {named}")
    try:
        await account.search(1, 1)
    except (Unauthorized, Forbidden) as error:
        refused += 1
        sentence = f"account {name!r} may not list webhooks ({error}): the journal alone knows what is there already"
        found.append(Problem.of_whole(WarningCode.NOT_LISTED, "", sentence))
        if refused > 1:
            raise CredentialsError(
                f"account {name!r}: the API turns away every request ({error}); check the credentials and their roles"
            ) from error
    return found


async def _probed(desired: Desired) -> list[str]:
    """What the endpoints answer where it is not what a webhook needs, each with the number of its rows."""
    webhooks = desired.expansion.webhooks
    rows = webhooks.loc[webhooks["status"] != Status.INVALID, "url"].value_counts(sort=False)
    return [
        f"{finding} ({rows[url]} row{'s' if rows[url] != 1 else ''})"
        for url, finding in (await probe([str(url) for url in rows.index])).items()
    ]
