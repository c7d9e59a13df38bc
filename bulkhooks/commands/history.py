"""``results`` and ``runs``: a look into the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkhooks.config.job import Job
from bulkhooks.errors import UsageError
from bulkhooks.report import Report

if TYPE_CHECKING:
    from bulkhooks.provision.journal.journal import Journal


def results_again(job: Job) -> Report:
    """Write the results of an earlier run again, from the journal. Raises ``UsageError`` where it has no such run."""
    from bulkhooks.commands.lifecycle import loader
    from bulkhooks.commands.outputs import Destinations
    from bulkhooks.provision.journal import history

    if not job.outputs:
        raise UsageError("say with -o where the results go")
    with _journal(job) as journal:
        number = history.run_number(journal, job.run or "last")
        summary = history.summary(journal, number)
        summary.outputs = []
        with Destinations(job.outputs) as destinations:
            destinations.write(journal, number, summary)
        return Report(summary, warnings=list(destinations.said), load=loader(job, journal, number))


def runs(job: Job) -> list[dict[str, object]]:
    """The runs in the journal, the newest first."""
    from bulkhooks.provision.journal import history

    with _journal(job) as journal:
        return history.runs(journal)


def _journal(job: Job) -> Journal:
    """The journal, which must be there already."""
    from bulkhooks.commands.context import journal_path
    from bulkhooks.provision.journal.journal import Journal

    path = journal_path(job)
    if not path.exists():
        raise UsageError(f"{path}: there is no journal here; name another place with --journal")
    return Journal(path)
