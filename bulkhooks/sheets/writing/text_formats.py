"""Results as ``.csv`` that opens well in Excel, and as ``.jsonl`` with types."""

from __future__ import annotations

import csv
import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import IO, Any

from bulkhooks.report import Summary
from bulkhooks.sheets.strings import CALCULATED
from bulkhooks.sheets.values import ResultRow, Row, RunFacts, plain, text, whole

_FORMULA = re.compile(f"'*[{re.escape(CALCULATED)}]")
"""What a spreadsheet would take for a formula, and what would be taken for that with its ``'`` removed again."""
_SUSPECT = frozenset(CALCULATED + "'")
_SWITCHES = {True: "true", False: "false", None: ""}


class CsvWriter:
    """Results as comma-separated text: UTF-8 with a byte order mark, lines ended as Excel ends them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.notes: list[str] = []

    def begin(self, columns: Sequence[str]) -> None:
        """Write the header."""
        self._file.write(BOM_UTF8)
        self._write([[_guarded(column) for column in columns]])

    def write(self, rows: Sequence[ResultRow]) -> None:
        """Write some rows, column by column, because a column's values are mostly of one type."""
        self._write(zip(*map(_texts, zip(*(row.cells for row in rows), strict=True)), strict=True))

    def finish(self, summary: Summary, facts: RunFacts) -> None:
        """Nothing is left to do."""

    def abandon(self) -> None:
        """Nothing is held."""

    def _write(self, rows: Iterable[Iterable[object]]) -> None:
        lines = StringIO(newline="")
        csv.writer(lines, lineterminator="\r\n").writerows(rows)
        self._file.write(lines.getvalue().encode("utf-8", "replace"))


def _texts(column: Sequence[object]) -> Iterable[object]:
    """The column as ``csv`` may write it. Most columns are of one type, and may be handed on after one look."""
    kinds = set(map(type, column)) - {type(None)}
    values: Any = column
    if not kinds or (kinds == {int} and min(filter(None, values), default=0) >= 0):
        return column
    if kinds == {str}:
        if _SUSPECT.isdisjoint({value[:1] for value in values if value}):
            return column
        return [_guarded(value) if value else value for value in values]
    if kinds == {bool}:
        return [_SWITCHES[value] for value in values]
    return [_guarded(text(value)) for value in values]


def _guarded(value: str) -> str:
    """``value`` with one ``'`` before it where a spreadsheet would calculate it."""
    return "'" + value if value[:1] in _SUSPECT and _FORMULA.match(value) else value


class JsonlWriter:
    """Results as one JSON object a line, with numbers, booleans and null as such and dates in ISO 8601."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._columns: Sequence[str] = ()
        self.notes: list[str] = []

    def begin(self, columns: Sequence[str]) -> None:
        """Remember the names; there is no header."""
        self._columns = columns

    def write(self, rows: Sequence[ResultRow]) -> None:
        """Write some rows."""
        columns = self._columns
        lines = "".join([_line(columns, row.cells) for row in rows])
        # A lone surrogate, which only an answer of a server can hold, comes out as the JSON escape it came in as.
        self._file.write(lines.encode("utf-8", "backslashreplace"))

    def finish(self, summary: Summary, facts: RunFacts) -> None:
        """Nothing is left to do."""

    def abandon(self) -> None:
        """Nothing is held."""


def _line(columns: Sequence[str], row: Row) -> str:
    if float in map(type, row):  # which may be NaN, that JSON does not have, or a whole number
        row = [whole(plain(value)) for value in row]
    line = _encode(dict(zip(columns, row, strict=True)))
    if not line.isascii():
        for separator, escape in _LINE_SEPARATORS:
            line = line.replace(separator, escape)
    return line + "\n"


_LINE_SEPARATORS = [("\x85", "\\u0085"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029")]
"""Legal inside a line of JSON, but some readers end a line there."""


def _json(value: object) -> object:
    value = plain(value)
    return value if isinstance(value, str | int | float | bool | None) else text(value)


_encode = json.JSONEncoder(ensure_ascii=False, default=_json).encode
