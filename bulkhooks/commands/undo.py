"""``undo``: take back what a run created or changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

from bulkhooks.commands.context import open_accounts, open_context
from bulkhooks.commands.inputs import read_table
from bulkhooks.commands.lifecycle import begin, registered
from bulkhooks.commands.other_server import refuse_to_replace
from bulkhooks.commands.outputs import Destinations
from bulkhooks.commands.sending import confirm, send
from bulkhooks.config.job import Job
from bulkhooks.errors import (
    ApiError,
    CredentialsError,
    ErrorCode,
    Forbidden,
    InputError,
    Stopped,
    Unauthorized,
    UsageError,
)
from bulkhooks.provision.account import Account
from bulkhooks.provision.item import Item, Operation
from bulkhooks.provision.journal import history, taking_back
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import ItemRow, deletion_row
from bulkhooks.provision.journal.taking_back import Changed, Made
from bulkhooks.provision.listing.listing import find
from bulkhooks.provision.tasks import run_sync
from bulkhooks.report import Ask, Question, Remark, Report, Watcher, many
from bulkhooks.webhook import Status, url_key

_log = logging.getLogger("bulkhooks")

LEFT = frozenset({Status.CHANGED})
"""After an undo these are still there."""


def undo(job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None, run_id: str = "") -> Report:
    """Take back what the run ``job.run``, or the run whose results file ``job.input`` is, created or changed.

    What it created is deleted, what it changed gets its old fields back, each only where the server still has it as
    the run left it. With ``owned`` also what earlier runs of this tool created is deleted. Raises ``UsageError`` or
    ``InputError`` where neither names a run, ``Declined`` where a person says no, and what ``run`` raises.
    """
    return run_sync(lambda: _undo(job, watcher, ask, run_id))


async def _undo(job: Job, watcher: Watcher | None, ask: Ask | None, run_id: str) -> Report:
    started_at = time.time()
    async with open_context(job.with_undone()) as context:
        job, journal = context.job, context.journal
        asked, names, warnings = _asked_for(job, journal)
        refuse_to_replace(job, job.outputs, names or [job.account])
        with Destinations(job.outputs) as destinations:
            with context.session.stoppable():
                accounts = await open_accounts(context, names or [job.account], lock=True)
            running = begin(context, accounts, destinations, started_at=started_at, command="undo", run_id=run_id)
            running.report.warnings += warnings
            with registered(running):
                with context.session.stoppable():
                    found = [await _found(account, journal, asked) for account in accounts.opened.values()]
                writes = sum(len(each.made) + len(each.changed) for each in found)
                running.report.warnings += _remarks(job, journal, asked, found)
                if writes:
                    question = Question(_question(found, asked))
                    confirm(job, ask, running.report.summary, question, "nothing was taken back")
                _write_down(journal, running.number, found, running.report.summary.facts)
            running.left = LEFT
            with running.surviving_a_full_disk():
                await send(accounts, running.number, writes=writes, watcher=watcher)
                return running.conclude()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be taken back: of the run (None: the journal does not know it) the webhooks with these ids, by account
    with their places. ``is_doubtful``: there may be more of it, sends in doubt. ``owned``: --owned."""

    run: int | None
    places: Mapping[str, Mapping[int, str]]
    is_doubtful: bool
    owned: bool
    urls: Mapping[int, str] | None = None
    """Of a file the ``url_key`` of each id: what has another one is another server's webhook, or an older state."""

    def has(self, account: str, webhook_id: int) -> bool:
        """Whether a webhook of the run is meant: a row that somebody has taken out of the file is not."""
        return self.is_doubtful or webhook_id in self.places.get(account, {})


def _asked_for(job: Job, journal: Journal) -> tuple[_Asked, list[str], Sequence[Remark]]:
    """What is to be taken back, the accounts that it takes, and what there is to tell of the file."""
    if job.run:
        if job.inputs:
            raise UsageError("undo takes a results file or --run RUN_ID, not both")
        run = history.run_number(journal, job.run, even_pruned=True)
        asked = _Asked(run, taking_back.webhooks_in(journal, run), is_doubtful=True, owned=job.owned)
        return asked, taking_back.accounts_of(journal, run), ()
    if len(job.inputs) != 1:
        raise UsageError("undo needs a results file, or --run RUN_ID; `bulkhooks runs` lists the runs")
    table = read_table(job, journal)
    if not all(source.has_results for source in table.sources):
        raise InputError(f"{job.inputs[0]}: this is no results file (it has no Row, Status and WebhookId columns)")
    rows = table.rows.assign(first=table.earlier["Row"])[table.rows["known_id"] > 0]
    first = rows["first"].where(rows["first"] != "", rows["place"])
    places: dict[str, dict[int, str]] = {}
    for account, webhook_id, place in zip(rows["Account"], rows["known_id"].tolist(), first, strict=True):
        places.setdefault(account or job.account, {})[webhook_id] = place
    urls = rows["URL"].map(url_key)
    recorded = dict(zip(rows["known_id"].tolist(), zip(rows["known_status"], urls, strict=True), strict=True))
    whose = taking_back.run_of(journal, recorded, Path(job.inputs[0]))
    names = {*places, *(taking_back.accounts_of(journal, whose) if whose else ())}
    asked = _Asked(
        whose,
        places,
        is_doubtful=bool(table.rows["known_doubt"].any()),
        owned=job.owned,
        urls={webhook_id: url for webhook_id, (_, url) in recorded.items()},
    )
    return asked, sorted(names), table.warnings


@dataclass(frozen=True, slots=True)
class _Found:
    """What of one account is taken back, and what became of the sends of the run that were in doubt."""

    account_id: int
    made: list[Made]
    changed: list[Changed]
    settled: list[ItemRow]


async def _found(account: Account, journal: Journal, asked: _Asked) -> _Found:
    settled: list[ItemRow] = []
    made: dict[int, Made] = {}
    changed: list[Changed] = []
    if asked.run is not None:
        if asked.is_doubtful:
            settled = await _settle(account, journal, asked.run)
        await _find_twins(account, journal, asked.run)
        # A row has one id, and its sends may have made two webhooks.
        meant = None if asked.is_doubtful else asked.places.get(account.name, {})
        made = {one.id: one for one in taking_back.made_by(journal, asked.run, account.id, meant)}
        changed = taking_back.changed_by(journal, asked.run, account.id)
    if asked.owned:
        places = asked.places.get(account.name, {})
        owned = taking_back.owned_among(journal, account.id, places, asked.urls)
        made = {one.id: one for one in owned} | made
    # What is deleted needs no old values.
    kept = [one for one in changed if one.webhook_id not in made and asked.has(account.name, one.webhook_id)]
    return _Found(account.id, sorted(made.values()), kept, settled)


async def _settle(account: Account, journal: Journal, run: int) -> list[ItemRow]:
    """Look up what of the run is in doubt. What is there is the run's own from now on; the rows are those that were
    not found, or not looked for."""
    rows = []
    for item, sent_at, was_absent in taking_back.doubts_of(journal, run, account.id):
        if account.halted is not None:
            rows.append(_in_doubt(item, Status.PENDING, f"not looked up: {account.halted.reason}"))
            continue
        # Until --settle has passed, a request of a run that was killed may still be under way.
        await anyio.sleep(max(0.0, min(sent_at + account.terms.settle - account.terms.wall(), account.terms.settle)))
        try:
            ids = await find(account, item)
        except (Unauthorized, Forbidden) as refusal:
            sentence = f"{refusal}; looking it up is not permitted: see in Nexudus whether it is there"
            rows.append(_in_doubt(item, Status.UNKNOWN, sentence))
        except (CredentialsError, Stopped) as stop:
            account.stop(stop)
            rows.append(_in_doubt(item, Status.PENDING, f"not looked up: {stop}"))
        except ApiError as failure:
            sentence = f"the look-up failed ({failure}): run the same command again"
            rows.append(_in_doubt(item, Status.FAILED, sentence))
        else:
            if ids and was_absent:
                account.arrived(item.identity, ids[0])
                account.own_all(item, ids)
            elif ids:
                sentence = f"id {ids[0]} is there, and may have been before the run: see in Nexudus whether it goes"
                rows.append(_in_doubt(item, Status.UNKNOWN, sentence))
            else:
                rows.append(_in_doubt(item, Status.MISSING, ""))
    return rows


async def _find_twins(account: Account, journal: Journal, run: int) -> None:
    """What the run sent again may be there twice by now: both are its own. Where nobody can see it, it is left so."""
    for item in taking_back.resent_of(journal, run, account.id):
        if account.halted is not None:
            return
        try:
            account.turned_up(item.identity, await find(account, item))
        except (CredentialsError, Stopped) as stop:
            account.stop(stop)
        except ApiError as failure:
            _log.warning("%s: whether it is there twice could not be looked up (%s)", item.place, failure)


def _in_doubt(item: Item, status: Status, error: str) -> ItemRow:
    return ItemRow(
        seq=0,
        place=item.place,
        account=item.account_id,
        business_id=item.business_id,
        location=item.location,
        action=item.action,
        url=item.url,
        url_key=item.url_key,
        name=item.name,
        operation=str(Operation.NOTHING),
        status=str(status),
        error_code=str(ErrorCode.IN_DOUBT) if error else "",
        error=error,
    )


def _write_down(journal: Journal, run: int, found: list[_Found], facts: Mapping[str, str]) -> None:
    """Everything the undo is going to do, into the journal: deletions, then what gets its old fields back."""
    items: list[ItemRow] = []
    changes = []
    for each in found:
        for made in each.made:
            items.append(deletion_row(len(items), made.place, each.account_id, made._asdict()))
        for changed in each.changed:
            changes.append(changed.row(len(items), each.account_id))
            items.append(changed.item(len(items), each.account_id))
        items += [row._replace(seq=len(items) + number) for number, row in enumerate(each.settled)]
    journal.plan(run, columns=[], facts=facts, rows=[], items=items, changes=changes)


def _question(found: list[_Found], asked: _Asked) -> str:
    deleted, restored = sum(len(each.made) for each in found), sum(len(each.changed) for each in found)
    parts = [f"Delete {many(deleted, 'webhook', 'webhooks')}"] * bool(deleted)
    if restored:
        word = "give" if parts else "Give"
        parts.append(f"{word} {many(restored, 'webhook its', 'webhooks their')} old fields back")
    left = _left_out(found, asked)
    more = f" ({left:,} that were there before the run are left out)" if left else ""
    return f"{' and '.join(parts)}{more}?"


def _left_out(found: list[_Found], asked: _Asked) -> int:
    """Webhooks of the file that are not taken back."""
    taken = {one.id for each in found for one in each.made} | {one.webhook_id for each in found for one in each.changed}
    return sum(webhook_id not in taken for ids in asked.places.values() for webhook_id in ids)


def _remarks(job: Job, journal: Journal, asked: _Asked, found: list[_Found]) -> list[str]:
    """What a person has to know of what is not taken back."""
    remarks = []
    if not any(each.made or each.changed or each.settled for each in found):
        whose = "this tool created none of these webhooks" if asked.owned else "this run created and changed nothing"
        remarks.append(
            f"nothing to undo: by the journal {journal.place} {whose} on {job.base_url}, or it is taken back"
        )
    if asked.run is not None and (deleted := taking_back.deletions_of(journal, asked.run)):
        remarks.append(
            f"{many(deleted, 'webhook that the run deleted is', 'webhooks that the run deleted are')} not brought back;"
            " the rows are in its results, and running them makes new webhooks"
        )
    if left := _left_out(found, asked):
        those = many(
            left, "row is left out: it was there before the run", "rows are left out: they were there before the run"
        )
        remarks.append(f"{those}{'' if asked.owned else '; --owned deletes what this tool once created'}")
    return remarks
