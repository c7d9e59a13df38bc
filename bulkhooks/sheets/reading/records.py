"""Records of delimited text that were not meant as they are read: surplus fields, and quotes that swallow others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bulkhooks import actions
from bulkhooks.errors import ErrorCode, WarningCode
from bulkhooks.sheets.reading.grid import Column, Records, written
from bulkhooks.sheets.reading.stacked import rows_where
from bulkhooks.sheets.reading.workbooks.xlsx_cells import Cell, Flaw
from bulkhooks.sheets.strings import AROUND, cut, shown

_LINE_END = re.compile(r"\r\n|\r|\n")
OF_RECORDS = frozenset({ErrorCode.EXTRA_FIELDS, ErrorCode.STRAY_QUOTE})
_MOST_NAMED = 3
"""Swallowed records that a sentence names."""
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def record_flaws(
    columns: Sequence[Column], fields: Mapping[str, int], header: int, width: int, records: Records
) -> dict[int, Flaw]:
    """What is wrong with whole records under a header, by their position under it.

    ``fields``: the column of each field; ``header``: the header's position in the file, and ``width`` how many fields
    it has. Empty fields past those do no harm.
    """
    surplus = _surplus(columns, width)
    found = {row: _too_many(columns, row, width, last, records) for row, last in surplus.items()}
    if records.is_multiline:
        found |= dict(_swallowed(columns, fields, surplus, records))
    if records.unclosed is not None and 0 <= (row := records.unclosed - header - 1) < len(columns[0]):
        texts = [column[row] for column in columns if _LINE_END.search(column[row])]
        if row not in found or found[row].code != ErrorCode.STRAY_QUOTE:
            found[row] = _unclosed(texts[-1] if texts else "")
    return found


def encoding_flaw(records: Records) -> Flaw:
    """The warning of a record that is not UTF-8."""
    what = (
        f"all else in the file is UTF-8; what in this record is not was read as {records.legacy}"
        if records.is_mixed
        else f"the file is not UTF-8; all of it was read as {records.legacy}, for the first time in this record"
    )
    advice = "Look at its accents and umlauts, and save the file as UTF-8"
    return Flaw("", f"{what}. {advice}", WarningCode.LEGACY_ENCODING)


def of_earlier(codes: Column) -> dict[int, Flaw]:
    """Rows of results that were such records: their cells may look right, and are not what was meant.

    ``codes`` is the column ErrorCode, which a person empties once the row is corrected.
    """
    found = {}
    for row in rows_where(codes, lambda value: isinstance(value, str) and not OF_RECORDS.isdisjoint(value.split("; "))):
        code = next(code for code in codes[row].split("; ") if code in OF_RECORDS)
        sentence = "the record was not read as it was meant. Correct the cells of this row, then empty its ErrorCode"
        found[int(row)] = Flaw(code, sentence, ErrorCode(code))
    return found


def errors_of_earlier(codes: Column, columns: Sequence[Column], fields: Mapping[str, int]) -> dict[Cell, Flaw]:
    """Cells of rows of results that were formulas or errors and still hold their text; ``codes`` as above."""
    rows = rows_where(codes, lambda value: isinstance(value, str) and ErrorCode.FORMULA_ERROR in value.split("; "))
    cells = ((int(row), at, written(columns[at][row])) for row in rows for at in fields.values())
    return {
        (row, at): Flaw.of_cell(text, is_formula=text[0] == "=") for row, at, text in cells if _CALCULATED.match(text)
    }


_CALCULATED = re.compile(r"=|#[A-Z0-9_/]+[!?]?\Z")


def _surplus(columns: Sequence[Column], width: int) -> dict[int, int]:
    """Records with something past the header's fields, and the position of its last such field."""
    last: dict[int, int] = {}
    for at in range(width, len(columns)):
        column = columns[at]
        last |= {int(row): at for row in np.flatnonzero(column != "") if column[row].strip(AROUND)}
    return last


def _too_many(columns: Sequence[Column], row: int, width: int, last: int, records: Records) -> Flaw:
    text = next(text for at in range(width, last + 1) if (text := columns[at][row].strip(AROUND)))
    name = _NAMES[records.delimiter]
    sentence = (
        f"the record has {last + 1} fields and the header has {width}: {shown(text)} is in no column. If a value has a"
        f' {name} in it, put the whole value in quotes: "…{records.delimiter}{cut(text)}"'
    )
    return Flaw(text, sentence, ErrorCode.EXTRA_FIELDS)


def _swallowed(
    columns: Sequence[Column], fields: Mapping[str, int], surplus: Mapping[int, int], records: Records
) -> Iterator[tuple[int, Flaw]]:
    """Records with a cell that has other records in it. A cell may well have several lines (ids, a description)."""
    for at, column in enumerate(columns):
        for row, text in enumerate(column.tolist()):
            if "\n" not in text and "\r" not in text:
                continue
            first, *lines = (line.split(records.delimiter) for line in _LINE_END.split(text))
            inside = [parts for parts in lines if _likeness(parts, fields) > 1]
            beside = {name: position - at for name, position in fields.items() if position > at}
            if inside or _likeness(first, beside) > 1 or (row in surplus and '"' in text):
                yield row, _stray(text, inside or lines, fields)


def _likeness(parts: Sequence[str], fields: Mapping[str, int]) -> int:
    """How many parts of a line are what belongs there: an id, an event, an address.

    A number or a pattern counts as an event beside an address only; without one it may be part of a list of ids.
    """
    texts = {name: parts[at].strip(' "') for name, at in fields.items() if at < len(parts)}
    event = next(filter(None, re.split(r"\s*[,;|]\s*", texts.get("Action", ""))), "")
    is_address = bool(re.match(r"https?://", texts.get("URL", ""), re.IGNORECASE))
    is_word = is_address or not (event.isdigit() or "*" in event)
    return (
        bool(re.fullmatch(r"[\d\s,;-]+", texts.get("BusinessId", "")))
        + bool(event and is_word and actions.match(event))
        + is_address
    )


def _stray(text: str, inside: Sequence[Sequence[str]], fields: Mapping[str, int]) -> Flaw:
    wanted = [fields[name] for name in ("BusinessId", "Action") if name in fields] or [0, 1]
    names = [" ".join(parts[at].strip(' "') for at in wanted if at < len(parts)) or parts[0] for parts in inside]
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    named = "; ".join(map(cut, names[:_MOST_NAMED])) + more
    start = _LINE_END.split(text)[0]
    many = f"{len(names):,} records are" if len(names) > 1 else "a record is"
    sentence = (
        f"the quote before {shown(start)} is not closed on its line, so that {many} in this cell and not sent either:"
        f" {named}. Close the quote or remove it; one that belongs to the text is written twice, in a value in quotes"
    )
    return Flaw(cut(text), sentence, ErrorCode.STRAY_QUOTE)


def _unclosed(text: str) -> Flaw:
    """Of a record with a quote that nothing closes, up to the end of the file."""
    lines = [line for line in _LINE_END.split(text) if line.strip()]
    rest = f"; {len(lines) - 1:,} lines below it are in this cell" if len(lines) > 1 else ""
    where = f"before {shown(lines[0])} " if lines else ""
    sentence = f"the quote {where}is never closed{rest}. Close the quote or remove it"
    return Flaw(cut(text), sentence, ErrorCode.STRAY_QUOTE)
