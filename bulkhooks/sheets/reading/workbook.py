"""Workbooks: their sheets as columns of typed values, merged cells filled."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.grid import Column, Grid, Range, column_of, letter
from bulkhooks.sheets.reading.xlsx_cells import XlsxCells, damaged

_BATCH = 8_192
"""Rows that exist as rows at a time, before they become columns."""
_MOST_SHARED = 50_000
"""Distinct texts of a column that are remembered, so that equal ones are one object in memory."""
_MOST_CELLS = 100_000_000
"""The library holds every cell of the rectangle that is in use, empty or not."""
_LAST_ROWS = (1_048_576, 65_536)
"""Of a worksheet in .xlsx and in .xls."""


class Workbook:
    """An open workbook. ``names`` are those of its worksheets, hidden ones among them; ``look`` is a second look at
    their cells."""

    def __init__(self, label: str, path: str) -> None:
        """Raises ``InputError`` where it is corrupt or protected with a password."""
        self._label = label
        with _input_errors(label):
            self._book = _opened(path)
            self.look = XlsxCells(label, path)
            self.names = [sheet.name for sheet in self._book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]

    def grids(self, names: Collection[str]) -> Iterator[Grid]:
        """The sheets of these names, in workbook order; one that has no cell at all is left out."""
        for name in self.names:
            if name in names and (grid := self._grid(name)).columns:
                yield grid

    def _grid(self, name: str) -> Grid:
        for extent in (self.look.extent, self.look.reach):  # what the sheet says of itself may be too much
            rows, columns = extent(name)
            if rows * columns <= _MOST_CELLS:
                break
        else:
            raise InputError(
                f"{self._label}: sheet {name} reaches to cell {letter(columns - 1)}{rows}, too far to be read; delete"
                " what stands far from the table, and save it again"
            )
        with _input_errors(self._label):
            sheet = self._book.get_sheet_by_name(name)
            merged = sheet.merged_cell_ranges or []
            return Grid(name, _filled(_columns(sheet), merged), is_workbook=True, merged=merged)


def _opened(path: str) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError:
        raise
    except CalamineError:
        content = Path(path).read_bytes()
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise PasswordError from None
        return CalamineWorkbook.from_filelike(io.BytesIO(content))  # by what it is, whatever its suffix says


@contextmanager
def _input_errors(label: str) -> Iterator[None]:
    """Whatever the library says about a file, as a sentence."""
    try:
        yield
    except PasswordError:
        raise InputError(f"{label}: the workbook is protected with a password; save a copy without one") from None
    except BaseException as error:
        # A panic of the library's own language is raised past Exception.
        if not isinstance(error, CalamineError) and type(error).__name__ != "PanicException":
            raise
        raise InputError(damaged(label)) from None


def _columns(sheet: CalamineSheet) -> list[list[Any]]:
    """All cells from A1 on, column by column."""
    if sheet.end is None:
        return []
    columns: list[list[Any]] = [[] for _ in range(sheet.width)]
    shared: list[dict[Any, Any]] = [{} for _ in columns]
    rows = sheet.iter_rows()
    while batch := list(islice(rows, _BATCH)):
        for column, known, values in zip(columns, shared, zip(*batch, strict=True), strict=True):
            if set(map(type, values)) == {str} and len(known) < _MOST_SHARED:
                column.extend(map(known.setdefault, values, values))
            else:
                column.extend(values)
    # The library leaves out what is empty above and to the left, or some of it.
    height, width = (position + 1 for position in sheet.end)
    above = [""] * (height - len(columns[0]))
    left: list[list[Any]] = [[""] * height for _ in range(width - len(columns))]
    return left + ([above + column for column in columns] if above else columns)


def _filled(columns: list[list[Any]], ranges: Sequence[Range]) -> list[Column]:
    """The columns with the value of each merged range in all its cells."""
    for (top, left), (bottom, right) in ranges:
        if left >= len(columns) or top >= len(columns[left]) or columns[left][top] == "":
            continue
        value, height = columns[left][top], len(columns[left])
        end = height if bottom + 1 in _LAST_ROWS else bottom + 1  # a whole column merged has no end
        if end > height:
            for column in columns:
                column.extend([""] * (end - height))
        for column in columns[left : right + 1]:
            column[top:end] = [value] * (end - top)
    return [column_of(column) for column in columns]
