"""How a run begins and ends: its entry in the journal, what it says of itself, its results."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from bulkhooks.commands.context import Accounts
from bulkhooks.commands.inputs import Desired
from bulkhooks.commands.outputs import Destinations
from bulkhooks.config.job import Job
from bulkhooks.errors import Aborted, BulkhooksError, JournalError, OutputError
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import input_rows, item_rows
from bulkhooks.provision.plan import Plan, new_run_id
from bulkhooks.provision.send import resume_at
from bulkhooks.provision.session import Session
from bulkhooks.report import Report, Summary, iso
from bulkhooks.sheets.reading.table import Table
from bulkhooks.webhook import RESULT_COLUMNS, Status


class Incomplete(BulkhooksError):
    """The journal could take no more in the middle of a run."""

    exit_code = 4


@dataclass(slots=True)
class RunContext:
    """A run that has begun: where it is written down, and what has to be said at its end.

    ``left`` are statuses that count as a failure besides those of every run.
    """

    job: Job
    session: Session
    accounts: Accounts
    destinations: Destinations
    number: int
    report: Report
    table: Table | None = None
    left: frozenset[Status] = frozenset()

    def write_down(self, desired: Desired, plan: Plan) -> None:
        """Put everything the run is going to do into the journal."""
        self.table = desired.table
        self.report.problems = desired.expansion.problems
        self.report.warnings = [*desired.table.warnings, *plan.warnings]
        write_down(
            self.session.journal, self.number, desired, plan, accounts=self.accounts.numbers, server=self.job.base_url
        )

    @contextmanager
    def telling_if_the_journal_breaks(self) -> Iterator[None]:
        """A disk that is full in the middle of a run: say what is known, wherever it can still be written."""
        try:
            yield
        except JournalError as error:
            told = "; ".join(self.session.journal.unsaved)
            with suppress(BulkhooksError):
                self.fill()
                self._write_results()
            raise Incomplete(f"{error}" + (f". Done, but not in the journal: {told}" if told else "")) from error

    def conclude(self) -> Report:
        """Write the results from the journal, and close the run in it."""
        journal, summary = self.session.journal, self.report.summary
        for name, error in self.accounts.missing.items():
            journal.give_up(self.number, self.accounts.numbers[name], f"not sent: {error}")
        if self.session.was_aborted:
            raise Aborted("stopped at once; the journal knows what was in flight: run the same command again")
        self.fill()
        with self.session.standing_still():
            self._write_results()
        journal.finish(self.number, summary.as_dict(), self.session.wall())
        self.report.load = loader(self.job, journal, self.number)
        return self.report

    def _write_results(self) -> None:
        report = self.report
        try:
            self.destinations.write(self.session.journal, self.number, report.summary, self.table)
            report.warnings += self.destinations.said
            if self.job.write_back:
                report.warnings += self._write_copies()
        except OutputError as error:
            report.warnings.append(
                f"{error}; the journal has the results: bulkhooks results --run {report.summary.run_id} -o PLACE"
            )
            if report.summary.status == "ok":
                report.summary.status = "failures"

    def _write_copies(self) -> list[str]:
        """--write-back: put the result sheets into copies of the input workbooks, beside the first results.

        Returns what has to be said where that cannot be done; the copies made go into the summary's outputs.
        """
        from bulkhooks.sheets.writeback.copy import write_back

        summary = self.report.summary
        workbooks = [Path(name) for name in self.job.inputs if Path(name).suffix.lower() in {".xlsx", ".xlsm"}]
        if not workbooks:
            return ["--write-back: no input is a workbook (.xlsx, .xlsm), so there is no copy"]
        said = []
        with tempfile.TemporaryDirectory(prefix="bulkhooks-") as folder:
            results = next((name for name in summary.outputs if name.endswith(".xlsx")), "")
            if not results:
                results = str(Path(folder) / "results.xlsx")
                only_here = replace(summary, outputs=[])
                with Destinations([results]) as destinations:
                    destinations.write(self.session.journal, self.number, only_here, self.table)
            for workbook in workbooks:
                beside = Path(summary.outputs[0]) if summary.outputs else workbook
                copy = beside.with_name(f"{workbook.stem}.with.results{workbook.suffix}")
                try:
                    summary.outputs.append(str(write_back(workbook, Path(results), copy)))
                except OutputError as error:
                    said.append(f"--write-back: {error}; no copy was written")
        return said

    def fill(self) -> None:
        """Complete the summary from the journal and from what went over the lines."""
        journal, traffic, lines = self.session.journal, self.session.traffic, self.accounts.lines.values()
        summary = self.report.summary
        summary.counts = history.counts(journal, self.number)
        summary.total = sum(summary.counts.values())
        summary.remaining = summary.counts.get(Status.PENDING, 0)
        summary.writes, summary.requests = traffic.writes, traffic.requests
        summary.throttled, summary.retried = traffic.throttled, traffic.retried
        summary.errors = history.errors(journal, self.number)
        summary.resume_at = iso(resume_at(lines)) if summary.remaining else None
        self.report.warnings += self.accounts.reasons
        caps = [left for line in lines if (left := line.limiter.writes_left()) is not None]
        self.report.cap_left = min(caps, default=None)
        summary.settle(refused=self.accounts.is_refused, failures=self.left)
        summary.close(self.session.wall())


def begin(
    job: Job,
    session: Session,
    accounts: Accounts,
    destinations: Destinations,
    *,
    started_at: float,
    command: str = "run",
) -> RunContext:
    """Enter a run in the journal."""
    summary = Summary.begun(job.inputs, started_at, new_run_id(started_at))
    number = session.journal.begin(
        summary.run_id,
        command=command,
        job=job.name,
        inputs=summary.inputs,
        accounts=set(accounts.numbers.values()),
        at=started_at,
    )
    return RunContext(job, session, accounts, destinations, number, Report(summary))


@contextmanager
def registered(running: RunContext) -> Iterator[RunContext]:
    """A run in the journal; gone again where it ends before anything is planned."""
    try:
        yield running
    except BaseException:
        running.session.journal.forget(running.number)
        raise


def write_down(
    journal: Journal, number: int, desired: Desired, plan: Plan, *, accounts: dict[str, int], server: str
) -> None:
    """A plan, and the input it was made from, into a journal."""
    journal.plan(
        number,
        columns=[str(column) for column in desired.table.extras.columns],
        locations=desired.locations.rows(),
        facts={"Server": server, "Accounts": ", ".join(accounts)},
        rows=input_rows(desired.table.rows, desired.table.extras),
        items=item_rows(plan.rows, plan.prune, accounts),
    )


def loader(job: Job, journal: Journal, number: int) -> Callable[[], pd.DataFrame]:
    """Something that loads the run's results when they are asked for; a sandbox's journal is gone by then."""
    if job.sandbox:
        frame = results_frame(journal, number)
        return lambda: frame
    path = journal.path

    def load() -> pd.DataFrame:
        with Journal(path) as again:
            return results_frame(again, number)

    return load


def results_frame(journal: Journal, number: int, waiting: Status = Status.PENDING) -> pd.DataFrame:
    """The results of a run: one row a webhook, ``RESULT_COLUMNS`` and then the input's own columns."""
    columns = [*RESULT_COLUMNS, *history.own_columns(journal, number)]
    return pd.DataFrame([row.cells for row in history.results(journal, number, waiting)], columns=columns, dtype=object)


def nothing_to_do(job: Job, started_at: float) -> Report:
    """The job file's globs found no file: a run of nothing."""
    summary = Summary.begun(job.inputs, started_at)
    summary.close(time.time())
    return Report(summary, warnings=["the job's input finds no file: there is nothing to do"])
