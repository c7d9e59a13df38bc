"""Corrections put into a copy of the file that they are about; everything else in it stays."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from bulkhooks.sheets.reading.grid import Grid, written
from bulkhooks.sheets.writeback.copy import save
from bulkhooks.sheets.writeback.joined import Book
from bulkhooks.sheets.writeback.marked_cells import WrittenCells
from bulkhooks.sheets.writeback.package import Package, Write
from bulkhooks.sheets.writeback.places import Cell, cell_of, corners
from bulkhooks.sheets.writeback.sentences import one_sentence
from bulkhooks.sheets.writeback.sheet_stream import outline, rewrite
from bulkhooks.sheets.writeback.tree import main
from bulkhooks.sheets.writing.atomic_file import Place


def corrected_workbook(workbook: Path, texts: Mapping[str, Mapping[str, str]], copy: Path) -> Path:
    """Write ``copy``: the workbook (.xlsx, .xlsm) with ``texts``, by sheet and cell, in the place of what was there.

    Returns where it is. Raises ``OutputError``, and writes nothing, where that cannot be done: cells that share a
    formula, or a workbook that cannot be copied whole.
    """
    with one_sentence(workbook, copy), Package(workbook) as theirs:
        book = Book(theirs)
        book.forget_calculation_order()
        spelled = {name.lower(): name for name in book.names()}
        for sheet, cells in texts.items():
            part = book.parts[spelled[sheet.lower()]]
            theirs.replace(part, _writer(theirs, part, {cell_of(name): text for name, text in cells.items()}))
        return save(theirs, copy, "")


def merged_cells(workbook: Path, sheet: str) -> list[tuple[Cell, Cell]]:
    """First and last cell of every merged range of a sheet. Raises ``OutputError`` where it cannot be read."""
    with one_sentence(workbook, workbook), Package(workbook) as theirs:
        book = Book(theirs)
        spelled = {name.lower(): name for name in book.names()}
        with theirs.open(book.parts[spelled[sheet.lower()]]) as source:
            found = outline(source)
        return [corners(each.get("ref", "")) for each in found.iter(main("mergeCell"))]


def corrected_text(text: Grid, texts: Mapping[int, Mapping[str, str]], copy: Path) -> Path:
    """Write ``copy``: delimited text with ``texts``, by record and header, in the place of what was there.

    It has the delimiter of the original and is UTF-8. Returns where it is. Raises ``OutputError``.
    """
    with one_sentence(copy, copy):
        columns = [column.copy() for column in text.columns]
        for line, fields in texts.items():
            for header, value in fields.items():
                columns[_column(text, line, header)][line - 1] = value
        assert text.records is not None  # noqa: S101 (it is delimited text)
        place = Place(copy)
        try:
            sink = io.TextIOWrapper(place.file, "utf-8-sig", newline="", write_through=True)
            csv.writer(sink, delimiter=text.records.delimiter).writerows(
                map(_without_padding, zip(*columns, strict=True))
            )
            sink.flush()
            sink.detach()
            return place.move()
        finally:
            place.discard()


def _without_padding(record: tuple[object, ...]) -> list[object]:
    """A record without the empty fields that only longer ones have."""
    fields = list(record)
    while len(fields) > 1 and fields[-1] in ("", None):
        fields.pop()
    return fields


def _column(text: Grid, line: int, header: str) -> int:
    """The column under the nearest header of that name above a record."""
    for row in range(line - 2, -1, -1):
        for at, column in enumerate(text.columns):
            if written(column[row]) == header:
                return at
    raise KeyError(header)


def _writer(package: Package, part: str, texts: Mapping[Cell, str]) -> Write:
    def write(sink: IO[bytes]) -> None:
        with package.open(part) as source:
            rewrite(source, sink, WrittenCells(texts))

    return write
