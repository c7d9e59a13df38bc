"""A sheet whose cells a person corrects: it is read once, and each correction is checked at once."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

import numpy as np

from bulkhooks.commands.check import check_of
from bulkhooks.commands.inputs import Desired, columns_of, expand_table, read_table
from bulkhooks.config.job import Job
from bulkhooks.errors import OutputError, UsageError
from bulkhooks.report import Problem, Report
from bulkhooks.sheets.reading.files import open_file
from bulkhooks.sheets.reading.headers import Headers
from bulkhooks.sheets.reading.locations import Locations
from bulkhooks.sheets.reading.source import FIELDS, Source
from bulkhooks.sheets.reading.table import Table
from bulkhooks.sheets.strings import AROUND
from bulkhooks.sheets.writeback.corrected import corrected_text, corrected_workbook, merged_cells
from bulkhooks.sheets.writeback.places import Cell, cell_of
from bulkhooks.sheets.writing.atomic_file import reason
from bulkhooks.sheets.writing.input_workbook import write_input
from bulkhooks.webhook import Status

_WORKBOOKS = frozenset({".xlsx", ".xlsm"})
_TEXTS = frozenset({".csv", ".tsv", ".txt"})


@dataclass(frozen=True, slots=True)
class CheckedCell:
    """One cell of a field: its text, what is wrong with it, and whether it can be corrected."""

    field: str
    place: str
    text: str
    problems: Sequence[Problem]
    is_open: bool


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One row: its cells in the order of ``CorrectableSheet.fields``, its other values, what is wrong with it as a
    whole, and how many webhooks it asks for by status."""

    number: int
    place: str
    cells: Sequence[CheckedCell]
    others: Sequence[object]
    problems: Sequence[Problem]
    counts: Mapping[str, int]
    is_done: bool


@dataclass(slots=True)
class CorrectableSheet:
    """The one input of a job as it is now, corrections included; ``report`` is the check of it.

    Opening raises what ``check`` raises.
    """

    job: Job
    corrections: dict[str, dict[str, str]] = field(default_factory=dict)
    """What was corrected: by row (``Hooks!7``) and field."""
    locations: Locations | None = None
    """Those that the API named, for a job with ``locations`` ``live``."""
    table: Table = field(init=False)
    report: Report = field(init=False)
    _desired: Desired = field(init=False)
    _by_row: dict[int, list[Problem]] = field(init=False)
    _merged: dict[str, list[tuple[Cell, Cell]]] = field(default_factory=dict)
    _is_own: bool = False

    def __post_init__(self) -> None:
        self.table = read_table(self.job)
        rows = {place: number for number, place in enumerate(self.table.rows["place"])} if self.corrections else {}
        for place, texts in self.corrections.items():
            for name, text in texts.items():
                if place in rows:
                    self._put(rows[place], name, text)
        self._check()

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.job.inputs[0])

    @property
    def fields(self) -> list[str]:
        """The fields that have a column, in their usual order."""
        return [name for name in FIELDS if any(name in source.columns for source in self.table.sources)]

    @property
    def others(self) -> list[str]:
        """The names of the other columns."""
        return list(map(str, self.table.extras.columns))

    def __len__(self) -> int:
        return len(self.table.rows)

    def numbers(self, which: str = "all") -> Sequence[int]:
        """The rows (positions from 0): ``all``, those that are ``wrong``, or those with a ``warning``."""
        if which == "wrong":
            return [row for row, found in self._by_row.items() if any(not problem.warning for problem in found)]
        if which == "warning":
            return [row for row, found in self._by_row.items() if any(problem.warning for problem in found)]
        return range(len(self))

    def rows(self, numbers: Sequence[int]) -> Iterator[CheckedRow]:
        """These rows as they are now."""
        webhooks = self._desired.expansion.webhooks
        starts = np.searchsorted(webhooks["row"].to_numpy(), [*numbers, *(number + 1 for number in numbers)])
        statuses = webhooks["status"].to_numpy()
        for at, number in enumerate(numbers):
            found = statuses[starts[at] : starts[at + len(numbers)]].tolist()
            yield self._row(number, {str(status): found.count(status) for status in dict.fromkeys(found)})

    def correct(self, row: int, name: str, text: str) -> list[int]:
        """Put ``text`` into a field of a row, and check everything again; returns the rows that have it now.

        In a merged cell that are all of its rows. Raises ``UsageError`` where there is no such cell, or it cannot be
        corrected here.
        """
        if not 0 <= row < len(self) or name not in self.fields:
            raise UsageError("the sheet has no such cell; load the page again")
        source = self._source(row)
        if name not in source.columns:
            raise UsageError(
                f"{self.table.rows['place'].iat[row]}: this sheet has no column {name}; add one in the file"
            )
        if self._is_done(row):
            raise UsageError(f"{self.table.rows['place'].iat[row]}: this row is done already, and is not sent again")
        text = text.strip(AROUND)
        rows = self._with_the_cell(row, name)
        for each in rows:
            self._put(each, name, text)
            self.corrections.setdefault(str(self.table.rows["place"].iat[each]), {})[name] = text
        self._check()
        return rows

    def write(self, copy: Path) -> Path:
        """Write the file with its corrections; ``copy`` says where, and gets another suffix where the format cannot be
        written (``.xls``, ``.ods``, ``.jsonl`` become ``.xlsx``).

        Raises ``OutputError``.
        """
        suffix = self.path.suffix.lower()
        if suffix in _WORKBOOKS:
            return self._write_workbook(copy)
        if suffix in _TEXTS and (text := open_file(str(self.path), self.path.name, self._score).text) is not None:
            above = Headers(columns_of(self.job)).find(text.head()) or 0  # places count from the first header
            lines: dict[int, dict[str, str]] = {}
            for source, line, texts in self._corrected():
                lines[above + line] = {source.columns[name]: value for name, value in texts.items()}
            return corrected_text(text, lines, copy)
        return self._write_anew(copy.with_suffix(".xlsx"))

    def _write_workbook(self, copy: Path) -> Path:
        sheets: dict[str, dict[str, str]] = {}
        for source, line, texts in self._corrected():
            for name, value in texts.items():
                cell = cell_of(f"{source.columns[name]}{line}")
                first, _ = self._range(source, cell)
                sheets.setdefault(source.sheet, {})[first.name] = value
        return corrected_workbook(self.path, sheets, copy)

    def _write_anew(self, copy: Path) -> Path:
        if any(source.has_results for source in self.table.sources):
            raise OutputError(f"{self.path.name}: corrections of results are kept in .xlsx and .csv only; save it so")
        fields, extras = self.table.rows[self.fields], self.table.extras
        others = extras.itertuples(index=False, name=None) if len(extras.columns) else repeat((), len(fields))
        rows = (
            [*(text or None for text in ours), *theirs]
            for ours, theirs in zip(fields.itertuples(index=False, name=None), others, strict=True)
        )
        try:
            return write_input(copy, [*self.fields, *self.others], rows)
        except OSError as error:
            raise OutputError(f"{copy} cannot be written: {reason(error)}") from error

    def _check(self) -> None:
        self._desired = expand_table(self.job, self.table, self.locations)
        self.report = check_of(self.job, self._desired, time.time())
        self._by_row = {}
        for problem in self.report.problems:
            if problem.row >= 0:
                self._by_row.setdefault(problem.row, []).append(problem)

    def _put(self, row: int, name: str, text: str) -> None:
        if not self._is_own:  # what was read may share its memory with the file, which nobody may write to
            self.table = dataclasses.replace(self.table, rows=self.table.rows.copy())
            self._is_own = True
        self.table.rows.at[row, name] = text
        place = self.table.cell(row, name)
        flaws = [flaw for flaw in self.table.flaws if flaw.place != place]
        if len(flaws) != len(self.table.flaws):
            self.table = dataclasses.replace(self.table, flaws=flaws)

    def _row(self, number: int, counts: Mapping[str, int]) -> CheckedRow:
        source, is_done = self._source(number), self._is_done(number)
        line = int(self.table.rows["line"].to_numpy()[number])
        found: dict[str, list[Problem]] = {}
        for problem in self._by_row.get(number, ()):
            found.setdefault(problem.place, []).append(problem)
        cells = []
        for name in self.fields:
            has_column = name in source.columns
            place = source.cell(line, name)
            cells.append(
                CheckedCell(
                    name,
                    place,
                    str(self.table.rows[name].iat[number]),
                    found.pop(place, ()) if has_column else (),
                    has_column and not is_done,
                )
            )
        rest = [problem for several in found.values() for problem in several]
        others = list(self.table.extras.iloc[number]) if self.others else []
        return CheckedRow(number, str(self.table.rows["place"].iat[number]), cells, others, rest, counts, is_done)

    def _source(self, row: int) -> Source:
        return self.table.sources[int(self.table.rows["source"].to_numpy()[row])]

    def _is_done(self, row: int) -> bool:
        return int(self.table.rows["known_id"].to_numpy()[row]) > 0

    def _corrected(self) -> Iterator[tuple[Source, int, Mapping[str, str]]]:
        numbers = {place: number for number, place in enumerate(self.table.rows["place"])}
        for place, texts in self.corrections.items():
            if place in numbers:
                row = numbers[place]
                yield self._source(row), int(self.table.rows["line"].to_numpy()[row]), texts

    def _with_the_cell(self, row: int, name: str) -> list[int]:
        """The rows that a cell of this row belongs to: more than one where it is merged."""
        source, line = self._source(row), int(self.table.rows["line"].to_numpy()[row])
        if not source.is_workbook or self.path.suffix.lower() not in _WORKBOOKS:
            return [row]
        first, last = self._range(source, cell_of(f"{source.columns[name]}{line}"))
        if first == last:
            return [row]
        lines, whose = self.table.rows["line"].to_numpy(), self.table.rows["source"].to_numpy()
        same = (lines >= first.row) & (lines <= last.row) & (whose == whose[row])
        return [int(number) for number in np.flatnonzero(same)]

    def _range(self, source: Source, cell: Cell) -> tuple[Cell, Cell]:
        """The merged range that a cell is in, else the cell alone."""
        if source.sheet not in self._merged:
            self._merged[source.sheet] = merged_cells(self.path, source.sheet)
        for first, last in self._merged[source.sheet]:
            if first.row <= cell.row <= last.row and first.column <= cell.column <= last.column:
                return first, last
        return cell, cell

    def _score(self, rows: Sequence[Sequence[str]]) -> int:
        return Headers(columns_of(self.job)).score(rows)


def can_be_sent(report: Report) -> int:
    """How many webhooks of a checked sheet can be sent."""
    return report.counts.get(Status.PLANNED, 0)
