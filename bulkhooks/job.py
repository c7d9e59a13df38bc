"""The commands as compositions of stages: read this first and you have seen the program.

::

    read -> normalize -> expand -> make_plan -> journal -> send -> journal -> results

Each stage hands a value to the next, and none reaches back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bulkhooks.errors import Aborted, BulkhooksError, JournalError, UsageError
from bulkhooks.settings import AccountSettings, Job
from bulkhooks.summary import EXIT_CODES, Summary

if TYPE_CHECKING:
    import pandas as pd

    from bulkhooks.intake import Wish
    from bulkhooks.opening import Desk
    from bulkhooks.provision.item import Item, Outcome
    from bulkhooks.provision.journal import Journal
    from bulkhooks.provision.run import Plan
    from bulkhooks.provision.session import Session
    from bulkhooks.sheets.problems import Problem
    from bulkhooks.sheets.results import Outputs

__all__ = ["AccountSettings", "Ask", "Job", "PlanReport", "Progress", "Report", "Watcher", "check", "plan", "run"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run stands. ``seconds_left`` is the time at the limits."""

    total: int
    done: int
    created: int
    failed: int
    seconds_left: float


class Watcher(Protocol):
    """Whoever wants to see a run move (a bar, a log line)."""

    def moved(self, progress: Progress) -> None: ...

    def said(self, sentence: str) -> None: ...


Ask = Callable[[str], bool]
"""Puts a question to a person; True goes on."""


@dataclass(slots=True)
class Report:
    """What a command found or did.

    ``summary`` is section 7's; ``problems`` those of the input (warnings among them); ``warnings`` sentences for stderr.
    """

    summary: Summary
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    load: Callable[[], pd.DataFrame] | None = field(default=None, repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by status."""
        return self.summary.counts

    @property
    def exit_code(self) -> int:
        """Section 7's exit code."""
        return self.summary.exit_code

    @property
    def results(self) -> pd.DataFrame:
        """One row a webhook, the columns of section 6 and then the input's own."""
        import pandas as pd

        return self.load() if self.load else pd.DataFrame()


class Declined(BulkhooksError):
    """A person was asked, and said no."""

    exit_code = 4


def blocking(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, also where an event loop runs already (a notebook, a scheduler)."""
    import threading

    import anyio
    import sniffio

    try:
        sniffio.current_async_library()
    except sniffio.AsyncLibraryNotFoundError:
        return anyio.run(work)
    outcome: list[T | BaseException] = []

    def elsewhere() -> None:
        try:
            outcome.append(anyio.run(work))
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=elsewhere, name="bulkhooks")
    thread.start()
    thread.join()
    (ended,) = outcome
    if isinstance(ended, BaseException):
        raise ended
    return ended


class Incomplete(BulkhooksError):
    """The journal could take no more in the middle of a run."""

    exit_code = 4


# run


def run(
    job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None, confirm_above: int | None = None
) -> Report:
    """Read, check, plan, send, write results. Raises ``BulkhooksError`` where nothing could be sent at all."""
    return blocking(lambda: run_async(job, watcher=watcher, ask=ask, confirm_above=confirm_above))


async def run_async(
    job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None, confirm_above: int | None = None
) -> Report:
    """``run`` for those who have an event loop."""
    from bulkhooks.opening import embedded, journal_path, open_accounts, terms
    from bulkhooks.provision.journal import Journal
    from bulkhooks.provision.run import make_plan, send
    from bulkhooks.provision.session import Session
    from bulkhooks.sheets.results import Outputs

    started_at = time.time()
    with embedded(job) as (settled, sandbox), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            wish = await _read(settled, session)
            if settled.strict and wish.is_flawed:
                return _refused(settled, wish, started_at)
            rows = wish.rows
            if sandbox is not None:
                sandbox.know(rows["business_id"].unique().tolist())
            with Outputs([Path(path) for path in settled.output]) as outputs:
                desk = await open_accounts(settled, session, sorted(rows["account"].unique()), lock=True)
                with _registered(settled, journal, desk, started_at) as (number, summary):
                    plan = await make_plan(
                        desk.lines,
                        rows,
                        if_exists=settled.if_exists,
                        resend_unknown=settled.resend_unknown,
                        prune=settled.prune,
                    )
                    _confirm(settled, plan, ask, confirm_above)
                    _write_down(settled, journal, number, wish, plan, desk)
                report = Report(summary, wish.expansion.problems, [*wish.table.warnings, *plan.warnings])
                with _told_if_the_journal_breaks(report, session, outputs, number, desk):
                    await send(
                        desk.lines,
                        number,
                        plan.may_list,
                        workers=settled.concurrency,
                        retries=settled.retries,
                        settle=settled.settle,
                        canary=settled.canary,
                        ended=_Tally(plan, desk, watcher).ended,
                    )
                    _conclude(settled, report, session, outputs, number, desk)
                return report


async def _read(job: Job, session: Session) -> Wish:
    from bulkhooks.intake import expand_table, read_table
    from bulkhooks.opening import account_of
    from bulkhooks.provision.listing import locations

    table = read_table(job)
    if job.locations != "live":
        return expand_table(job, table)
    line = await session.open(account_of(job, job.account))
    return expand_table(job, table, await locations(line))


def _refused(job: Job, wish: Wish, started_at: float) -> Report:
    """--strict, and a row is invalid: nothing is sent."""
    from bulkhooks.conclusion import close

    summary = _summary(job, "", started_at)
    _count(summary, wish)
    summary.status, summary.exit_code = "input-error", EXIT_CODES["input-error"]
    close(summary)
    return Report(
        summary, wish.expansion.problems, [*wish.table.warnings, "--strict: a row is invalid, so nothing was sent"]
    )


def _confirm(job: Job, plan: Plan, ask: Ask | None, confirm_above: int | None) -> None:
    if plan.deletions > job.max_deletes:
        raise UsageError(
            f"--prune would delete {plan.deletions} webhooks, more than --max-deletes {job.max_deletes}: nothing was"
            " sent; look at `bulkhooks plan --prune` first"
        )
    if ask is None or confirm_above is None or plan.writes <= confirm_above:
        return
    changes = ", ".join(f"{count} to {verdict}" for verdict, count in plan.changes().items())
    if not ask(f"{changes}. Send them?"):
        raise Declined("nothing was sent")


class _Tally:
    """Counts what has ended, for whoever watches."""

    def __init__(self, plan: Plan, desk: Desk, watcher: Watcher | None) -> None:
        self._lines = desk.lines.values()
        self._watcher = watcher
        self._total = plan.writes
        self._done = self._created = self._failed = 0

    def ended(self, item: Item, outcome: Outcome) -> None:
        if self._watcher is None:
            return
        self._done += 1
        self._created += outcome.status == "created"
        self._failed += outcome.status in {"failed", "unknown"}
        left = (self._total - self._done) // max(1, len(self._lines))
        seconds = max((line.limiter.seconds_for(writes=left) for line in self._lines), default=0.0)
        self._watcher.moved(Progress(self._total, self._done, self._created, self._failed, seconds))


@contextmanager
def _registered(job: Job, journal: Journal, desk: Desk, started_at: float) -> Iterator[tuple[int, Summary]]:
    """The run in the journal; gone again where it ends before anything is planned."""
    from bulkhooks.provision.run import new_run_id

    summary = _summary(job, new_run_id(started_at), started_at)
    number = journal.begin(
        summary.run_id,
        command="run",
        job=job.name,
        inputs=summary.inputs,
        accounts=set(desk.numbers.values()),
        at=started_at,
    )
    try:
        yield number, summary
    except BaseException:
        journal.forget(number)
        raise


def _write_down(job: Job, journal: Journal, number: int, wish: Wish, plan: Plan, desk: Desk) -> None:
    from bulkhooks.provision.run import input_rows, item_rows

    journal.plan(
        number,
        columns=[str(column) for column in wish.table.extras.columns],
        facts={"Server": job.base_url, "Accounts": ", ".join(desk.numbers)},
        rows=input_rows(wish.table.rows, wish.table.extras),
        items=item_rows(plan, desk.numbers),
    )


@contextmanager
def _told_if_the_journal_breaks(
    report: Report, session: Session, outputs: Outputs, number: int, desk: Desk
) -> Iterator[None]:
    """A disk that is full in the middle of a run: say what is known, as far as it can be written anywhere."""
    from bulkhooks import conclusion

    try:
        yield
    except JournalError as error:
        told = "; ".join(session.journal.unsaved)
        with suppress(BulkhooksError):
            conclusion.fill(report.summary, session, number, desk)
            conclusion.write_results(outputs, session.journal, number, report.summary)
        raise Incomplete(f"{error}." + (f" Done, but not in the journal: {told}" if told else "")) from error


def _conclude(job: Job, report: Report, session: Session, outputs: Outputs, number: int, desk: Desk) -> None:
    from bulkhooks import conclusion

    journal, summary = session.journal, report.summary
    for name, error in desk.missing.items():
        journal.give_up(number, desk.numbers[name], f"not sent: {error}")
        report.warnings.append(f"account {name!r}: {error}")
    if session.was_aborted:
        raise Aborted("stopped at once; the journal knows what was in flight: run the same command again")
    conclusion.fill(summary, session, number, desk)
    conclusion.write_results(outputs, journal, number, summary)
    if job.write_back:
        report.warnings += conclusion.write_copies(job, summary)
    journal.finish(number, summary.as_dict(), session.wall())
    path = journal.path
    report.load = lambda: conclusion.load(path, summary.run_id)


def _summary(job: Job, run_id: str, started_at: float) -> Summary:
    from bulkhooks.provision.history import iso

    return Summary(run_id, started_at=iso(started_at) or "", inputs=list(map(str, job.inputs)))


def _count(summary: Summary, wish: Wish) -> None:
    counts = wish.expansion.webhooks["status"].value_counts()
    summary.counts = {str(status): int(count) for status, count in counts.items()}
    summary.total = int(counts.sum())
