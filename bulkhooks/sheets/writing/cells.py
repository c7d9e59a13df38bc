"""Values into cells of a worksheet that XlsxWriter streams: text stays text, nothing is lost without a word."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from bulkhooks.sheets.values import Row, plain

MAX_ROWS = 1_048_576
"""Rows of a worksheet, Excel's limit."""
MAX_COLUMNS = 16_384
"""Columns of a worksheet, likewise."""
MAX_TEXT = 32_767
"""UTF-16 units in a cell, likewise."""
_MAX_DIGITS = 10**15
"""From here on Excel no longer tells whole numbers apart; they are written as text."""
_CUT = (
    " … [cut: a cell holds 32,767 characters, this text has {length:,}; write the results as .csv or .jsonl to see all]"
)


class CellWriter:
    """Writes rows of values into one worksheet, as many of a row as there are ``formats``.

    ``cut`` counts the texts that were too long for a cell.
    """

    def __init__(self, book: Workbook, sheet: Worksheet, formats: Sequence[Format | None]) -> None:
        self._sheet = sheet
        self._formats = formats
        aligned = {"align": "left", "valign": "top"}
        self._dates = {
            dt.datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", **aligned}),
            dt.date: book.add_format({"num_format": "yyyy-mm-dd", **aligned}),
            dt.time: book.add_format({"num_format": "hh:mm:ss", **aligned}),
            dt.timedelta: book.add_format({"num_format": "[h]:mm:ss", **aligned}),
        }
        # Excel shows a boolean as such whatever the format; LibreOffice takes this one for its own.
        self._boolean = book.add_format({"num_format": '"TRUE";"TRUE";"FALSE"', **aligned})
        self.cut = 0
        # The limit is kept here, where a cut text is marked and counted.
        sheet.xls_strmax = sys.maxsize

    def write(self, number: int, row: Row) -> None:
        """Write ``row`` as the sheet's row ``number`` (from 0)."""
        write_string, write_number = self._sheet.write_string, self._sheet.write_number
        values: Any = row
        for column, (value, form) in enumerate(zip(values, self._formats, strict=False)):
            kind = type(value)
            if kind is str:
                if "_x" in value or len(value) > MAX_TEXT // 2 or value[:1] == "<":
                    write_string(number, column, self._awkward(value), form)
                elif value:
                    write_string(number, column, value, form)
            elif kind is int and -_MAX_DIGITS < value < _MAX_DIGITS:
                write_number(number, column, value, form)
            elif value is not None:
                self._write_other(number, column, plain(value))

    def _write_other(self, number: int, column: int, value: Any) -> None:
        form = self._formats[column]
        if isinstance(value, bool):
            self._sheet.write_boolean(number, column, value, self._boolean)
        elif isinstance(value, float):
            self._sheet.write_number(number, column, Exact(value), form)
        elif isinstance(value, int) and abs(value) < _MAX_DIGITS:
            self._sheet.write_number(number, column, value, form)
        elif isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
            self._write_date(number, column, value)
        elif value is not None and value != "":
            self._sheet.write_string(number, column, self._awkward(str(value)), form)

    def _write_date(self, number: int, column: int, value: dt.datetime | dt.date | dt.time | dt.timedelta) -> None:
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            value = value.astimezone(dt.UTC).replace(tzinfo=None)
        elif isinstance(value, dt.time):
            value = value.replace(tzinfo=None)
        if isinstance(value, dt.date) and value.year < 1900:  # before Excel's first day
            self._sheet.write_string(number, column, value.isoformat(), self._formats[column])
            return
        kind = next(kind for kind in self._dates if isinstance(value, kind))
        self._sheet.write_datetime(number, column, value, self._dates[kind])

    def _awkward(self, text: str) -> str:
        """``text`` shortened where no cell can hold it, and in runs where it looks like markup of the file format."""
        if len(text) > MAX_TEXT // 2 and (length := _utf16_length(text)) > MAX_TEXT:
            self.cut += 1
            text = _shortened(text, _CUT.format(length=length))
        text = text.encode("utf-8", "replace").decode() if _SURROGATE.search(text) else text
        if text.startswith("<r>") or _ESCAPE_LIKE.search(text):
            # Readers do not agree on how a literal "_x0041_" is escaped. Cut in two runs it is none; and XlsxWriter
            # takes what begins with "<r>" for runs that are ready.
            cuts = [0, *(match.end() for match in _ESCAPE_LIKE.finditer(text)), len(text)]
            pieces = (text[start:end] for start, end in pairwise(cuts))
            return "".join(f'<r><t xml:space="preserve">{escape(piece)}</t></r>' for piece in pieces)
        return text


_ESCAPE_LIKE = re.compile(r"_x[0-9A-Fa-f]{4}(?=_)")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _shortened(text: str, note: str) -> str:
    room = MAX_TEXT - _utf16_length(note)
    return text.encode("utf-16-le", "surrogatepass")[: 2 * room].decode("utf-16-le", "ignore") + note


class Exact(float):
    """A float that XlsxWriter writes with all its digits; on its own it keeps 16 of up to 17."""

    def __format__(self, specification: str) -> str:
        return repr(float(self))
