"""``results``: what the journal knows of an earlier run."""

from __future__ import annotations

from bulkhooks.commands.outputs import Destinations, loader
from bulkhooks.config.job import Job
from bulkhooks.config.places import existing_journal
from bulkhooks.errors import BulkhooksError, UsageError
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.report import Report, Summary


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
        summary.outputs = []
        with Destinations(job.outputs) as destinations:
            destinations.write(journal, number, summary)
        return Report(summary, warnings=list(destinations.warnings), load=loader(job, journal, number))


def finished(job: Job, run_id: str) -> Summary | None:
    """What a run told the journal at its end; None where the journal has no such run, or it has not ended."""
    try:
        with Journal(existing_journal(job)) as journal:
            found = history.summary(journal, history.run_number(journal, run_id))
    except BulkhooksError:
        return None
    return found if found.finished_at else None
