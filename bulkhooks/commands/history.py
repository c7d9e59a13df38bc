"""``results``: what the journal knows of an earlier run."""

from __future__ import annotations

from bulkhooks.commands.outputs import Destinations, loader
from bulkhooks.config.job import Job
from bulkhooks.config.places import existing_journal
from bulkhooks.errors import BulkhooksError, UsageError
from bulkhooks.provision.journal import history, parts
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.report import Remark, Report, Summary, many

_MOST_NAMED = 20


def results_again(job: Job) -> Report:
    """Write the results of the run ``job.run`` (``last``: the newest) again, from the journal.

    Raises ``UsageError`` where there is no such run or no place for the results, ``OutputError`` where they cannot be
    written, ``JournalError`` where the journal cannot be read.
    """
    if not job.outputs:
        raise UsageError("name with -o where the results go")
    with Journal(existing_journal(job)) as journal:
        number = history.run_number(journal, job.run or "last")
        summary = history.summary(journal, number)
        warnings = _missing(journal, number, summary)
        summary.outputs = []
        with Destinations(job.outputs) as destinations:
            destinations.write(journal, number, summary)
        return Report(summary, warnings=[*warnings, *destinations.warnings], load=loader(job, journal, number))


def _missing(journal: Journal, number: int, summary: Summary) -> list[Remark]:
    """A sentence where shards of a run have not begun: their rows are in no results."""
    absent, of = parts.missing(journal, number)
    if not absent:
        return []
    named = ", ".join(map(str, absent[:_MOST_NAMED])) + (", …" if len(absent) > _MOST_NAMED else "")
    return [
        f"run {summary.run_id}: {many(len(absent), 'shard', 'shards')} of {of} {'has' if len(absent) == 1 else 'have'}"
        f" not begun ({named}), and {'its' if len(absent) == 1 else 'their'} rows are not in these results; start"
        f" {'it' if len(absent) == 1 else 'them'} with --run-id {summary.run_id} --shard {absent[0]}/{of}"
    ]


def recalled(job: Job) -> Report:
    """What the journal knows of the run ``job.run``, and its results as they are there now; nothing is written.

    Raises ``UsageError`` where there is no such run, ``JournalError`` where the journal cannot be read.
    """
    with Journal(existing_journal(job)) as journal:
        number = history.run_number(journal, job.run or "last")
        summary = history.summary(journal, number)
        return Report(summary, load=loader(job, journal, number))


def finished(job: Job, run_id: str) -> Summary | None:
    """What a run told the journal at its end; None where the journal has no such run, or it has not ended."""
    name = parts.name_of_part(run_id, job.shard.number) if job.shard else run_id
    try:
        with Journal(existing_journal(job)) as journal:
            found = history.summary(journal, history.run_number(journal, name))
    except BulkhooksError:
        return None
    return found if found.finished_at else None
