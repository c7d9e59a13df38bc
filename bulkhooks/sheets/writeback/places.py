"""Cells by their names, ``C7``, and ranges, ``A1:C7``, as worksheets write them."""

from __future__ import annotations

import re
from typing import NamedTuple

from xlsxwriter.utility import xl_cell_to_rowcol, xl_col_to_name

_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})")


class Cell(NamedTuple):
    """A cell: its row from 1, its column from 0."""

    row: int
    column: int

    @property
    def name(self) -> str:
        """``C7``."""
        return f"{xl_col_to_name(self.column)}{self.row}"


def cell_of(name: str) -> Cell:
    """The cell of that name. Raises ``ValueError`` where it is none."""
    found = _CELL.fullmatch(name.strip())
    if found is None:
        raise ValueError(f"{name!r} is no cell")
    row, column = xl_cell_to_rowcol(f"{found[1].upper()}{found[2]}")
    return Cell(row + 1, column)


def corners(reference: str) -> tuple[Cell, Cell]:
    """First and last cell of a range; of a single cell both are that."""
    first, _, last = reference.partition(":")
    return cell_of(first), cell_of(last or first)
