"""The results workbook: Summary, Results (more of them past a million rows) and Problems, streamed in one pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from bulkhooks.report import Summary
from bulkhooks.sheets.template.lists import EVENTS, add_lists, write_events
from bulkhooks.sheets.values import ResultRow, Row, RunFacts
from bulkhooks.sheets.writing.advice import VERDICTS, headline
from bulkhooks.sheets.writing.cells import MAX_COLUMNS, MAX_ROWS, CellWriter
from bulkhooks.sheets.writing.counts import Tally
from bulkhooks.sheets.writing.locations_sheet import LOCATIONS, write_locations
from bulkhooks.sheets.writing.problems_sheet import write_problems
from bulkhooks.sheets.writing.sound import SoundWorkbook
from bulkhooks.sheets.writing.style import (
    BLUE,
    GREY,
    LINE_HEIGHT,
    colour_verdicts,
    for_print,
    heading,
    height_of,
    pack,
    width_of,
)
from bulkhooks.sheets.writing.summary_sheet import RUN_ID, SERVER, SUMMARY, write_summary
from bulkhooks.temporary import temporary_folder
from bulkhooks.webhook import RESULT_COLUMNS, Status

_OURS = frozenset(RESULT_COLUMNS) - {
    "BusinessId",
    "Location",
    "Action",
    "URL",
    "Name",
    "Description",
    "Active",
    "Account",
}
"""Columns that a person only reads; the others are theirs to correct."""
_NUMBERS = frozenset({"BusinessId", "ActionId", "WebhookId", "HttpStatus", "Attempts", "DurationMs", "ErrorCount"})
_WRAPPED = {"Description": 44, "ErrorCode": 24, "Error": 62, "Warning": 44, "LastError": 62, "Changes": 44}
"""Columns that are wrapped, with their width at most."""
_WIDEST = {"URL": 54, "Name": 44}
_WIDEST_OTHERS = 32
_MEASURED = 20_000
"""Rows by which the columns' widths are found."""
_MOST_HEIGHTS = 20_000
"""Rows that are given a height, because XlsxWriter remembers every one."""
_PAGE = 175
"""Digits side by side on a page that can still be read."""


class WorkbookWriter:
    """Results as a workbook, written into ``file``. ``rows_a_sheet`` is what one sheet holds besides its header."""

    def __init__(self, file: IO[bytes], rows_a_sheet: int = MAX_ROWS - 1) -> None:
        self._folder = ExitStack()
        options = {
            "constant_memory": True,
            "tmpdir": str(self._folder.enter_context(temporary_folder())),
            "strings_to_urls": False,
            # Most cells then need no format of their own, which is half of what writing them costs.
            "default_format_properties": {"valign": "top"},
        }
        self._book = SoundWorkbook(file, options)
        self._book.use_zip64()
        self._rows_a_sheet = rows_a_sheet
        self._sheets: list[Worksheet] = []
        self._cells: list[CellWriter] = []
        self.notes: list[str] = []

    def begin(self, columns: Sequence[str]) -> None:
        """Remember the columns, and start the first sheet."""
        self._all_columns = list(columns)
        self._columns = self._all_columns[:MAX_COLUMNS]
        self._verdict, self._name = ("Status", "Results") if "Status" in columns else ("Health", "Health")
        self._tally = Tally(columns, self._verdict)
        self._widths = [width_of(column) + 3 for column in self._columns]
        self._formats = _formats(self._book, self._columns)
        self._wrapped = [
            (number, _WRAPPED[name])
            for number, name in enumerate(self._columns[: len(RESULT_COLUMNS)])
            if name in _WRAPPED
        ]
        self._headings = [heading(self._book, colour) for colour in (BLUE, GREY)]
        self._heights = 0
        if self._verdict == "Status":
            self._summary_sheet = self._book.add_worksheet(SUMMARY)
            self._start_sheet()
        else:  # a list of what is there, before what it comes to
            self._start_sheet()
            self._summary_sheet = self._book.add_worksheet(SUMMARY)

    def write(self, rows: Sequence[ResultRow]) -> None:
        """Write some rows, into a new sheet where this one is full."""
        if self._tally.rows < _MEASURED:
            self._measure([row.cells for row in rows])
        self._tally.add(rows)
        for row, _ in rows:
            if self._next > self._rows_a_sheet:
                self._start_sheet()
            self._make_room(row)
            self._cells[-1].write(self._next, row)
            self._next += 1

    def finish(self, summary: Summary, facts: RunFacts) -> None:
        """Dress the sheets, add Summary and Problems, and pack the workbook.

        Where rows are to be corrected, the table of locations goes with them, so that names are understood again.
        """
        for sheet in self._sheets:
            last_row = self._next - 1 if sheet is self._sheets[-1] else self._rows_a_sheet
            self._dress(sheet, last_row, summary)
        self._tally.add_warnings(facts.warnings)
        problems = self._tally.problems()
        write_summary(self._book, self._summary_sheet, summary, facts.shown, self._tally)
        write_problems(self._book, self._book.add_worksheet("Problems"), problems, self._name, self._rows_a_sheet)
        has_locations = bool(facts.locations and self._tally.verdicts[str(Status.INVALID)])
        if has_locations:
            write_locations(self._book, self._book.add_worksheet(LOCATIONS), facts.locations)
        if self._verdict == "Status":
            self._offer_lists(has_locations)
        self._book.worksheets()[0].activate()
        self._describe(summary)
        pack(self._book)
        self._note_losses()

    def abandon(self) -> None:
        """Remove what XlsxWriter keeps on disk until it packs."""
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()
        self._folder.close()

    def _start_sheet(self) -> None:
        number = len(self._sheets) + 1
        sheet = self._book.add_worksheet(self._name if number == 1 else f"{self._name} {number}")
        self._sheets.append(sheet)
        for column, name in enumerate(self._columns):
            is_ours = name in _OURS or self._verdict == "Health"
            sheet.write_string(0, column, name, self._headings[is_ours])
        self._cells.append(CellWriter(self._book, sheet, self._formats))
        self._next = 1

    def _make_room(self, row: Row) -> None:
        if self._heights >= _MOST_HEIGHTS:
            return
        long = [(str(row[column]), width) for column, width in self._wrapped if row[column]]
        height = max((height_of(text, width) for text, width in long), default=LINE_HEIGHT)
        if height > LINE_HEIGHT:
            self._heights += 1
            self._sheets[-1].set_row(self._next, height)

    def _measure(self, rows: Sequence[Row]) -> None:
        for column, (values, width) in enumerate(zip(zip(*rows, strict=True), self._widths, strict=False)):
            longest = max(map(str, values), key=len)
            if len(longest) > width // 2 and longest != "None":
                self._widths[column] = max(width, width_of(longest) + 2)

    def _dress(self, sheet: Worksheet, last_row: int, summary: Summary) -> None:
        # XlsxWriter writes the columns' widths when it packs, so they may be set after the rows.
        last_column = len(self._columns) - 1
        widest = {**dict.fromkeys(self._columns, _WIDEST_OTHERS), **_WIDEST, **_WRAPPED}
        widths = [min(width, widest[name]) for name, width in zip(self._columns, self._widths, strict=True)]
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width, self._formats[column])
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, last_row, last_column)
        colour_verdicts(
            self._book, sheet, self._columns.index(self._verdict), max(last_row, 1), self._verdicts_of_kind()
        )
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        printed = self._columns.index("Warning") + 1 if "Warning" in self._columns else len(self._columns)
        sheet.print_area(0, 0, last_row, printed - 1)
        sheet.repeat_columns(0)
        sheet.print_across()
        pages = max(1, round(sum(widths[:printed]) / _PAGE))
        for_print(sheet, title=f"bulkhooks {summary.run_id}", rows_at_top=1, pages_wide=pages)

    def _offer_lists(self, has_locations: bool) -> None:
        """The template's drop-downs: rows are corrected here, in place."""
        write_events(self._book, self._book.add_worksheet(EVENTS))
        columns = {name: number for number, name in enumerate(self._columns[: len(RESULT_COLUMNS)])}
        for sheet in self._sheets:
            last_row = self._next - 1 if sheet is self._sheets[-1] else self._rows_a_sheet
            add_lists(sheet, columns, max(last_row, 1), has_locations=has_locations)

    def _verdicts_of_kind(self) -> list[str]:
        statuses = set(map(str, Status))
        return [verdict for verdict in VERDICTS if (verdict in statuses) == (self._verdict == "Status")]

    def _describe(self, summary: Summary) -> None:
        properties: dict[str, object] = {
            "title": f"bulkhooks results {summary.run_id}".strip(),
            "subject": headline(summary, self._tally.verdicts),
            "keywords": summary.run_id,
            "comments": "Correct the rows that need it in the sheet Results, and run this file again.",
        }
        if summary.finished_at:
            properties["created"] = dt.datetime.fromisoformat(summary.finished_at)
        self._book.set_properties(properties)
        self._book.set_custom_property(RUN_ID, summary.run_id)
        if summary.target:
            self._book.set_custom_property(SERVER, summary.target)

    def _note_losses(self) -> None:
        if cut := sum(cells.cut for cells in self._cells):
            self.notes.append(
                f"texts longer than a cell may be were cut, {cut:,} in all; -o with .csv or .jsonl has them whole"
            )
        if lost := len(self._all_columns) - len(self._columns):
            self.notes.append(
                f"{lost:,} columns do not fit, a sheet has {MAX_COLUMNS:,}; -o with .csv or .jsonl has them"
            )


def _formats(book: Workbook, columns: Sequence[str]) -> list[Format | None]:
    number = book.add_format({"num_format": "0", "align": "left"})
    wrapped = book.add_format({"text_wrap": True})
    kinds = dict.fromkeys(_NUMBERS, number) | dict.fromkeys(_WRAPPED, wrapped)
    # Columns further on are the user's own, whatever they are called.
    return [kinds.get(name) if number < len(RESULT_COLUMNS) else None for number, name in enumerate(columns)]
