"""Rows as a workbook that is an input: one sheet Hooks, whose cells a person may change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from bulkhooks.report import Summary
from bulkhooks.sheets.values import ResultRow, RunFacts
from bulkhooks.sheets.writing.atomic_file import Place
from bulkhooks.sheets.writing.cells import MAX_ROWS, CellWriter
from bulkhooks.sheets.writing.sound import SoundWorkbook
from bulkhooks.sheets.writing.style import for_print, heading, pack, width_of

SHEET = "Hooks"
_WIDEST = 54


class InputWriter:
    """Rows as a sheet of an input workbook, written into ``file``; a further sheet where one is full."""

    def __init__(self, file: IO[bytes]) -> None:
        self._book = SoundWorkbook(file, {"strings_to_urls": False, "default_format_properties": {"valign": "top"}})
        self._next = 1
        self._widths: list[int] = []
        self.notes: list[str] = []

    def begin(self, columns: Sequence[str]) -> None:
        """Write the header."""
        self._columns = columns
        self._heading = heading(self._book)
        self._forms = {
            "BusinessId": self._book.add_format({"num_format": "0", "align": "left"}),
            "Description": self._book.add_format({"text_wrap": True}),
        }
        self._start_sheet()

    def write(self, rows: Sequence[ResultRow]) -> None:
        """Write some rows."""
        for row, _ in rows:
            if self._next == MAX_ROWS:
                self._finish_sheet()
                self._start_sheet()
            self._cells.write(self._next, row)
            self._widths = [
                max(width, width_of(str(value)) + 2) for width, value in zip(self._widths, row, strict=True)
            ]
            self._next += 1

    def finish(self, summary: Summary, facts: RunFacts) -> None:  # noqa: ARG002 - as every format has it
        """Dress the last sheet, and pack the workbook."""
        self._finish_sheet()
        self._book.set_properties({"title": "bulkhooks: webhooks of the server", "subject": summary.where})
        pack(self._book)
        if self._cells.cut:
            self.notes.append("texts longer than a cell may be were cut; .csv and .jsonl have them whole")

    def abandon(self) -> None:
        """Nothing is held."""

    def _start_sheet(self) -> None:
        number = len(self._book.worksheets()) + 1
        self._sheet = self._book.add_worksheet(SHEET if number == 1 else f"{SHEET} {number}")
        self._cells = CellWriter(self._book, self._sheet, [self._forms.get(name) for name in self._columns])
        self._widths = [width_of(name) + 3 for name in self._columns]
        for column, name in enumerate(self._columns):
            self._sheet.write_string(0, column, name, self._heading)
        self._next = 1

    def _finish_sheet(self) -> None:
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, min(width, _WIDEST))
        self._sheet.freeze_panes(1, 0)
        self._sheet.autofilter(0, 0, max(1, self._next - 1), len(self._columns) - 1)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        for_print(self._sheet, title="bulkhooks: webhooks of the server", rows_at_top=1)


def write_input(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a whole input workbook, or nothing; returns where it is. Raises ``OSError``."""
    place = Place(path)
    try:
        writer = InputWriter(place.file)
        writer.begin(columns)
        writer.write([ResultRow([*row]) for row in rows])
        writer.finish(Summary(""), RunFacts({}))
        return place.move()
    finally:
        place.discard()
