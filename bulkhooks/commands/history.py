"""``results`` and ``runs``: what the journal knows of earlier runs."""

from __future__ import annotations

from bulkhooks.commands.context import journal_path
from bulkhooks.commands.outputs import Destinations, loader
from bulkhooks.config.job import Job
from bulkhooks.errors import UsageError
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.report import Report


def results_again(job: Job) -> Report:
    """Write the results of the run ``job.run`` (``last``: the newest) again, from the journal.

    Raises ``UsageError`` where there is no such run or no place for the results, ``OutputError`` where they cannot be
    written, ``JournalError`` where the journal cannot be read.
    """
    if not job.outputs:
        raise UsageError("name with -o where the results go")
    with _journal(job) as journal:
        number = history.run_number(journal, job.run or "last")
        summary = history.summary(journal, number)
        summary.outputs = []
        with Destinations(job.outputs) as destinations:
            destinations.write(journal, number, summary)
        return Report(summary, warnings=list(destinations.warnings), load=loader(job, journal, number))


def runs(job: Job) -> list[dict[str, object]]:
    """The runs in the journal, the newest first: ``run_id``, ``command``, ``status``, ``counts``, ``inputs`` and more.

    Raises ``UsageError`` where there is no journal, ``JournalError`` where it cannot be read.
    """
    with _journal(job) as journal:
        return history.runs(journal)


def _journal(job: Job) -> Journal:
    """The journal, which must be there already."""
    path = journal_path(job)
    if not path.exists():
        raise UsageError(f"{path}: there is no journal here; name another place with --journal")
    return Journal(path)
