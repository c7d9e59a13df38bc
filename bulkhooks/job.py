"""The commands as compositions of stages: read this first and you have seen the program.

::

    read -> normalize -> expand -> make_plan -> journal -> send -> journal -> results

Each stage hands a value to the next, and none reaches back. ``undo`` and ``health`` are in ``upkeep.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bulkhooks.errors import BulkhooksError, CredentialsError, Forbidden, Unauthorized, UsageError
from bulkhooks.findings import Ask, Progress, Question, Report, Watcher
from bulkhooks.settings import AccountSettings, Job
from bulkhooks.summary import EXIT_CODES
from bulkhooks.webhook import Status

if TYPE_CHECKING:
    from bulkhooks.intake import Wish
    from bulkhooks.opening import Desk
    from bulkhooks.provision.forecast import Forecast
    from bulkhooks.provision.item import Outcome
    from bulkhooks.provision.run import Plan
    from bulkhooks.provision.session import Session
    from bulkhooks.sandbox.server import Sandbox

__all__ = [
    "AccountSettings",
    "Ask",
    "Job",
    "Progress",
    "Question",
    "Report",
    "Watcher",
    "check",
    "plan",
    "run",
    "run_async",
]

T = TypeVar("T")


class Declined(BulkhooksError):
    """A person was asked, and said no."""

    exit_code = 4


def blocking(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, also where an event loop runs already (a notebook, a scheduler)."""
    import anyio
    import sniffio

    try:
        sniffio.current_async_library()
    except sniffio.AsyncLibraryNotFoundError:
        pass
    else:
        return _elsewhere(work)
    return anyio.run(work)


def _elsewhere(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    from concurrent.futures import ThreadPoolExecutor

    import anyio

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="bulkhooks") as elsewhere:
        return elsewhere.submit(anyio.run, work).result()


# run


def run(job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None) -> Report:
    """Read, check, plan, send, write results. Raises ``BulkhooksError`` where nothing could be sent at all."""
    return blocking(lambda: run_async(job, watcher=watcher, ask=ask))


async def run_async(job: Job, *, watcher: Watcher | None = None, ask: Ask | None = None) -> Report:
    """``run`` for those who have an event loop."""
    from bulkhooks.conclusion import begin, registered
    from bulkhooks.destinations import Destinations, refuse_to_overwrite
    from bulkhooks.opening import embedded, journal_path, open_accounts, terms
    from bulkhooks.provision.forecast import forecast
    from bulkhooks.provision.journal import Journal
    from bulkhooks.provision.run import send, tell_arrivals
    from bulkhooks.provision.session import Session

    started_at = time.time()
    if not job.inputs:
        return _nothing_to_do(job, started_at)
    with embedded(job) as (settled, sandbox), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            wish = await read_wish(settled, session, sandbox)
            if settled.strict and wish.is_flawed:
                return _refused(settled, wish, started_at)
            refuse_to_overwrite(settled.outputs, wish.table, settled.inputs)
            with Destinations(settled.outputs, settled.inputs) as destinations:
                desk = await open_accounts(settled, session, wish.accounts, lock=True)
                with registered(begin(settled, session, desk, destinations, started_at=started_at)) as running:
                    plan = await _compare(settled, wish, desk)
                    _refuse_too_many_deletions(settled, plan)
                    _confirm(settled, forecast(plan, desk.lines), ask)
                    tell_arrivals(desk.lines, plan)
                    running.write_down(wish, plan)
                with running.telling_if_the_journal_breaks():
                    await send(
                        desk.lines,
                        running.number,
                        plan.may_list,
                        workers=settled.concurrency,
                        retries=settled.retries,
                        settle=settled.settle,
                        canary=settled.canary,
                        ended=Tally(plan.writes, desk, watcher).ended,
                    )
                    return running.conclude()


async def read_wish(job: Job, session: Session, sandbox: Sandbox | None = None) -> Wish:
    """The input as webhooks; the API is asked for the locations where the job says so."""
    from bulkhooks.intake import expand_table, read_table
    from bulkhooks.opening import account_of
    from bulkhooks.provision.listing import locations

    table = read_table(job)
    if job.locations == "live":
        line = await session.open(account_of(job, job.account))
        try:
            wish = expand_table(job, table, await locations(line))
        except (Unauthorized, Forbidden) as error:
            raise CredentialsError(f"--locations live: the locations may not be listed ({error})") from error
    else:
        wish = expand_table(job, table)
    if sandbox is not None:
        sandbox.know(wish.expansion.webhooks["business_id"].unique().tolist())
    return wish


async def _compare(job: Job, wish: Wish, desk: Desk) -> Plan:
    from bulkhooks.provision.run import make_plan

    return await make_plan(
        desk.lines, wish.rows, if_exists=job.if_exists, resend_unknown=job.resend_unknown, prune=job.prune
    )


def _nothing_to_do(job: Job, started_at: float) -> Report:
    """The job file's globs found no file: a run of nothing."""
    from bulkhooks.conclusion import close, opened, settle_status

    summary = opened(job, "", started_at)
    settle_status(summary)
    close(summary)
    return Report(summary, warnings=["the job's input finds no file: there is nothing to do"])


def _refused(job: Job, wish: Wish, started_at: float) -> Report:
    """--strict, and a row is invalid: nothing is sent."""
    report = found_in(job, wish, started_at)
    report.summary.status, report.summary.exit_code = "input-error", EXIT_CODES["input-error"]
    report.warnings.append("--strict: a row is invalid, so nothing was sent")
    return report


def _refuse_too_many_deletions(job: Job, plan: Plan) -> None:
    if plan.deletions > job.max_deletes:
        raise UsageError(
            f"--prune would delete {plan.deletions} webhooks, more than --max-deletes {job.max_deletes}: nothing was"
            " sent; look at `bulkhooks plan --prune` first"
        )


def _confirm(job: Job, forecast: Forecast, ask: Ask | None) -> None:
    if ask is None or job.yes or forecast.writes <= job.confirm_above:
        return
    changes = ", ".join(f"{count} to {verdict}" for verdict, count in forecast.changes.items())
    if not ask(Question(f"{changes}. Send them?", forecast)):
        raise Declined("nothing was sent")


class Tally:
    """Counts what has ended, for whoever watches."""

    def __init__(self, total: int, desk: Desk, watcher: Watcher | None) -> None:
        self._lines = desk.lines.values()
        self._watcher = watcher
        self._total = total
        self._done = self._created = self._failed = 0
        self._tell()

    def ended(self, outcome: Outcome) -> None:
        """Count one more."""
        self._done += 1
        self._created += outcome.status == "created"
        self._failed += outcome.status in {"failed", "unknown"}
        self._tell()

    def _tell(self) -> None:
        if self._watcher is None:
            return
        left = (self._total - self._done) // max(1, len(self._lines))
        seconds = max((line.limiter.seconds_for(writes=left) for line in self._lines), default=0.0)
        self._watcher.moved(Progress(self._total, self._done, self._created, self._failed, seconds))


# check and plan


def check(job: Job) -> Report:
    """Read and check; with ``live`` also what the API says of the credentials and the locations, with ``probe`` whether
    the endpoints answer. Sends no write. Raises ``BulkhooksError`` where the input cannot be used at all."""
    return blocking(lambda: _check(job))


async def _check(job: Job) -> Report:
    from bulkhooks.intake import expand_table, read_table

    started_at = time.time()
    if not job.inputs:
        return _nothing_to_do(job, started_at)
    if job.live or job.locations == "live":
        from bulkhooks.live import check_live

        return await check_live(job)
    wish = expand_table(job, read_table(job))
    report = found_in(job, wish, started_at)
    if job.probe:
        report.warnings += await probed(wish)
    return report


async def probed(wish: Wish) -> list[str]:
    """What the endpoints of a wish answer where it is not what a webhook needs, each with the number of its rows."""
    from bulkhooks.nexudus.endpoints import probe

    webhooks = wish.expansion.webhooks
    rows = webhooks.loc[webhooks["status"] != Status.INVALID, "url"].value_counts(sort=False)
    return [
        f"{finding} ({rows[url]} row{'s' if rows[url] != 1 else ''})"
        for url, finding in (await probe([str(url) for url in rows.index])).items()
    ]


def found_in(job: Job, wish: Wish, started_at: float) -> Report:
    """What a check says of a wish."""
    from bulkhooks.conclusion import close, opened, settle_status
    from bulkhooks.summary import ErrorCount

    summary = opened(job, "", started_at)
    counts = wish.expansion.webhooks["status"].value_counts()
    summary.counts = {str(status): int(count) for status, count in counts.items()}
    summary.total = int(counts.sum())
    flaws = [problem for problem in wish.expansion.problems if not problem.warning]
    codes = dict.fromkeys(problem.code for problem in flaws)
    summary.errors = [
        ErrorCount(code, sum(problem.code == code for problem in flaws), str(next(p for p in flaws if p.code == code)))
        for code in codes
    ]
    settle_status(summary)
    close(summary)
    return Report(summary, wish.expansion.problems, list(wish.table.warnings))


def plan(job: Job) -> Report:
    """What ``run`` would do now. Reads, writes nothing but the sheet asked for. Raises as ``run`` does."""
    return blocking(lambda: _plan(job))


async def _plan(job: Job) -> Report:
    from bulkhooks.conclusion import close, opened, results_frame, settle_status, write_down
    from bulkhooks.destinations import Destinations
    from bulkhooks.opening import embedded, journal_path, open_accounts, terms
    from bulkhooks.provision import history
    from bulkhooks.provision.forecast import forecast
    from bulkhooks.provision.journal import Journal
    from bulkhooks.provision.preview import preview
    from bulkhooks.provision.session import Session

    started_at = time.time()
    if not job.inputs:
        return _nothing_to_do(job, started_at)
    with embedded(job) as (settled, sandbox), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            wish = await read_wish(settled, session, sandbox)
            with Destinations(settled.outputs, settled.inputs) as destinations, Journal(Path(":memory:")) as scratch:
                desk = await open_accounts(settled, session, wish.accounts, lock=False)
                plan = await _compare(settled, wish, desk)
                await preview(plan, desk.lines)
                found = forecast(plan, desk.lines)
                summary = opened(settled, "", started_at)
                # The sheet of a plan is written as a run's is: from a journal, here one that nobody keeps.
                numbers = {name: scratch.account(name, name) for name in desk.numbers}
                number = scratch.begin(
                    "plan", command="plan", job=job.name, inputs=job.inputs, accounts=numbers.values(), at=started_at
                )
                write_down(scratch, number, wish, plan, accounts=numbers, server=settled.base_url)
                summary.counts = history.counts(scratch, number, Status.PLANNED)
                summary.total = sum(summary.counts.values())
                summary.requests = session.traffic.requests
                destinations.write(scratch, number, summary, wish.table, Status.PLANNED)
                warnings = [*wish.table.warnings, *plan.warnings, *desk.reasons, *destinations.said]
                settle_status(summary, refused=desk.is_refused)
                if any(line.halted for line in desk.lines.values()) and not desk.is_refused:
                    summary.status, summary.exit_code = "incomplete", EXIT_CODES["incomplete"]
                elif settled.expect_no_changes and plan.writes and summary.status == "ok":
                    summary.status, summary.exit_code = "failures", EXIT_CODES["failures"]
                if plan.deletions > settled.max_deletes:
                    warnings.append(
                        f"--prune would delete more than --max-deletes {settled.max_deletes}: run would stop"
                    )
                close(summary)
                frame = results_frame(scratch, number, Status.PLANNED)
                return Report(summary, wish.expansion.problems, warnings, found, load=lambda: frame)
