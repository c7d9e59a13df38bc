"""Results as ``.csv`` that opens well in Excel, and as ``.jsonl`` with types."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from io import TextIOWrapper
from typing import IO

from bulkhooks.sheets.values import Row, plain, text
from bulkhooks.summary import Summary

_FORMULA = re.compile(r"'*[=+\-@]")
"""What a spreadsheet would take for a formula, and what would be taken for that with its ``'`` removed again."""


class CsvWriter:
    """Results as comma-separated text: UTF-8 with a byte order mark, lines ended as Excel ends them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")  # type: ignore[type-var]
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self.notes: list[str] = []

    def begin(self, columns: Sequence[str]) -> None:
        """Write the header."""
        self._writer.writerow([_guarded(column) for column in columns])

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows, column by column, because a column's values are mostly of one type."""
        self._writer.writerows(zip(*map(_texts, zip(*rows, strict=True)), strict=True))

    def finish(self, summary: Summary, facts: Mapping[str, str]) -> None:  # noqa: ARG002 (there is no room for them)
        """End the text."""
        self._file.flush()

    def abandon(self) -> None:
        """Let go of the file, which stays open."""
        self._file.detach()


def _texts(column: Sequence[object]) -> Iterable[object]:
    kinds = set(map(type, column))
    if kinds <= {str, type(None)}:
        return [_guarded(value) if value else value for value in column]  # type: ignore[arg-type]
    if kinds == {int} and min(column) >= 0:  # type: ignore[type-var, operator]
        return column
    return [_guarded(text(value)) for value in column]


def _guarded(value: str) -> str:
    """``value`` with one ``'`` before it where a spreadsheet would calculate it."""
    return "'" + value if value[:1] in _SUSPECT and _FORMULA.match(value) else value


_SUSPECT = frozenset("=+-@'")


class JsonlWriter:
    """Results as one JSON object a line, with numbers, booleans and null as such and dates in ISO 8601."""

    def __init__(self, file: IO[bytes]) -> None:
        # A lone surrogate, which only an answer of a server can hold, comes out as the JSON escape it came in as.
        self._file = TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="\n")  # type: ignore[type-var]
        self._columns: Sequence[str] = ()
        self.notes: list[str] = []

    def begin(self, columns: Sequence[str]) -> None:
        """Remember the names; there is no header."""
        self._columns = columns

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        columns = self._columns
        self._file.writelines(_line(columns, row) for row in rows)

    def finish(self, summary: Summary, facts: Mapping[str, str]) -> None:  # noqa: ARG002 (there is no room for them)
        """End the text."""
        self._file.flush()

    def abandon(self) -> None:
        """Let go of the file, which stays open."""
        self._file.detach()


_encode = json.JSONEncoder(ensure_ascii=False, default=lambda value: _json(value)).encode


def _line(columns: Sequence[str], row: Row) -> str:
    if float in map(type, row):  # which may be NaN, that JSON does not have, or a whole number
        row = [plain(value) for value in row]
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
