"""Rows that hold something and are no webhooks: notes, repeated headers, totals, the template's examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bulkhooks.sheets.examples import EXAMPLES, is_example
from bulkhooks.sheets.reading.grid import Column, written
from bulkhooks.sheets.reading.headers import Layout
from bulkhooks.sheets.reading.source import FIELDS
from bulkhooks.sheets.strings import folded

Positions = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_MOST_PLACES = 5
"""Places that a warning names one by one."""
_TOTAL = re.compile(r"(grand|sub|overall)?(total|totals|sum|summe|gesamt|gesamtsumme|insgesamt)\d*")
_EXAMPLES = frozenset(example["Description"] for example in EXAMPLES)


def left_out(
    filled: BoolArray, fields: Mapping[str, Column], columns: Sequence[Column], layout: Layout
) -> Iterator[tuple[Positions, str]]:
    """Rows that hold something and ask for no webhook: their positions, and the rest of a warning about them.

    ``filled``: rows with a text in a field. ``fields``: texts by field; ``columns``: all columns of the sheet.
    The caller clears the rows of each kind from ``filled`` before it asks for the next.
    """
    bare = np.flatnonzero(~filled)
    noted = np.zeros(len(bare), dtype=bool)
    for at in layout.extras.values() if len(bare) else ():
        noted |= np.array([written(value) != "" for value in columns[at][bare]], dtype=bool)
    yield bare[noted], "skipped: nothing stands there in a column that counts"
    yield _repeated_headers(fields, layout), "skipped: the header once more"
    yield _totals(filled, fields), "skipped: this looks like a line of totals"
    yield _examples(fields), "skipped: an example of the template; write over it to use it"


def _repeated_headers(fields: Mapping[str, Column], layout: Layout) -> Positions:
    texts_of = {name: ("", layout.headers[at]) for name, at in layout.fields.items()}
    leading = "URL" if "URL" in fields else "Action"
    return np.array(
        [
            row
            for row in np.flatnonzero(fields[leading] == texts_of[leading][1])
            if all(column[row] in texts_of[name] for name, column in fields.items())
        ],
        dtype=np.int64,
    )


def _totals(filled: BoolArray, fields: Mapping[str, Column]) -> Positions:
    candidates: BoolArray = filled.copy()
    for name in ("URL", "Action"):
        if name in fields and candidates.any():
            candidates &= fields[name] == ""
    found = []
    for row in np.flatnonzero(candidates):
        first = next((fields[name][row] for name in FIELDS if name in fields and fields[name][row]), "")
        if _TOTAL.fullmatch(folded(first)):
            found.append(row)
    return np.array(found, dtype=np.int64)


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
