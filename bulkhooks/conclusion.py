"""How a run ends: what it says of itself, and its results written from the journal."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from bulkhooks.errors import OutputError
from bulkhooks.opening import Desk
from bulkhooks.provision import history
from bulkhooks.provision.journal import Journal
from bulkhooks.provision.run import resume_at
from bulkhooks.provision.session import Session
from bulkhooks.settings import Job
from bulkhooks.sheets.results import Outputs
from bulkhooks.sheets.writeback import write_back
from bulkhooks.summary import EXIT_CODES, Summary
from bulkhooks.webhook import RESULT_COLUMNS, Status


def fill(summary: Summary, session: Session, number: int, desk: Desk) -> None:
    """Complete a run's summary from the journal and from what went over its lines."""
    journal, traffic = session.journal, session.traffic
    ended_at = session.wall()
    summary.counts = history.counts(journal, number)
    summary.total = sum(summary.counts.values())
    summary.remaining = summary.counts.get(Status.PENDING, 0)
    summary.writes, summary.requests = traffic.writes, traffic.requests
    summary.throttled, summary.retried = traffic.throttled, traffic.retried
    summary.errors = history.errors(journal, number)
    moment = resume_at(desk.lines.values()) if summary.remaining else None
    summary.resume_at = history.iso(moment)
    refused = bool(desk.missing) or any(line.halted and line.halted.exit_code == 3 for line in desk.lines.values())
    settle_status(summary, refused=refused)
    close(summary, ended_at)


def settle_status(summary: Summary, *, refused: bool = False, left: frozenset[Status] = frozenset()) -> None:
    """Status and exit code from the counts; where several apply, credentials first, then what is pending.

    ``left`` are statuses that count as a failure besides those of every run.
    """
    flaws = {Status.FAILED, Status.INVALID, Status.UNKNOWN, *left}
    if refused:
        summary.status = "auth-error"
    elif summary.counts.get(Status.PENDING):
        summary.status = "incomplete"
    elif any(summary.counts.get(status) for status in flaws):
        summary.status = "failures"
    else:
        summary.status = "ok"
    summary.exit_code = EXIT_CODES[summary.status]


def close(summary: Summary, ended_at: float | None = None) -> None:
    """Say when it ended."""
    ended_at = time.time() if ended_at is None else ended_at
    started_at = history.moment(summary.started_at)
    summary.finished_at = history.iso(ended_at) or ""
    summary.seconds = round(max(0.0, ended_at - started_at), 3)


def write_results(
    outputs: Outputs, journal: Journal, number: int, summary: Summary, waiting: Status = Status.PENDING
) -> None:
    """Write the results of a run from the journal to every output; their real places go into the summary."""
    columns = [*RESULT_COLUMNS, *history.own_columns(journal, number)]
    rows = history.results(journal, number, waiting)
    written = outputs.write(columns, rows, summary, history.facts(journal, number))
    summary.outputs = [str(path) for path in written]


def write_copies(job: Job, summary: Summary) -> list[str]:
    """--write-back: put the result sheets into copies of the input workbooks, beside the first results.

    Returns what has to be said where that cannot be done; the copies made go into the summary's outputs.
    """
    workbooks = [Path(name) for name in job.inputs if Path(name).suffix.lower() in {".xlsx", ".xlsm"}]
    results = next((Path(name) for name in summary.outputs if name.endswith(".xlsx")), None)
    if not workbooks or results is None:
        return ["--write-back needs an input workbook (.xlsx, .xlsm) and results in .xlsx: no copy was written"]
    said = []
    for workbook in workbooks:
        copy = results.with_name(f"{workbook.stem}.with.results{workbook.suffix}")
        try:
            write_back(workbook, results, copy)
        except OutputError as error:
            said.append(f"--write-back: {error}; no copy was written")
        else:
            summary.outputs.append(str(copy))
    return said


def load(path: Path, run_id: str) -> pd.DataFrame:
    """The results of a run as a frame: one row a webhook, ``RESULT_COLUMNS`` and then the input's own columns."""
    with Journal(path) as journal:
        number = history.run_number(journal, run_id)
        columns = [*RESULT_COLUMNS, *history.own_columns(journal, number)]
        return pd.DataFrame(list(history.results(journal, number)), columns=columns, dtype=object)
