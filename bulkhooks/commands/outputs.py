"""Where the results go: files together or with ``{input}`` one for each input, copies of workbooks, a frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import pandas as pd

from bulkhooks.config.job import Job
from bulkhooks.errors import OutputError, UsageError
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.report import Summary
from bulkhooks.sheets.reading.table import Table
from bulkhooks.sheets.values import ResultRow, RunFacts
from bulkhooks.sheets.writeback.copy import write_back
from bulkhooks.sheets.writing.outputs import RESULT_WRITERS, Outputs, Writers
from bulkhooks.temporary import temporary_folder
from bulkhooks.webhook import RESULT_COLUMNS, Status

_EACH = "{input}"


class Destinations:
    """Places that are open for writing, from before the first request until the results are in them.

    Use as a context. Raises ``OutputError`` or ``UsageError`` on entering, while nothing has been sent.
    """

    def __init__(
        self, outputs: Sequence[str], inputs: Sequence[str] = (), *, writers: Writers = RESULT_WRITERS
    ) -> None:
        self._stack = ExitStack()
        together = [Path(output) for output in outputs if _EACH not in output]
        apart = [output for output in outputs if _EACH in output]
        self._places: list[tuple[int | None, Outputs]] = [(None, Outputs(together, writers))] if together else []
        if apart:
            self._places += [
                (number, Outputs([Path(output.replace(_EACH, word)) for output in apart], writers))
                for number, word in enumerate(words_for(inputs))
            ]
        self.warnings: list[str] = []
        """Warnings of the places, once they are written."""

    def __enter__(self) -> Destinations:
        with ExitStack() as stack:
            for _, outputs in self._places:
                stack.enter_context(outputs)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(
        self,
        journal: Journal,
        run: int,
        summary: Summary,
        table: Table | None = None,
        waiting: Status = Status.PENDING,
    ) -> None:
        """Write a run's results from the journal to every place; where they came to stand goes into the summary."""
        columns = [*RESULT_COLUMNS, *history.own_columns(journal, run)]
        facts = history.run_facts(journal, run)
        for number, outputs in self._places:
            kept = None if number is None or table is None else table.rows_of(number)
            rows = history.results(journal, run, waiting, kept)
            self._wrote(outputs, outputs.write(columns, rows, summary, facts), summary)

    def write_rows(
        self, columns: Sequence[str], rows: Sequence[ResultRow], summary: Summary, facts: Mapping[str, str]
    ) -> None:
        """Write rows that are no run's results (``health``, ``export``)."""
        for _, outputs in self._places:
            self._wrote(outputs, outputs.write(columns, rows, summary, RunFacts(facts)), summary)

    def _wrote(self, outputs: Outputs, places: Sequence[Path], summary: Summary) -> None:
        summary.outputs += map(str, places)
        self.warnings += outputs.warnings


def write_copies(journal: Journal, run: int, summary: Summary, table: Table | None) -> list[str]:
    """--write-back: put the result sheets into copies of the input workbooks, beside the first results.

    Returns a sentence for each that could not be written; the copies made go into ``summary.outputs``.
    """
    workbooks = [Path(name) for name in summary.inputs if Path(name).suffix.lower() in {".xlsx", ".xlsm"}]
    if not workbooks:
        return ["--write-back: no input is a workbook (.xlsx, .xlsm), so there is no copy"]
    warnings = []
    with temporary_folder() as folder:
        results = next((name for name in summary.outputs if name.endswith(".xlsx")), "")
        if not results:
            results = str(folder / "results.xlsx")
            with Destinations([results]) as destinations:
                destinations.write(journal, run, replace(summary, outputs=[]), table)
        for workbook in workbooks:
            beside = Path(summary.outputs[0]) if summary.outputs else workbook
            copy = beside.with_name(f"{workbook.stem}.with.results{workbook.suffix}")
            try:
                summary.outputs.append(str(write_back(workbook, Path(results), copy)))
            except OutputError as error:
                warnings.append(f"--write-back: {error}; no copy was written")
    return warnings


def results_frame(journal: Journal, number: int, waiting: Status = Status.PENDING) -> pd.DataFrame:
    """The results of a run: one row a webhook, ``RESULT_COLUMNS`` and then the input's own columns.

    ``number`` is the journal's of the run; ``waiting`` the Status of rows that still have something to send.
    """
    columns = [*RESULT_COLUMNS, *history.own_columns(journal, number)]
    return pd.DataFrame([row.cells for row in history.results(journal, number, waiting)], columns=columns, dtype=object)


def loader(job: Job, journal: Journal, number: int) -> Callable[[], pd.DataFrame]:
    """Loads the run's results when they are asked for; with ``--sandbox`` at once, as its journal goes with it."""
    if job.sandbox and job.rehearsal is None:
        frame = results_frame(journal, number)
        return lambda: frame
    place = journal.opened

    def load() -> pd.DataFrame:
        with Journal(place) as again:
            return results_frame(again, number)

    return load


def words_for(inputs: Sequence[str]) -> list[str]:
    """What ``{input}`` is for each input: its stem, or where several have that stem, as much as tells them apart."""
    stems = [Path(name).stem if name != "-" else "stdin" for name in inputs]
    alike, so_far = Counter(stems), Counter[str]()
    words = []
    for name, stem in zip(inputs, stems, strict=True):
        word = stem if alike[stem] == 1 else Path(name).name
        so_far[word] += 1
        words.append(word if so_far[word] == 1 else f"{word}-{so_far[word]}")
    return words


def places(outputs: Sequence[str], inputs: Sequence[str]) -> list[str]:
    """Where the results go, ``{input}`` filled in for each input."""
    words = words_for(inputs)
    return [
        output.replace(_EACH, word) for output in outputs for word in (words if _EACH in output else words[:1] or [""])
    ]


def refuse_to_overwrite(outputs: Sequence[str], table: Table, inputs: Sequence[str]) -> None:
    """Raise ``UsageError`` where results would replace an input that is no results file, but somebody's own sheet."""
    words = words_for(inputs)
    for number, name in enumerate(inputs):
        sources = [source for source in table.sources if source.input == number]
        if name == "-" or (sources and all(source.has_results for source in sources)):
            continue
        for output in outputs:
            if _same_file(Path(output.replace(_EACH, words[number])), Path(name)):
                raise UsageError(f"{output}: this is the input itself; name another place for the results with -o")


def _same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:
        return False
