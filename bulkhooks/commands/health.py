"""``health``: how delivery stands for every webhook, and switching on what failures have switched off."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd

from bulkhooks.commands.context import Accounts, Context, begin_summary, open_accounts, open_context
from bulkhooks.commands.health_rows import (
    HEALTH_COLUMNS,
    ILL,
    Health,
    HealthRow,
    counts_of,
    failures,
    is_wanted,
    moment_of,
    rows_of,
    twins,
)
from bulkhooks.commands.outputs import Destinations
from bulkhooks.commands.sending import confirm, send
from bulkhooks.config.job import Job
from bulkhooks.errors import (
    Aborted,
    ApiError,
    CredentialsError,
    ErrorCode,
    Forbidden,
    Stopped,
    Unauthorized,
    UsageError,
)
from bulkhooks.nexudus.models import Record
from bulkhooks.provision.account import Account
from bulkhooks.provision.item import Operation
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import ItemRow
from bulkhooks.provision.listing.listing import everything, names_of_locations
from bulkhooks.provision.send import resume_at
from bulkhooks.provision.tasks import run_sync
from bulkhooks.report import Ask, Question, Remark, Report, Summary, coded, counted, many
from bulkhooks.times import iso, new_run_id
from bulkhooks.webhook import Status, url_key


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The webhooks of one account, with the names of its locations by id, as far as they may be listed."""

    records: Sequence[Record]
    names: Mapping[int, str]


def health(job: Job, *, ask: Ask | None = None) -> Report:
    """Every webhook's delivery health; with ``reactivate`` what failures have switched off is switched on first.

    ``since`` and ``only`` narrow the sheet; counts and exit code are those of all. ``report.results`` has
    ``HEALTH_COLUMNS``. Raises ``UsageError`` where ``since`` is no time, ``CredentialsError`` where listing is not
    permitted, ``Stopped`` on a first signal while it reads, ``Aborted`` on a second.
    """
    return run_sync(lambda: _health(job, ask))


async def _health(job: Job, ask: Ask | None) -> Report:
    started_at = time.time()
    since = _since(job)
    async with open_context(job) as context:
        job = context.job
        with Destinations(job.outputs) as destinations:
            with context.session.stoppable():
                accounts = await open_accounts(context, _names(job), lock=job.reactivate)
                known = {name: await _webhooks(account) for name, account in accounts.opened.items()}
            warnings: list[Remark] = []
            if job.reactivate and (run := await _reactivate(context, accounts, known, ask)):
                warnings += _not_switched_on(context.journal, run)
                known = {
                    name: await _afterwards(account, known[name], history.done(context.journal, run, account.id))
                    for name, account in accounts.opened.items()
                }
            rows = [row for webhooks in known.values() for row in rows_of(webhooks.records, webhooks.names)]
            shown = [row for row in rows if is_wanted(row, job.only, since)]
            summary = _summary(context, accounts, rows, started_at)
            destinations.write_rows(HEALTH_COLUMNS, [row.result for row in shown], summary, summary.facts)
            warnings = [*accounts.reasons, *warnings, *twins(rows), *destinations.warnings]
            summary.warnings = counted(coded(warnings))
            return Report(summary, warnings=warnings, load=lambda: _frame(shown))


def _names(job: Job) -> list[str]:
    return sorted({job.account, *job.accounts})


def _since(job: Job) -> datetime | None:
    if not job.since:
        return None
    try:
        return moment_of(job.since)
    except ValueError:
        raise UsageError(
            f"--since {job.since!r} is not a time; write for example 2026-11-25 or 2026-11-25T08:00Z"
        ) from None


def _summary(context: Context, accounts: Accounts, rows: Sequence[HealthRow], started_at: float) -> Summary:
    summary = begin_summary(context.job, accounts.numbers, started_at)
    traffic, opened = context.session.traffic, accounts.opened.values()
    summary.counts = counts_of(rows)
    summary.total = len(rows)
    summary.errors = failures(rows)
    summary.writes, summary.requests, summary.throttled = traffic.writes, traffic.requests, traffic.throttled
    summary.remaining = sum(account.left for account in opened)
    summary.resume_at = iso(resume_at(opened))
    if accounts.is_refused:
        summary.status = "auth-error"
    elif summary.remaining:
        summary.status = "incomplete"
    elif any(row.health in ILL for row in rows):
        summary.status = "failures"
    summary.close(time.time())
    return summary


async def _webhooks(account: Account) -> Webhooks:
    try:
        records = await everything(account)
    except (Unauthorized, Forbidden) as error:
        raise CredentialsError(f"the webhooks may not be listed: {error}") from error
    return Webhooks(records, await names_of_locations(account))


async def _afterwards(account: Account, before: Webhooks, switched_on: Collection[int]) -> Webhooks:
    """The webhooks once some have been switched on: as the API has them, or as far as is known where it is not asked
    any more."""
    if account.halted is None:
        try:
            return Webhooks(await everything(account), before.names)
        except (Stopped, ApiError, CredentialsError) as error:
            account.stop(error)
    records = [
        replace(record, active=True, error_count=0) if record.id in switched_on else record for record in before.records
    ]
    return Webhooks(records, before.names)


async def _reactivate(
    context: Context, accounts: Accounts, known: Mapping[str, Webhooks], ask: Ask | None
) -> int | None:
    """Switch on what failures have switched off; the number of the run in the journal, None where nothing was tried."""
    disabled = [
        (name, record)
        for name, webhooks in known.items()
        for record in webhooks.records
        if Health.of(record) is Health.DISABLED
    ]
    if not disabled:
        return None
    job, journal, session = context.job, context.journal, context.session
    now = session.wall()
    summary = begin_summary(job, accounts.numbers, now, new_run_id(now))
    question = Question(f"Switch on {many(len(disabled), 'webhook', 'webhooks')}?")
    confirm(job, ask, summary, question, "nothing was switched on")
    run = journal.begin(
        summary.run_id, command="health", job=job.name, inputs=[], accounts=set(accounts.numbers.values()), at=now
    )
    items = [
        _switched_on(seq, accounts.numbers[name], known[name].names.get(record.business_id, ""), record)
        for seq, (name, record) in enumerate(disabled)
    ]
    journal.plan(run, columns=[], facts=summary.facts, rows=[], items=items)
    await send(accounts, run, writes=len(disabled))
    if session.was_aborted:
        raise Aborted("stopped at once; `bulkhooks health` shows what is switched on")
    summary.counts = history.counts(journal, run)
    summary.total = sum(summary.counts.values())
    summary.remaining = summary.counts.get(Status.PENDING, 0)
    summary.errors = history.errors(journal, run)
    summary.settle(refused=accounts.is_refused)
    summary.close(session.wall())
    journal.finish(run, summary.as_dict(), session.wall())
    return run


def _not_switched_on(journal: Journal, run: int) -> list[str]:
    """Why webhooks could not be switched on; those that an account's halt left pending are told with the halt."""
    return [
        f"{error.count} not switched on ({error.code}): {error.example}"
        for error in history.errors(journal, run)
        if error.code != ErrorCode.NOT_SENT
    ]


def _switched_on(seq: int, account_id: int, location: str, record: Record) -> ItemRow:
    """A webhook to be switched on, as the journal takes it."""
    return ItemRow(
        seq=seq,
        place=f"health:{seq + 1}",
        account=account_id,
        business_id=record.business_id,
        location=location,
        action=record.action,
        url=record.url,
        url_key=url_key(record.url),
        name=record.name,
        active=1,
        operation=str(Operation.UPDATE),
        webhook_id=record.id,
    )


def _frame(rows: Sequence[HealthRow]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(HEALTH_COLUMNS), dtype=object)
