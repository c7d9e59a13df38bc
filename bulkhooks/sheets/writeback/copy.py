"""--write-back: the result sheets in a copy of the input workbook, whose own sheets stay as they were."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from bulkhooks.sheets.writeback.earlier import earlier_sheets
from bulkhooks.sheets.writeback.joined import Book, join
from bulkhooks.sheets.writeback.package import Package
from bulkhooks.sheets.writeback.sentences import one_sentence
from bulkhooks.sheets.writing.atomic_file import Place
from bulkhooks.sheets.writing.locations_sheet import LOCATIONS

_SHARED = frozenset({LOCATIONS, "Events"})
"""Tables that result sheets look things up in, and that the workbook may have itself."""


def write_back(workbook: Path, results: Path, copy: Path) -> Path:
    """Write ``copy``: the workbook (.xlsx, .xlsm) and after its own sheets those of ``results``; returns where it is.

    A sheet whose name is taken gets `` (2)`` behind it; one that an earlier run put there is replaced. Raises
    ``OutputError`` and no other error, and writes nothing, where something in the workbook could not be kept (a
    signature, another kind of file) or the copy cannot be written.
    """
    with one_sentence(workbook, copy), Package(workbook) as theirs, Package(results, sys.maxsize) as ours:
        book = Book(theirs)
        styles, _ = join(book, Book(ours), earlier_sheets(workbook, book.names()), _SHARED)
        return save(theirs, copy, styles)


def save(package: Package, copy: Path, last: str) -> Path:
    """Write an edited package beside its place, and move it there whole; ``last`` is the part to write at the end."""
    place = Place(copy)
    try:
        with zipfile.ZipFile(place.file, "w", zipfile.ZIP_DEFLATED) as target:
            package.write(target, last)
        return place.move()
    finally:
        place.discard()
