"""How a run begins and how it is concluded: its entry in the journal, its summary, its results."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bulkhooks import actions
from bulkhooks.commands.context import Accounts, Context, begin_summary
from bulkhooks.commands.inputs import Desired
from bulkhooks.commands.kept import keep_earlier
from bulkhooks.commands.outputs import Destinations, loader, write_copies
from bulkhooks.config.job import Job
from bulkhooks.errors import Aborted, BulkhooksError, JournalError, UsageError
from bulkhooks.provision.item import Operation
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.parts import Part, done_by, with_done
from bulkhooks.provision.journal.rows import ItemRow, input_rows, item_rows
from bulkhooks.provision.journal.stored import items
from bulkhooks.provision.plan import Plan
from bulkhooks.provision.send import resume_at
from bulkhooks.report import Report, Summary, coded
from bulkhooks.sheets.reading.table import Table
from bulkhooks.times import iso, new_run_id
from bulkhooks.webhook import Status

_log = logging.getLogger("bulkhooks")

_AGAIN = frozenset({Operation.CREATE, Operation.LOOK_UP, Operation.MOVE})
"""What has to be done where the server does not have a webhook as it was asked for."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Incomplete(BulkhooksError):
    """The journal could take no more in the middle of a run."""

    exit_code = 4


@dataclass(slots=True)
class RunContext:
    """A run that has begun. ``number`` is the journal's of the run, ``report`` is what the command will answer.

    ``part``: the shard that it is. ``left`` are statuses that count as a failure besides those of every run.
    """

    context: Context
    accounts: Accounts
    destinations: Destinations
    number: int
    report: Report
    table: Table | None = None
    part: Part | None = None
    left: frozenset[Status] = frozenset()

    def write_down(self, desired: Desired, plan: Plan) -> None:
        """Put everything the run is going to do into the journal."""
        self.table = desired.table
        self.report.problems = desired.problems
        self.report.warnings += [*desired.table.warnings, *plan.warnings]
        journal, accounts = self.context.journal, self.accounts.numbers
        done = self._still_done(plan) if self.part else {}
        facts = self.report.summary.facts | keep_earlier(plan, desired.table.earlier, journal, accounts)
        write_down(journal, self.number, desired, plan, accounts=accounts, facts=facts, done=done)
        _log_failed(plan)

    def _still_done(self, plan: Plan) -> dict[int, ItemRow]:
        """What an earlier round of this shard has done, by ``seq``: nothing is sent for it.

        But where the server was asked, and has a webhook no more, it is made again.
        """
        done = done_by(items(self.context.journal, self.number))
        rows = plan.rows
        asked = [name for name, account in self.accounts.opened.items() if account.halted is None]
        is_gone = rows["operation"].isin(_AGAIN) & rows["account"].isin(asked)
        kept = {seq: item for seq, item in done.items() if seq not in rows.index or not is_gone[seq]}
        these = rows.index.intersection(list(kept))
        plan.rows = rows.assign()
        plan.rows.loc[these, "operation"] = Operation.NOTHING
        plan.rows.loc[these, "status"] = [kept[seq].status for seq in these]
        return kept

    @contextmanager
    def surviving_a_full_disk(self) -> Iterator[None]:
        """Where the journal takes no more in the middle of a run (a full disk): write the results, name what it lacks.

        Raises ``Incomplete`` then.
        """
        try:
            yield
        except JournalError as error:
            unsaved = "; ".join(self.context.journal.unsaved)
            with suppress(BulkhooksError):
                self.fill()
                self._write_results()
            raise Incomplete(f"{error}" + (f". Done, but not in the journal: {unsaved}" if unsaved else "")) from error

    def conclude(self) -> Report:
        """Write the results from the journal, and close the run in it. Raises ``Aborted`` after a second signal."""
        journal, summary = self.context.journal, self.report.summary
        for name, error in self.accounts.missing.items():
            journal.give_up(self.number, self.accounts.numbers[name], f"not sent: {error}")
        if self.context.session.was_aborted:
            raise Aborted("stopped at once; the journal knows what was in flight: run the same command again")
        self.fill()
        # Before the results are written: whatever happens to them, everything was sent, and the run is over.
        journal.finish(self.number, summary.as_dict(), self.context.session.wall())
        with self.context.session.standing_still():
            self._write_results()
        journal.finish(self.number, summary.as_dict(), self.context.session.wall())
        self.report.load = loader(self.context.job, journal, self.number)
        return self.report

    def _write_results(self) -> None:
        run_id = history.run_id(self.context.journal, self.number)
        report, again = self.report, f"bulkhooks results --run {run_id} -o PLACE"
        try:
            self.destinations.write(self.context.journal, self.number, report.summary, self.table)
        except Exception as error:  # noqa: BLE001  # what goes wrong here costs the file, never what was sent
            report.warnings.append(f"{_failure(error)}; the journal has the results: {again}")
            if report.summary.status == "ok":
                report.summary.status = "failures"
        report.warnings += self.destinations.warnings
        if not self.context.job.write_back:
            return
        try:
            report.warnings += write_copies(self.context.journal, self.number, report.summary, self.table)
        except Exception as error:  # noqa: BLE001  # likewise the copy
            report.warnings.append(f"--write-back: {_failure(error)}; no copy was written")

    def fill(self) -> None:
        """Complete the summary from the journal and from the counts of requests."""
        journal, traffic, opened = self.context.journal, self.context.session.traffic, self.accounts.opened.values()
        summary = self.report.summary
        summary.counts = history.counts(journal, self.number)
        summary.total = sum(summary.counts.values())
        summary.remaining = summary.counts.get(Status.PENDING, 0)
        summary.writes, summary.requests = traffic.writes, traffic.requests
        summary.throttled, summary.retried = traffic.throttled, traffic.retried
        summary.errors = history.errors(journal, self.number)
        summary.warnings = history.warnings(journal, self.number)
        summary.resume_at = iso(resume_at(opened)) if summary.remaining else None
        self.report.warnings += self.accounts.reasons
        caps = [left for account in opened if (left := account.writes_left()) is not None]
        self.report.cap_left = min(caps, default=None)
        summary.settle(refused=self.accounts.is_refused, failures=self.left)
        if self.part and journal.locks.lost and not self.accounts.is_refused:  # the rows are its successor's now
            summary.status = "incomplete"
        summary.close(self.context.session.wall())


def _failure(error: Exception) -> str:
    """Why results could not be written, as a sentence."""
    if isinstance(error, BulkhooksError):
        return str(error)
    _log.debug("results could not be written", exc_info=error)
    return f"the results could not be written, which should not have happened ({type(error).__name__}: {error})"


def begin(
    context: Context,
    accounts: Accounts,
    destinations: Destinations,
    *,
    started_at: float,
    command: str = "run",
    run_id: str = "",
    part: Part | None = None,
) -> RunContext:
    """Enter a run in the journal, under ``run_id`` or a new one, or ``part`` of it.

    ``started_at``: seconds since 1970.
    """
    job = context.job
    if job.run_id:
        _check_name(job.run_id, context.journal, is_shared=part is not None)
    summary = begin_summary(job, accounts.numbers, started_at, run_id or new_run_id(started_at))
    summary.shard = str(part.shard) if part else ""
    number = context.journal.begin(
        summary.run_id,
        command=command,
        job=job.name,
        inputs=summary.inputs,
        accounts=set(accounts.numbers.values()),
        at=started_at,
        part=part,
    )
    return RunContext(context, accounts, destinations, number, Report(summary), part=part)


def _check_name(name: str, journal: Journal, *, is_shared: bool) -> None:
    """Raise ``UsageError`` where a run cannot have that name, or another one has it."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"--run-id {name!r}: write at most 100 letters, digits and . _ -, a letter or digit first")
    if name == "last":
        raise UsageError("--run-id last: this word means the newest run, in `results --run last`; choose another")
    if not is_shared and history.has_run(journal, name):
        raise UsageError(
            f"--run-id {name}: the journal has a run of that name; choose another, or write its results again with"
            f" `bulkhooks results --run {name}`"
        )


@contextmanager
def registered(running: RunContext) -> Iterator[RunContext]:
    """A run in the journal; taken out again where it breaks off before its plan is in there, or as it was before."""
    try:
        yield running
    except BaseException:
        running.context.journal.forget(running.number, running.context.session.wall())
        raise


def write_down(
    journal: Journal,
    number: int,
    desired: Desired,
    plan: Plan,
    *,
    accounts: dict[str, int],
    facts: Mapping[str, str],
    done: Mapping[int, ItemRow] | None = None,
) -> None:
    """A plan, and the input it was made from, into a journal; ``done`` is what is done already, by ``seq``."""
    done = done or {}
    planned = item_rows(plan.rows, plan.pruned, accounts, size=desired.size, after=max(done, default=-1))
    journal.plan(
        number,
        columns=[str(column) for column in desired.table.extras.columns],
        locations=desired.locations.rows(),
        warnings=[warning for warning in coded((*desired.table.warnings, *plan.warnings)) if warning.row < 0],
        facts=facts,
        rows=input_rows(desired.table.rows, desired.table.extras),
        items=with_done(planned, done),
    )


def _log_failed(plan: Plan) -> None:
    """A record for each row that has failed before anything was sent: invalid, there already, or not to be listed."""
    if not _log.isEnabledFor(logging.INFO):
        return
    rows = plan.rows[plan.rows["status"].isin([Status.INVALID, Status.FAILED, Status.UNKNOWN])]
    for row in rows.to_dict("records"):
        problems = [problem for problem in row["problems"] if not problem.warning]
        error = "; ".join(map(str, problems)) or row["error"]
        found = {
            "account": row["account"],
            "row": row["place"],
            "business_id": int(row["business_id"]),
            "action": actions.name_of(row["action"]) if row["action"] else "",
            "status": str(row["status"]),
            "error_code": "; ".join(dict.fromkeys(problem.code for problem in problems)) or str(row["error_code"]),
            "error": error,
        }
        _log.error("%s: %s %s", row["place"], row["status"], error, extra={"is_event": True, **found})


def nothing_to_do(job: Job, started_at: float) -> Report:
    """The report where the job file's globs find no file: a run of nothing, exit code 0."""
    summary = Summary.begun(job.inputs, started_at)
    summary.close(time.time())
    return Report(summary, warnings=["the job's input finds no file: there is nothing to do"])
