"""Cells by their names, ``C7``, and ranges, ``A1:C7``, as worksheets write them."""

from __future__ import annotations

import re
from typing import NamedTuple

from openpyxl.utils import column_index_from_string, get_column_letter

_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})")


class Cell(NamedTuple):
    """A cell: its row from 1, its column from 0."""

    row: int
    column: int

    @property
    def name(self) -> str:
        """``C7``."""
        return f"{get_column_letter(self.column + 1)}{self.row}"


def cell_of(name: str) -> Cell:
    """The cell of that name. Raises ``ValueError`` where it is none."""
    found = _CELL.fullmatch(name.strip())
    if found is None:
        raise ValueError(f"{name!r} is no cell")
    return Cell(int(found[2]), column_index_from_string(found[1].upper()) - 1)


def corners(reference: str) -> tuple[Cell, Cell]:
    """First and last cell of a range; of a single cell both are that."""
    first, _, last = reference.partition(":")
    return cell_of(first), cell_of(last or first)
