"""Rows that hold something and are no webhooks: notes, repeated headers, totals, defaults, the template's examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bulkhooks.errors import WarningCode
from bulkhooks.sheets.examples import EXAMPLES, is_example
from bulkhooks.sheets.reading.grid import Column, written
from bulkhooks.sheets.reading.headers import Layout
from bulkhooks.sheets.reading.stacked import Span, rows_where
from bulkhooks.sheets.strings import folded
from bulkhooks.webhook import Status

Positions = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_MOST_PLACES = 5
"""Places that a warning names one by one."""
_TOTAL = re.compile(
    r"(grand|sub|overall)?(total|totals|sum|summe|count|anzahl|gesamt|gesamtsumme|insgesamt)"
    r"(of|number|no|rows?|lines?|records?|hooks?|webhooks?|locations?|events?|urls?|\d)*"
)
_NUMBER = re.compile(r"[\d.,\s]*")
_LONGEST_TOTAL = 60
_DEFAULTS = ("Active", "Account", "Name", "Description")
"""Fields that alone ask for nothing."""
_TAKEN_BACK: frozenset[str] = frozenset({Status.DELETED, Status.CHANGED, Status.MISSING, "restored"})
"""Statuses of the rows of an undo."""
_OF_WEBHOOKS: frozenset[str] = frozenset(Status) - _TAKEN_BACK
_EXAMPLES = frozenset(example["Description"] for example in EXAMPLES)


class LeftOut(NamedTuple):
    """Rows that hold something and ask for no webhook: their positions, the rest of a warning, and its code if any."""

    rows: Positions
    sentence: str
    code: WarningCode | None = None


def left_out(
    filled: BoolArray,
    fields: Mapping[str, Column],
    columns: Sequence[Column],
    layout: Layout,
    span: Span,
) -> Iterator[LeftOut]:
    """The rows under a header that are left out, kind by kind.

    ``filled``: rows with a text in a field; the caller clears those of each kind from it before it asks for the next.
    ``fields``: texts by field; ``columns``: all columns of the table.
    """
    bare = np.flatnonzero(~filled)
    yield LeftOut(_noted(bare, columns, layout), "skipped: nothing stands there in a column that counts")
    yield LeftOut(_under(span, span.repeated), "skipped: the header once more")
    yield LeftOut(_under(span, span.titles), "skipped: a title of the next table")
    yield LeftOut(_totals(filled, fields, columns), "skipped: this looks like a line of totals")
    yield LeftOut(_examples(fields), "skipped: an example of the template; write over it to use it")
    yield _defaults_only(filled, fields, columns, layout)
    if layout.results:
        undone = _with_status(columns, layout, _TAKEN_BACK)
        yield LeftOut(undone, "skipped: what an undo removed, or left alone, is not sent again")


def unfinished(columns: Sequence[Column], layout: Layout) -> Positions:
    """The rows of a results file that count whatever is in their cells: their Status says that they are webhooks."""
    return _with_status(columns, layout, _OF_WEBHOOKS)


def _with_status(columns: Sequence[Column], layout: Layout, statuses: frozenset[str]) -> Positions:
    if "Status" not in layout.results:
        return np.array([], dtype=np.int64)
    return rows_where(columns[layout.results["Status"]], lambda value: written(value).casefold() in statuses)


def _under(span: Span, rows: Sequence[int]) -> Positions:
    return np.array(rows, dtype=np.int64) - span.header - 1


def _noted(bare: Positions, columns: Sequence[Column], layout: Layout) -> Positions:
    """Of rows without a text in a field, those with something in another column."""
    noted = np.zeros(len(bare), dtype=bool)
    for at in layout.extras.values() if len(bare) else ():
        noted |= np.array([written(value) != "" for value in columns[at][bare]], dtype=bool)
    return bare[noted]


def _defaults_only(
    filled: BoolArray, fields: Mapping[str, Column], columns: Sequence[Column], layout: Layout
) -> LeftOut:
    """Rows with nothing but what is filled down into a whole column, as check boxes are."""
    mask: BoolArray = filled
    for name, column in fields.items():
        if name not in _DEFAULTS and mask.any():
            mask = mask & (column == "")
    rows = np.flatnonzero(mask)
    rows = np.setdiff1d(rows, _noted(rows, columns, layout))
    names = [repr(layout.headers[layout.fields[name]]) for name in _DEFAULTS if name in fields]
    return LeftOut(
        rows,
        f"skipped: nothing but defaults stands there ({', '.join(names)})",
        WarningCode.DEFAULTS_ONLY,
    )


def _totals(filled: BoolArray, fields: Mapping[str, Column], columns: Sequence[Column]) -> Positions:
    """Rows that begin like a total, with no more than numbers in the place of an event and an address."""
    leading = [fields[name] for name in ("Action", "URL") if name in fields]
    found = []
    for row in rows_where(leading[0], _is_of_total).tolist():
        first = next(filter(None, (written(column[row]) for column in columns)), "")
        if filled[row] and _is_total(first) and all(_is_of_total(column[row]) for column in leading):
            found.append(row)
    return np.array(found, dtype=np.int64)


def _is_total(text: str) -> bool:
    return len(text) <= _LONGEST_TOTAL and _TOTAL.fullmatch(folded(text)) is not None


def _is_of_total(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None or _is_total(text)


def _examples(fields: Mapping[str, Column]) -> Positions:
    described = fields["Description"].tolist() if "Description" in fields else []
    candidates: Sequence[int] | Positions = (
        [] if _EXAMPLES.isdisjoint(described) else np.flatnonzero([text in _EXAMPLES for text in described])
    )
    found = [row for row in candidates if is_example({name: column[row] for name, column in fields.items()})]
    return np.array(found, dtype=np.int64)


def overwritten_examples(fields: dict[str, Column]) -> list[int]:
    """Of rows that were written over an example, drop its description; returns those that still have its URL."""
    described = fields.get("Description")
    if described is None or _EXAMPLES.isdisjoint(described.tolist()):
        return []
    rows = [
        row
        for row in np.flatnonzero([text in _EXAMPLES for text in described])
        if not is_example({name: column[row] for name, column in fields.items()})
    ]
    fields["Description"] = described.copy()
    fields["Description"][rows] = ""
    urls = {example["URL"] for example in EXAMPLES}
    return [int(row) for row in rows if "URL" in fields and fields["URL"][row] in urls]


def listed_places(places: Sequence[str]) -> str:
    """The first few places and how many more there are: ``Hooks!2, Hooks!7 and 12 more``."""
    more = len(places) - _MOST_PLACES
    return ", ".join(places[:_MOST_PLACES]) + (f" and {more:,} more" if more > 0 else "")
