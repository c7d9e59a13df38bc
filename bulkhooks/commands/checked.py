"""What ``check`` writes: its problems as a results file (``-o``), and copies of workbooks with their cells marked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd

from bulkhooks.commands.inputs import Desired
from bulkhooks.commands.outputs import Destinations, refuse_to_overwrite, results_frame
from bulkhooks.commands.scratch import plan_of_all, scratch_journal
from bulkhooks.config.job import Job
from bulkhooks.errors import OutputError
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.report import Problem, Report, Summary
from bulkhooks.sheets.reading.source import Source
from bulkhooks.sheets.writeback.checked import Mark, checked_copy
from bulkhooks.webhook import Status

_WORKBOOKS = frozenset({".xlsx", ".xlsm"})


def write_checked(job: Job, desired: Desired, report: Report) -> None:
    """Write what ``-o`` and ``--write-back`` ask for; where it is goes into the summary.

    A copy that cannot be written is a warning. Raises ``UsageError`` or ``OutputError`` where a place of ``-o`` cannot
    be written.
    """
    if job.outputs:
        refuse_to_overwrite(job.outputs, desired.table, job.inputs)
        with Destinations(job.outputs, job.inputs) as destinations:
            with _scratch(job, desired, report.summary) as (journal, number):
                destinations.write(journal, number, report.summary, desired.table, Status.PLANNED)
            report.warnings += destinations.warnings
    if job.write_back:
        for number, name in enumerate(job.inputs):
            _write_copy(number, name, desired, report)


def checked_frame(job: Job, desired: Desired, summary: Summary) -> pd.DataFrame:
    """What ``-o`` would hold: one row a webhook or invalid row, ``RESULT_COLUMNS`` and then the input's own columns."""
    with _scratch(job, desired, summary) as (journal, number):
        return results_frame(journal, number, Status.PLANNED)


def _scratch(job: Job, desired: Desired, summary: Summary) -> AbstractContextManager[tuple[Journal, int]]:
    plan = plan_of_all(desired)
    return scratch_journal(job, desired, plan, accounts=desired.accounts, facts=summary.facts, summary=summary)


def _write_copy(number: int, name: str, desired: Desired, report: Report) -> None:
    """The copy of one input, beside it."""
    workbook = Path(name)
    if workbook.suffix.lower() not in _WORKBOOKS:
        report.warnings.append(f"--write-back: {name} is no workbook (.xlsx, .xlsm), so there is no copy of it")
        return
    copy = workbook.with_name(f"{workbook.stem}.checked{workbook.suffix}")
    marks = list(_marks(number, desired, report))
    try:
        report.summary.outputs.append(str(checked_copy(workbook, marks, copy)))
    except OutputError as error:
        report.warnings.append(f"--write-back: {error}; no copy was written")


def _marks(number: int, desired: Desired, report: Report) -> Iterator[Mark]:
    """Every problem of one input, with its cell; those of the whole input have none."""
    table = desired.table
    sources = table.rows["source"].to_numpy()
    for warning in table.warnings:
        if isinstance(warning, Problem):
            yield Mark("", "", str(warning), is_warning=True)
    for problem in report.problems:
        if problem.row < 0:
            yield Mark("", "", str(problem), problem.warning)
            continue
        source = table.sources[int(sources[problem.row])]
        if source.input == number:
            yield Mark(source.sheet, _cell(problem, source), problem.sentence, problem.warning)


def _cell(problem: Problem, source: Source) -> str:
    """``C7``; '' where the place is a whole row, because the sheet has no such column."""
    cell = problem.place.removeprefix(f"{source.label}!")
    return cell if cell[:1].isalpha() and cell[-1:].isdigit() and cell.isalnum() else ""
