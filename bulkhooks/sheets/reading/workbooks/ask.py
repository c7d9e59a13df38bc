"""What the process that reads workbooks can be asked for (bulkhooks/sheets/reading/workbooks/apart.py)."""

from __future__ import annotations

from enum import Enum, auto


class Ask(Enum):
    """What the process is asked for.

    ``SHEETS``: the worksheets, a ``SheetName`` each. ``CELLS``: of one sheet its ``SheetCells``, then its columns.
    ``REACH``: how many rows and columns hold all cells of a sheet that have a value.
    """

    SHEETS = auto()
    CELLS = auto()
    REACH = auto()
