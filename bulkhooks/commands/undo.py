"""``undo``: delete what a run created."""

from __future__ import annotations

import time
from collections.abc import Mapping

from bulkhooks.commands.context import open_accounts, open_context
from bulkhooks.commands.inputs import read_table
from bulkhooks.commands.lifecycle import begin, registered
from bulkhooks.commands.outputs import Destinations
from bulkhooks.commands.sending import confirm, send
from bulkhooks.config.job import Job
from bulkhooks.errors import InputError, UsageError
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import deletion_row
from bulkhooks.provision.tasks import run_sync
from bulkhooks.report import Ask, Question, Report, Watcher, many
from bulkhooks.webhook import Status

LEFT = frozenset({Status.CHANGED})
"""After an undo these are still there."""


def undo(job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None) -> Report:
    """Delete what the run ``job.run`` created, or what of the results file ``job.input`` this tool created.

    Only what the journal has as created by this tool, and only where the server still has it as it was made. Raises
    ``UsageError`` or ``InputError`` where neither names anything to undo, ``Declined`` where a person says no, and
    what ``run`` raises.
    """
    return run_sync(lambda: _undo(job, watcher, ask))


async def _undo(job: Job, watcher: Watcher | None, ask: Ask | None) -> Report:
    started_at = time.time()
    async with open_context(job.with_undone()) as context:
        job, journal = context.job, context.journal
        made = _made_by(job, journal)
        with Destinations(job.outputs) as destinations:
            with context.session.stoppable():
                accounts = await open_accounts(context, sorted(made) or [job.account], lock=True)
            running = begin(context, accounts, destinations, started_at=started_at, command="undo")
            with registered(running):
                rows = _ours(journal, made, accounts.numbers)
                if rows:
                    question = Question(f"Delete {many(len(rows), 'webhook', 'webhooks')}?")
                    confirm(job, ask, running.report.summary, question, "nothing was deleted")
                else:
                    running.report.warnings.append(
                        f"nothing to undo: by the journal {journal.path} this tool created none of these webhooks,"
                        " or they are gone already"
                    )
                items = [
                    deletion_row(seq, place, accounts.numbers[name], webhook)
                    for seq, (name, place, webhook) in enumerate(rows)
                ]
                journal.plan(running.number, columns=[], facts=running.report.summary.facts, rows=[], items=items)
            running.left = LEFT
            with running.telling_if_the_journal_breaks():
                await send(accounts, running.number, writes=len(items), watcher=watcher)
                return running.conclude()


def _made_by(job: Job, journal: Journal) -> dict[str, dict[int, str]]:
    """By account, the ids that a run created, or that stand in a results file, and their places."""
    if job.run:
        if job.inputs:
            raise UsageError("undo takes a results file or --run RUN_ID, not both")
        return history.made_by(journal, history.run_number(journal, job.run))
    if len(job.inputs) != 1:
        raise UsageError("undo needs a results file, or --run RUN_ID; `bulkhooks runs` lists the runs")
    table = read_table(job)
    if not all(source.has_results for source in table.sources):
        raise InputError(f"{job.inputs[0]}: this is no results file (it has no Row, Status and WebhookId columns)")
    made: dict[str, dict[int, str]] = {}
    rows = table.rows[table.rows["known_id"] > 0]
    for account, webhook_id, place in zip(rows["Account"], rows["known_id"], rows["place"], strict=True):
        made.setdefault(account or job.account, {})[int(webhook_id)] = place
    return made


def _ours(
    journal: Journal, made: Mapping[str, Mapping[int, str]], accounts: Mapping[str, int]
) -> list[tuple[str, str, dict[str, object]]]:
    """Those of them that the journal knows as this tool's: account, place and the webhook (``history.OWNED``)."""
    found = []
    for name, places in made.items():
        owned = history.owned(journal, accounts[name])
        known = {int(webhook["id"]): webhook for webhook in owned[owned["id"].isin(places)].to_dict("records")}
        found += [(name, place, known[number]) for number, place in places.items() if number in known]
    return [(name, place, {str(key): value for key, value in webhook.items()}) for name, place, webhook in found]
