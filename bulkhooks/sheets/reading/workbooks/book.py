"""Workbooks as their library reads them: sheets, and the values of their columns with merged cells filled.

Runs in the process of bulkhooks/sheets/reading/workbooks/child.py, without the libraries that the program itself
calculates with.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.workbooks.ask import Ask
from bulkhooks.sheets.reading.workbooks.package import check_package
from bulkhooks.sheets.reading.workbooks.xlsx_cells import Cell, Flaw, Look, XlsxCells, damaged

Range: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last cell of a rectangle, each as row and column from 0."""

MOST_CHARACTERS = 1_000_000
"""Of a cell. Spreadsheets hold 32,767 or 50,000."""

_BATCH = 8_192
"""Rows that exist as rows at a time, before they become columns."""
_MOST_SHARED = 50_000
"""Distinct texts of a column that are remembered, so that equal ones are one object in memory."""
_LAST_ROWS = (1_048_576, 65_536)
"""Of a worksheet in .xlsx and in .xls."""


@dataclass(frozen=True, slots=True)
class SheetName:
    """A worksheet of a workbook, and whether it is hidden (or very hidden)."""

    name: str
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class SheetCells:
    """What there is to say about the cells of a sheet, by row and column from 0; their values go separately.

    ``flaws``: cells that hold an error or a formula without its value. ``links``: addresses that cells link to (``""``
    where a formula works it out). ``hidden_rows``: rows that are hidden or filtered away.
    """

    flaws: Mapping[Cell, Flaw]
    links: Mapping[Cell, str]
    hidden_rows: frozenset[int]


def answer(label: str, path: str, what: Ask, sheet: str) -> Iterator[Any]:
    """How many parts an answer has, and then these. Raises ``InputError`` before the first of them."""
    if what is Ask.REACH:
        with _input_errors(label):
            reach = XlsxCells(label, path).reach(sheet)
        yield 1
        yield reach
        return
    book = _opened(label, path)
    if what is Ask.SHEETS:
        yield 1
        yield book.sheets()
        return
    cells, columns = book.cells(sheet)
    yield 1 + len(columns)
    yield cells
    yield from columns


class _Book:
    """An open workbook."""

    last: tuple[tuple[object, ...], _Book] | None = None
    """The one that was opened last, by its label and what tells its file from others."""

    def __init__(self, label: str, path: str) -> None:
        self._label = label
        with _input_errors(label):
            check_package(label, path)
            self._book = _calamine(path)
            self._look = XlsxCells(label, path)

    def sheets(self) -> list[SheetName]:
        with _input_errors(self._label):
            return [
                SheetName(sheet.name, sheet.visible != SheetVisibleEnum.Visible)
                for sheet in self._book.sheets_metadata
                if sheet.typ == SheetTypeEnum.WorkSheet
            ]

    def cells(self, name: str) -> tuple[SheetCells, list[list[Any]]]:
        with _input_errors(self._label):
            sheet = self._book.get_sheet_by_name(name)
            merged = sheet.merged_cell_ranges or []
            columns = _columns(sheet)
            _check_lengths(self._label, name, columns)
            height = len(columns[0]) if columns else 0
            has_blanks = self._look.extent(name)[0] > height or any("" in column for column in columns)
            look = self._look.at(name, with_flaws=has_blanks)
            _fill(columns, merged)
            height = len(columns[0]) if columns else 0
            return SheetCells(_spread(look, merged, height), look.links, frozenset(look.hidden_rows)), columns


def _opened(label: str, path: str) -> _Book:
    found = Path(path).stat()
    file = (label, path, found.st_ino, found.st_mtime_ns, found.st_size)
    if _Book.last is None or _Book.last[0] != file:
        _Book.last = None  # before the next takes its memory
        _Book.last = file, _Book(label, path)
    return _Book.last[1]


def _calamine(path: str) -> CalamineWorkbook:
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


def _check_lengths(label: str, name: str, columns: Sequence[Sequence[Any]]) -> None:
    for column in columns:
        longest = max((value for value in column if type(value) is str), key=len, default="")
        if len(longest) > MOST_CHARACTERS:
            raise InputError(
                f"{label}: a cell of sheet {name} holds {len(longest):,} characters, which is no cell of a table (the"
                f" most is {MOST_CHARACTERS:,}); remove it, and save the workbook again"
            )


def _fill(columns: list[list[Any]], ranges: Sequence[Range]) -> None:
    """Put the value of each merged range into all its cells."""
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


def _spread(look: Look, merged: Sequence[Range], height: int) -> Mapping[Cell, Flaw]:
    """The flaws of a sheet; a merged cell counts as if each held it."""
    flaws = dict(look.flaws)
    for (top, left), (bottom, right) in merged if flaws else ():
        if flaw := flaws.get((top, left)):
            rows = range(top, max(top, min(bottom, height - 1)) + 1)
            flaws |= {(row, at): flaw for row in rows for at in range(left, right + 1)}
    return flaws
