"""A sheet as it stands in its file: columns of values, and the text that a person sees in a cell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from bulkhooks.sheets.reading.workbooks.xlsx_cells import Cell, Flaw
from bulkhooks.sheets.strings import AROUND
from bulkhooks.sheets.values import EXACT, text

Column: TypeAlias = npt.NDArray[np.object_]
"""The values of one column from the first row down; ``""`` where a cell is empty."""

HEAD = 20
"""Among so many first rows a header is looked for."""

Score: TypeAlias = Callable[[Sequence[Sequence[str]]], int]
"""How well the first rows of a table suit whoever asks: the number of columns known in their header, 0 without one."""


@dataclass(frozen=True, slots=True)
class Records:
    """What is known of the records of delimited text besides their cells.

    ``widths``: how many fields each of the first records has. ``is_multiline``: some cell may hold several lines.
    ``unclosed``: position of the record with a quote that is never closed. ``legacy``: the encoding of what was not
    UTF-8 as people call it ('' where all was); ``is_mixed``: all else was. ``legacy_at``: positions of the records with
    such text, or, where all was read otherwise, of the first alone.
    """

    delimiter: str
    widths: Sequence[int]
    is_multiline: bool = False
    unclosed: int | None = None
    legacy: str = ""
    legacy_at: Sequence[int] = ()
    is_mixed: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet of a workbook, or one file of delimited text (``name`` is then ``""``).

    The columns are all of one length and begin at column A and row 1, whatever is empty there.
    """

    name: str
    columns: Sequence[Column]
    is_workbook: bool
    is_hidden: bool = False
    """Whether a person does not see the sheet."""
    flaws: Mapping[Cell, Flaw] = field(default_factory=dict)
    """Cells that hold an error, or a formula without its value."""
    links: Mapping[Cell, str] = field(default_factory=dict)
    """The addresses that cells link to, ``""`` where a formula works the address out."""
    hidden_rows: Collection[int] = ()
    """Rows, from 0, that are hidden or filtered away."""
    is_ascii: bool = False
    """Whether it is known that every value is text of ASCII characters alone."""
    records: Records | None = None
    """Of delimited text."""
    is_headless: bool = False
    """Whether the header stands in no line of its own (JSON lines)."""

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.columns[0]) if self.columns else 0

    def head(self) -> list[list[str]]:
        """The first rows as text."""
        count = min(HEAD, self.height)
        return [[written(column[row]) for column in self.columns] for row in range(count)]


def column_of(values: Sequence[object]) -> Column:
    """``values`` as a column."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def letter(position: int) -> str:
    """The name of the column at this position from 0: A, Z, AA."""
    name = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def written(value: Any) -> str:
    """The text of a cell, without what counts for nothing around it.

    A number without a fraction is whole (``1001.0`` is ``1001``) and never in scientific notation; a date without a
    time of day is the date alone.
    """
    if isinstance(value, str):
        return value.strip(AROUND)
    if isinstance(value, float) and value.is_integer():
        return str(int(value)) if abs(value) <= EXACT else format(Decimal(repr(value)), "f").partition(".")[0]
    if isinstance(value, dt.datetime) and value.time() == dt.time.min:
        return value.date().isoformat()
    return text(value)


def texts(column: Column, *, is_ascii: bool = False) -> Column:
    """``written`` of a whole column (``is_ascii`` as in ``Grid``); the column itself where it is that already."""
    values = column.tolist()
    try:
        is_ascii = is_ascii or "".join(values).isascii()
    except TypeError:  # not all of it is text
        return column_of(_written(values))
    # The spaces of ASCII are the fast way, and nearly always enough.
    stripped = list(map(str.strip, values)) if is_ascii else [value.strip(AROUND) for value in values]
    return column if stripped == values else column_of(stripped)


def _written(values: Sequence[Any]) -> list[str]:
    if set(map(type, values)) <= {str, float}:  # of which no two that are equal are written differently
        known = {value: written(value) for value in set(values)}
        return [known[value] for value in values]
    return list(map(written, values))
