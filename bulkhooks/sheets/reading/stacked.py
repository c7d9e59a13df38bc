"""Tables one below the other in a sheet, each under a header of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bulkhooks import actions
from bulkhooks.sheets.reading.grid import Column, Grid, written
from bulkhooks.sheets.reading.headers import Headers, lay_out
from bulkhooks.sheets.strings import folded

Positions = npt.NDArray[np.int64]

_LONGEST = 60
"""Characters of a header."""


@dataclass(slots=True)
class Span:
    """One table of a sheet: the position of its header, and of the row behind its last.

    ``line`` is the number of the header's line as places name it. ``repeated``: rows that are its header once more,
    ``titles``: rows that are a title of the next table.
    """

    header: int
    end: int
    line: int
    repeated: list[int] = field(default_factory=list)
    titles: list[int] = field(default_factory=list)


def spans(grid: Grid, header: int, headers: Headers) -> list[Span]:
    """The tables of a sheet whose first header stands at this position, from top to bottom."""
    above = 1 if grid.is_workbook else not grid.is_headless  # places in text count from the first header
    above -= 0 if grid.is_workbook else header
    found = [Span(header, grid.height, header + above)]
    names = _row(grid, header)
    for row in _headers_below(grid, header, headers):
        if _meaning(again := _row(grid, row), headers) == _meaning(names, headers):
            found[-1].repeated.append(row)
            continue
        found[-1].end = row
        found[-1].titles = list(_titles_above(grid, row, found[-1].header))
        found.append(Span(row, grid.height, row + above))
        names = again
    return found


def rows_where(column: Column, test: Callable[[Any], bool]) -> Positions:
    """The rows of a column whose value passes; each distinct value is tested once."""
    values = column.tolist()
    wanted = {value for value in set(values) if test(value)}
    found = [row for row, value in enumerate(values) if value in wanted] if wanted else []
    return np.array(found, dtype=np.int64)


def _row(grid: Grid, row: int) -> list[str]:
    return [written(column[row]) for column in grid.columns]


def _meaning(names: Sequence[str], headers: Headers) -> list[str]:
    meant = [headers.kind(name) or folded(name) if name else "" for name in names]
    while meant and not meant[-1]:
        del meant[-1]
    return meant


def _headers_below(grid: Grid, header: int, headers: Headers) -> Iterator[int]:
    """Rows that look like headers. Only rows without an event, or without an address, can be."""
    fields = lay_out(_row(grid, header), headers).fields
    at, test = (fields["Action"], _is_no_event) if "Action" in fields else (fields["URL"], _is_no_address)
    columns = [column[header + 1 :] for column in grid.columns]
    rows = rows_where(columns[at], test)
    filled = np.zeros(len(rows), dtype=np.int64)
    for column in columns if len(rows) else ():
        filled += column[rows] != ""
    for row in rows[filled > 1].tolist():
        texts = [cell for column in columns if isinstance(cell := column[row], str) and 0 < len(cell) <= _LONGEST]
        if headers.find([[text for text in texts if not text.isdigit()]]) == 0:
            yield header + 1 + row


def _is_no_event(value: Any) -> bool:
    text = written(value)
    return len(text) <= _LONGEST and "://" not in text and not actions.match(text)


def _is_no_address(value: Any) -> bool:
    text = written(value)
    return len(text) <= _LONGEST and "://" not in text


def _titles_above(grid: Grid, header: int, above: int) -> Iterator[int]:
    """Rows right above a header, and below the one before, that hold one text and nothing that is meant to be sent."""
    for row in range(header - 1, above, -1):
        texts = {text for text in _row(grid, row) if text}  # a merged cell counts as if each held it
        if len(texts) > 1:
            return
        for text in texts:
            if text.isdigit() or "://" in text or actions.match(text):
                return
            yield row
