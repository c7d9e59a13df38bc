"""check --write-back: a copy of the workbook with the wrong cells coloured, their sentences as comments, and a list.

Everything else stays: a coloured cell keeps its format but for the fill.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from bulkhooks.sheets.writeback.copy import save
from bulkhooks.sheets.writeback.earlier import earlier_sheets
from bulkhooks.sheets.writeback.joined import Book, join
from bulkhooks.sheets.writeback.marked_cells import MarkedCells
from bulkhooks.sheets.writeback.marked_list import write_list
from bulkhooks.sheets.writeback.notes import add_notes
from bulkhooks.sheets.writeback.package import Package
from bulkhooks.sheets.writeback.places import Cell, cell_of, corners
from bulkhooks.sheets.writeback.sentences import one_sentence
from bulkhooks.sheets.writeback.sheet_stream import outline, rewrite
from bulkhooks.sheets.writeback.styles import Styles
from bulkhooks.sheets.writeback.tree import RELATIONSHIPS, child, main
from bulkhooks.temporary import temporary_folder

PROBLEM_FILL, WARNING_FILL = "F9C6B4", "FFF4C2"
"""Light enough for dark text; in grey they differ too."""
MOST_COMMENTS = 5_000
"""Comments of a copy; viewers grow slow with more. Further cells are coloured and listed."""


class Mark(NamedTuple):
    """One sentence about one cell: ``cell`` is ``C7``, or empty where the sentence is about no single cell."""

    sheet: str
    cell: str
    sentence: str
    is_warning: bool = False


def checked_copy(workbook: Path, marks: Sequence[Mark], copy: Path) -> Path:
    """Write ``copy``: the workbook (.xlsx, .xlsm) with the cells of ``marks`` coloured and commented on.

    Returns where it is. A sheet Problems behind theirs lists all marks in the order given, each with a link to its
    cell. Marks about no cell, or about a sheet that the workbook does not have, are listed only. Raises
    ``OutputError`` and no other error, and writes nothing, where something in the workbook could not be kept or the
    copy cannot be written.
    """
    with (
        one_sentence(workbook, copy),
        temporary_folder() as folder,
        Package(workbook) as theirs,
    ):
        book = Book(theirs)
        names = book.names()
        earlier = {name: kind for name, kind in earlier_sheets(workbook, names).items() if kind == "Problems"}
        problems = folder / "problems.xlsx"
        write_list(problems, marks, names, MOST_COMMENTS)
        with Package(problems, sys.maxsize) as ours:
            last, styles = join(book, Book(ours), earlier, ())
            room = MOST_COMMENTS
            for name, found in _by_cell(marks, names).items():
                if name not in earlier and theirs.has(book.parts[name]):
                    room -= _mark(book, name, found, styles, room)
            return save(theirs, copy, last)


class _Found(NamedTuple):
    """What is to be shown on one cell."""

    sentences: list[str]
    is_warning: bool


def _by_cell(marks: Iterable[Mark], names: Iterable[str]) -> dict[str, dict[Cell, _Found]]:
    spelled = {name.lower(): name for name in names}
    found: dict[str, dict[Cell, _Found]] = {}
    for mark in marks:
        name = spelled.get(mark.sheet.lower())
        if name is not None and mark.cell:
            _add(found.setdefault(name, {}), cell_of(mark.cell), _Found([mark.sentence], mark.is_warning))
    return found


def _add(cells: dict[Cell, _Found], cell: Cell, more: _Found) -> None:
    known = cells.get(cell, _Found([], True))
    sentences = known.sentences + [sentence for sentence in more.sentences if sentence not in known.sentences]
    cells[cell] = _Found(sentences, known.is_warning and more.is_warning)


def _mark(book: Book, name: str, found: Mapping[Cell, _Found], styles: Styles, room: int) -> int:
    """Colour the cells of one sheet and comment on as many as there is room for; returns how many that are."""
    package, part = book.package, book.parts[name]
    with package.open(part) as source:
        sheet = outline(source)
    cells: dict[Cell, _Found] = {}
    merged = [corners(range_.get("ref", "")) for range_ in sheet.iter(main("mergeCell"))]
    for cell, what in found.items():
        _add(cells, _shown_at(cell, merged), what)
    notes = {cell: "\n".join(what.sentences) for cell, what in sorted(cells.items())[:room]}
    legacy = child(sheet, "legacyDrawing")
    drawing = None if legacy is None else legacy.get(f"{{{RELATIONSHIPS}}}id")
    new_drawing = add_notes(package, part, drawing, notes, book.names().index(name) + 1) if notes else None
    fills = {True: styles.fill(WARNING_FILL), False: styles.fill(PROBLEM_FILL)}
    coloured = {cell: fills[what.is_warning] for cell, what in cells.items()}
    package.replace(part, _writer(package, part, lambda: MarkedCells(coloured, styles, new_drawing)))
    return len(notes)


def _shown_at(cell: Cell, merged: Iterable[tuple[Cell, Cell]]) -> Cell:
    """The first cell of the merged range that a cell is in: only that one is shown."""
    for first, last in merged:
        if first.row <= cell.row <= last.row and first.column <= cell.column <= last.column:
            return first
    return cell


def _writer(package: Package, part: str, edit: Callable[[], MarkedCells]) -> Callable[[IO[bytes]], None]:
    def write(sink: IO[bytes]) -> None:
        with package.open(part) as source:
            rewrite(source, sink, edit())

    return write
