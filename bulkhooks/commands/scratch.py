"""Sheets of ``plan`` and ``check``: written as a run's are, from a journal that nobody keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bulkhooks.commands.inputs import Desired
from bulkhooks.commands.lifecycle import write_down
from bulkhooks.config.job import Job
from bulkhooks.provision.item import Operation
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.plan import Plan
from bulkhooks.report import Summary
from bulkhooks.times import moment
from bulkhooks.webhook import Status


@contextmanager
def scratch_journal(
    job: Job, desired: Desired, plan: Plan, *, accounts: Iterable[str], facts: Mapping[str, str], summary: Summary
) -> Iterator[tuple[Journal, int]]:
    """A journal in memory that has the plan as the run of this number; ``facts`` are lines of the sheet Summary."""
    with Journal(Path(":memory:")) as journal:
        numbers = {name: journal.account(name, name) for name in accounts}
        number = journal.begin(
            "plan",
            command="plan",
            job=job.name,
            inputs=job.inputs,
            accounts=numbers.values(),
            at=moment(summary.started_at),
        )
        write_down(journal, number, desired, plan, accounts=numbers, facts=facts)
        yield journal, number


def plan_of_all(desired: Desired) -> Plan:
    """The plan of who does not know what the server has: everything that can be sent is made."""
    rows = desired.rows
    is_fit = rows["status"] == Status.PLANNED
    rows = rows.assign(operation=str(Operation.NOTHING), webhook_id=0)
    rows.loc[is_fit, "status"] = Status.PENDING
    rows.loc[is_fit, "operation"] = Operation.CREATE
    return Plan(rows)
