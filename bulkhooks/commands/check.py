"""``check``: what is wrong with the input, and with ``--live`` what the API says of it; no write is sent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bulkhooks.config.job import Job
from bulkhooks.errors import CredentialsError, Forbidden, Unauthorized
from bulkhooks.report import ErrorCount, Report, Summary
from bulkhooks.webhook import Status

if TYPE_CHECKING:
    import pandas as pd

    from bulkhooks.commands.inputs import Desired
    from bulkhooks.provision.account import Account

_MOST_NAMED = 10


def check(job: Job) -> Report:
    """Read and check; with ``live`` also what the API says of the credentials and the locations, with ``probe`` whether
    the endpoints answer. Sends no write. Raises ``BulkhooksError`` where the input cannot be used at all."""
    from bulkhooks.provision.tasks import run_sync

    return run_sync(lambda: _check(job))


async def _check(job: Job) -> Report:
    from bulkhooks.commands.inputs import expand_table, read_table
    from bulkhooks.commands.lifecycle import nothing_to_do

    started_at = time.time()
    if not job.inputs:
        return nothing_to_do(job, started_at)
    if job.live or job.locations == "live":
        return await _check_live(job)
    desired = expand_table(job, read_table(job))
    report = found_in(job, desired, started_at)
    if job.probe:
        report.warnings += await probed(desired)
    return report


async def probed(desired: Desired) -> list[str]:
    """What the endpoints of a desired answer where it is not what a webhook needs, each with the number of its rows."""
    from bulkhooks.commands.probe import probe

    webhooks = desired.expansion.webhooks
    rows = webhooks.loc[webhooks["status"] != Status.INVALID, "url"].value_counts(sort=False)
    return [
        f"{finding} ({rows[url]} row{'s' if rows[url] != 1 else ''})"
        for url, finding in (await probe([str(url) for url in rows.index])).items()
    ]


def found_in(job: Job, desired: Desired, started_at: float) -> Report:
    """What a check says of a desired."""

    summary = Summary.begun(job.inputs, started_at)
    counts = desired.expansion.webhooks["status"].value_counts()
    summary.counts = {str(status): int(count) for status, count in counts.items()}
    summary.total = int(counts.sum())
    flaws = [problem for problem in desired.expansion.problems if not problem.warning]
    codes = dict.fromkeys(problem.code for problem in flaws)
    summary.errors = [
        ErrorCount(code, sum(problem.code == code for problem in flaws), str(next(p for p in flaws if p.code == code)))
        for code in codes
    ]
    summary.settle()
    summary.close(time.time())
    return Report(summary, desired.expansion.problems, list(desired.table.warnings))


async def _check_live(job: Job) -> Report:
    """With a look at the API: tries the credentials, the locations and the permission to list."""
    from bulkhooks.commands.context import embedded, journal_path, open_accounts, terms
    from bulkhooks.commands.inputs import read_desired
    from bulkhooks.provision.journal.journal import Journal
    from bulkhooks.provision.session import Session

    started_at = time.time()
    with embedded(job) as (settled, sandbox), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            desired = await read_desired(settled, session, sandbox)
            report = found_in(settled, desired, started_at)
            accounts = await open_accounts(settled, session, desired.accounts, lock=False)
            webhooks = desired.expansion.webhooks
            for name, line in accounts.lines.items():
                report.warnings += await _look(line, name, webhooks[webhooks["account"] == name])
            report.warnings += accounts.reasons
            if settled.probe:
                report.warnings += await probed(desired)
            report.summary.requests = session.traffic.requests
            if accounts.is_refused:
                report.summary.status = "auth-error"
            return report


async def _look(line: Account, name: str, webhooks: pd.DataFrame) -> list[str]:
    """What there is to say of one account; ``CredentialsError`` where it may do nothing at all."""
    from bulkhooks.provision.listing import locations

    said: list[str] = []
    refused = 0
    try:
        known = {number for number, _ in await locations(line)}
    except (Unauthorized, Forbidden) as error:
        refused += 1
        said.append(f"account {name!r} may not list the locations ({error}): whether they exist is not known")
    else:
        wanted = webhooks["business_id"].unique().tolist()
        strangers = sorted(number for number in wanted if number and number not in known)
        if strangers:
            named = ", ".join(map(str, strangers[:_MOST_NAMED])) + (", …" if len(strangers) > _MOST_NAMED else "")
            said.append(f"account {name!r} has no location with these ids: {named}")
    try:
        await line.read(lambda: line.client.search(1, 1))
    except (Unauthorized, Forbidden) as error:
        refused += 1
        said.append(f"account {name!r} may not list webhooks ({error}): the journal alone knows what is there already")
        if refused > 1:
            raise CredentialsError(
                f"account {name!r}: the API turns away every request ({error}); check the credentials and their roles"
            ) from error
    return said
