"""``health``: how delivery stands for every webhook of an account, and switching on what failures switched off."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bulkhooks import actions
from bulkhooks.commands.sending import Declined, Tally
from bulkhooks.config.job import Job
from bulkhooks.errors import Aborted, ApiError, CredentialsError, Forbidden, NotSent, Unauthorized, UsageError
from bulkhooks.report import Ask, ErrorCount, Problem, Question, Report, Summary, iso
from bulkhooks.sheets.values import ResultRow
from bulkhooks.webhook import Status, url_host, url_key

if TYPE_CHECKING:
    from bulkhooks.commands.context import Accounts
    from bulkhooks.nexudus.models import Record
    from bulkhooks.provision.account import Account
    from bulkhooks.provision.journal.journal import Journal
    from bulkhooks.provision.journal.rows import ItemRow
    from bulkhooks.provision.session import Session

HEALTH_COLUMNS = (
    "BusinessId", "Location", "Action", "URL", "Name", "Health", "Active", "ErrorCount", "LastError", "LastTrigger",
    "WebhookId", "Twins",
)  # fmt: skip


class Health(StrEnum):
    """What INTERFACE.md, section 7, calls the states of a webhook."""

    HEALTHY = "healthy"
    FAILING = "failing"
    DISABLED = "disabled"
    PAUSED = "paused"
    NEVER_FIRED = "never fired"

    @classmethod
    def of(cls, record: Record) -> Health:
        """The state of a webhook as a search gives it."""
        if record.error_count > 0:
            return cls.FAILING if record.active else cls.DISABLED
        if not record.active:
            return cls.PAUSED
        return cls.HEALTHY if record.last_trigger else cls.NEVER_FIRED


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The webhooks of one account, with the names of its locations as far as they may be listed."""

    records: Sequence[Record]
    names: Mapping[int, str]

    def rows(self) -> list[list[object]]:
        """``HEALTH_COLUMNS``, by location, event and id."""
        same = defaultdict(list)
        for record in self.records:
            same[_identity(record)].append(record.id)
        ordered = sorted(self.records, key=lambda record: (record.business_id, record.action, record.id))
        return [
            [
                record.business_id,
                self.names.get(record.business_id, ""),
                actions.name_of(record.action) if 1 <= record.action <= len(actions.NAMES) else record.action,
                record.url,
                record.name,
                str(Health.of(record)),
                record.active,
                record.error_count,
                record.last_error,
                record.last_trigger,
                record.id,
                ", ".join(str(twin) for twin in same[_identity(record)] if twin != record.id),
            ]
            for record in ordered
        ]


def _identity(record: Record) -> tuple[int, int, str]:
    return record.business_id, record.action, url_key(record.url)


def health(job: Job, *, ask: Ask | None = None) -> Report:
    """Every webhook's delivery health; with ``reactivate`` what failures have switched off is switched on first.

    ``since`` and ``only`` narrow the sheet; the exit code is that of all. Raises ``CredentialsError`` where listing is
    not permitted.
    """
    from bulkhooks.provision.tasks import run_sync

    return run_sync(lambda: _health(job, ask))


async def _health(job: Job, ask: Ask | None) -> Report:
    from bulkhooks.commands.context import embedded, journal_path, open_accounts, terms
    from bulkhooks.commands.outputs import Destinations
    from bulkhooks.provision.journal import history
    from bulkhooks.provision.journal.journal import Journal
    from bulkhooks.provision.send import resume_at
    from bulkhooks.provision.session import Session

    started_at = time.time()
    since = _moment(job.since) if job.since else None
    with embedded(job) as (settled, _), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            with Destinations(settled.outputs) as destinations:
                names = sorted({settled.account, *settled.accounts} if settled.accounts else {settled.account})
                accounts = await open_accounts(settled, session, names, lock=settled.reactivate)
                summary = Summary.begun(settled.inputs, started_at)
                known = {name: await _webhooks(line) for name, line in accounts.lines.items()}
                said: list[str] = []
                if settled.reactivate and (run := await _reactivate(settled, session, accounts, known, ask)):
                    said = _not_switched_on(journal, run)
                    known = {
                        name: await _afterwards(line, known[name], history.done(journal, run, line.account))
                        for name, line in accounts.lines.items()
                    }
                rows = [row for webhooks in known.values() for row in webhooks.rows()]
                shown = [row for row in rows if _is_wanted(row, settled.only, since)]
                states = Counter(str(row[_HEALTH]) for row in rows)
                summary.counts = {str(state): states[state] for state in Health if states[state]}
                summary.total = len(rows)
                summary.errors = _failures(rows)
                traffic = session.traffic
                summary.writes, summary.requests, summary.throttled = (
                    traffic.writes,
                    traffic.requests,
                    traffic.throttled,
                )
                summary.remaining = sum(line.left for line in accounts.lines.values())
                summary.resume_at = iso(resume_at(accounts.lines.values()))
                if accounts.is_refused:
                    summary.status = "auth-error"
                elif summary.remaining:
                    summary.status = "incomplete"
                elif states[Health.FAILING] or states[Health.DISABLED]:
                    summary.status = "failures"
                summary.close(time.time())
                facts = {"Server": settled.base_url, "Accounts": ", ".join(accounts.lines)}
                destinations.write_rows(HEALTH_COLUMNS, list(map(_result_row, shown)), summary, facts)
                warnings = [*accounts.reasons, *said, *_twins(rows), *destinations.said]
                return Report(summary, warnings=warnings, load=lambda: _frame(shown))


_HEALTH = HEALTH_COLUMNS.index("Health")
_LAST_ERROR = HEALTH_COLUMNS.index("LastError")
_LAST_TRIGGER = HEALTH_COLUMNS.index("LastTrigger")
_WEBHOOK_ID = HEALTH_COLUMNS.index("WebhookId")


async def _webhooks(line: Account) -> Webhooks:
    from bulkhooks.provision.listing import everything, locations

    try:
        records = await everything(line)
    except (Unauthorized, Forbidden) as error:
        raise CredentialsError(f"the webhooks may not be listed: {error}") from error
    try:
        names = dict(await locations(line))
    except (Unauthorized, Forbidden):
        names = {}
    return Webhooks(records, names)


async def _afterwards(line: Account, before: Webhooks, switched_on: Collection[int]) -> Webhooks:
    """The webhooks once some have been switched on: as the API has them, or as far as is known where it is not asked
    any more."""
    from bulkhooks.provision.limiter import NextSlotTooFar
    from bulkhooks.provision.listing import everything
    from bulkhooks.provision.outage import GaveUp

    if line.halted is None:
        try:
            return Webhooks(await everything(line), before.names)
        except (NextSlotTooFar, GaveUp, ApiError, CredentialsError) as error:
            line.stop(error)
    records = [
        replace(record, active=True, error_count=0) if record.id in switched_on else record for record in before.records
    ]
    return Webhooks(records, before.names)


async def _reactivate(
    job: Job, session: Session, accounts: Accounts, known: Mapping[str, Webhooks], ask: Ask | None
) -> int | None:
    """Switch on what failures have switched off; the number of the run in the journal, None where nothing was tried."""
    from bulkhooks.provision.journal import history
    from bulkhooks.provision.plan import new_run_id
    from bulkhooks.provision.send import send

    disabled = [
        (name, record)
        for name, webhooks in known.items()
        for record in webhooks.records
        if Health.of(record) is Health.DISABLED
    ]
    if not disabled:
        return None
    if ask is not None and not job.yes and not ask(Question(f"Switch on {len(disabled)} webhooks?")):
        raise Declined("nothing was switched on")
    journal, now = session.journal, session.wall()
    summary = Summary.begun(job.inputs, now, new_run_id(now))
    run = journal.begin(
        summary.run_id, command="health", job=job.name, inputs=[], accounts=set(accounts.numbers.values()), at=now
    )
    items = [
        _switched_on(seq, accounts.numbers[name], known[name].names.get(record.business_id, ""), record)
        for seq, (name, record) in enumerate(disabled)
    ]
    journal.plan(run, columns=[], facts={}, rows=[], items=items)
    tally = Tally(len(disabled), accounts, None)
    await send(
        accounts.lines, run, {}, workers=job.concurrency, retries=job.retries, settle=job.settle, ended=tally.ended
    )
    if session.was_aborted:
        raise Aborted("stopped at once; `bulkhooks health` says what is switched on")
    summary.counts = history.counts(journal, run)
    summary.total = sum(summary.counts.values())
    summary.remaining = summary.counts.get(Status.PENDING, 0)
    summary.errors = history.errors(journal, run)
    summary.settle(refused=accounts.is_refused)
    summary.close(session.wall())
    journal.finish(run, summary.as_dict(), session.wall())
    return run


def _not_switched_on(journal: Journal, run: int) -> list[str]:
    """Why webhooks could not be switched on; what the account's end was the reason for is told with it."""
    from bulkhooks.provision.journal import history

    return [
        f"{error.count} not switched on ({error.code}): {error.example}"
        for error in history.errors(journal, run)
        if error.code != NotSent.error_code
    ]


def _switched_on(seq: int, account_id: int, location: str, record: Record) -> ItemRow:
    """A webhook to be switched on, as the journal takes it."""
    from bulkhooks.provision.item import Operation
    from bulkhooks.provision.journal.rows import ItemRow

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


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"--since {text!r} is not a time; write for example 2026-11-25 or 2026-11-25T08:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_wanted(row: Sequence[Any], only: Iterable[str], since: datetime | None) -> bool:
    states = {state.replace("-", " ") for state in only}
    if states and row[_HEALTH] not in states:
        return False
    if since is None:
        return True
    try:
        return bool(row[_LAST_TRIGGER]) and _moment(row[_LAST_TRIGGER]) >= since
    except UsageError:
        return True  # a time that cannot be read is better shown than hidden


def _failures(rows: Sequence[Sequence[Any]]) -> list[ErrorCount]:
    """What ails, by the host of the URL, the most frequent first; with the last error as an example."""
    ill = [row for row in rows if row[_HEALTH] in {Health.FAILING, Health.DISABLED}]
    by_host = Counter((str(row[_HEALTH]), url_host(row[3])) for row in ill)
    examples = {(str(row[_HEALTH]), url_host(row[3])): str(row[8]) for row in reversed(ill)}
    return [
        ErrorCount(state, count, f"{host}: {examples[state, host] or 'no error is on record'}")
        for (state, host), count in by_host.most_common()
    ]


def _result_row(row: Sequence[object]) -> ResultRow:
    """A row of the sheet; what ails the webhook is a problem of it, at the id of the webhook."""
    health = Health(str(row[_HEALTH]))
    if health not in {Health.FAILING, Health.DISABLED}:
        return ResultRow(row)
    return ResultRow(row, [Problem(-1, str(row[_WEBHOOK_ID]), health, "", str(row[_LAST_ERROR] or ""))])


def _twins(rows: Sequence[Sequence[Any]]) -> list[str]:
    named = {}
    for row in rows:
        if row[11]:
            ids = sorted([int(row[10]), *map(int, str(row[11]).split(", "))])
            named[tuple(ids)] = f"twins: ids {', '.join(map(str, ids))} are the same webhook, {row[2]} at {row[0]}"
    return list(named.values())


def _frame(rows: Sequence[Sequence[object]]) -> Any:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(HEALTH_COLUMNS), dtype=object)
