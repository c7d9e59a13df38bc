"""What a cell of a results file may hold, and how foreign values (numpy's, pandas's) become it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bulkhooks.report import Problem

Value = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta | None
"""A value of a results row; None and ``""`` are an empty cell."""

Row = Sequence[object]


class ResultRow(NamedTuple):
    """One line of a results file: its cells in the order of the columns, and what is wrong with it.

    ``problems`` are the errors and warnings behind the cells ErrorCode, Error and Warning, one by one, each with its
    place; the sheets Problems and Summary count these and never take a cell's text apart.
    """

    cells: Row
    problems: Sequence[Problem] = ()


class LocationLine(NamedTuple):
    """A line of the table of locations as written: groups with commas between, Suspended ``yes`` or ''."""

    id: int
    name: str = ""
    groups: str = ""
    network: str = ""
    suspended: str = ""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a results workbook tells besides its rows and the summary.

    ``shown`` are further lines of the sheet Summary, ``locations`` the table in which names in rows to be corrected are
    looked up, ``warnings`` those that no row has.
    """

    shown: Mapping[str, str] = field(default_factory=dict)
    locations: Sequence[LocationLine] = ()
    warnings: Sequence[Problem] = ()


def plain(value: object) -> Value:  # noqa: PLR0911
    """``value`` as one of the few types every format knows; what is missing (NaN, NaT) as None.

    A float without a fraction becomes an int: spreadsheets store every number as a float, and people wrote ``3``.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return _number(float(value))
    if isinstance(value, int):
        return int(value)
    if value != value:  # noqa: PLR0124 - NaT and its kind are known by this alone
        return None
    if isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
        return value
    item = getattr(value, "item", None)
    return plain(item()) if callable(item) else str(value)


def _number(value: float) -> Value:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


EXACT = 2.0**53
"""Up to here a float knows every whole number."""


def whole(value: Value) -> Value:
    """A number that is whole without a fraction, also where a workbook would keep it as it came."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT else value


def text(value: object) -> str:
    """``value`` as delimited text has it: dates in ISO 8601, ``true`` and ``false``, numbers as Python writes them."""
    value = whole(plain(value))
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return str(value)
