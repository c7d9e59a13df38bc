"""Delimited text: its delimiter and its records."""

from __future__ import annotations

import csv
import io
import re
import sys
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

import pandas as pd

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.encoding import Text, as_utf8, name_of
from bulkhooks.sheets.reading.grid import HEAD, Grid, Records, Score

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 1 << 16
"""So many bytes are looked at for the delimiter at first; twenty records of most files are in them."""
_PIECE = 1 << 20
"""So many bytes are searched at a time."""
_MOST_COLUMNS = 16_384
"""As in a worksheet. What has more is no table, and would not fit into memory as one."""
_MOST_SURPLUS = 64
"""Fields past those of the first records that are kept of a record that has more than they have."""

# The standard library refuses fields of more than 128 KiB, for no reason that holds here.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


def read_text(label: str, file: BinaryIO, score: Score) -> Grid:
    """The records of delimited text, cells to the letter. The delimiter is the one whose header suits ``score`` best.

    A space before a quote counts for nothing. Raises ``InputError`` where the file is empty or no table.
    """
    text = as_utf8(label, file)
    heads = {delimiter: _head(text, delimiter) for delimiter in DELIMITERS}
    delimiter = max(heads, key=lambda one: (score(heads[one]), max(map(len, heads[one]))))
    widths = list(map(len, heads[delimiter]))
    if max(widths) > _MOST_COLUMNS:
        raise InputError(f"{label}: a record has {max(widths):,} fields, too many for a table")
    frame, unclosed = _closed(text, delimiter, max(widths))
    records = Records(
        delimiter,
        widths,
        is_multiline=text.lines > len(frame) or unclosed is not None,
        unclosed=unclosed,
        legacy=name_of(text.legacy) if text.legacy else "",
        legacy_at=list(_legacy_records(text, delimiter)),
        is_mixed=text.is_mixed,
    )
    columns = [frame[position].to_numpy() for position in frame]
    return Grid("", columns, is_workbook=False, is_ascii=text.is_ascii, records=records)


def _head(text: Text, delimiter: str) -> list[list[str]]:
    """The first records, from as much of the text as they take up."""
    size = _SAMPLE
    while True:
        text.file.seek(0)
        sample = text.file.read(size)
        records = list(islice(_records(sample, delimiter, spaced=text.has_spaced_quote), HEAD + 1))
        if len(records) > HEAD or len(sample) < size:
            return records[:HEAD]
        size *= 16


def _records(content: bytes, delimiter: str, *, spaced: bool = False) -> Iterator[list[str]]:
    lines = io.StringIO(content.decode("utf-8-sig", "ignore"), newline="")
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced)


def _legacy_records(text: Text, delimiter: str) -> Iterator[int]:
    """The positions of the records in which something was not UTF-8."""
    if not text.legacy_at:
        return
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for line in file:
            read += len(line) if line.isascii() else len(line.encode())
            yield line

    text.file.seek(0)
    file = io.TextIOWrapper(text.file, "utf-8", newline="")  # a lone CR ends a line for csv.reader too
    at = 0
    try:
        for number, _ in enumerate(csv.reader(lines(), delimiter=delimiter, skipinitialspace=text.has_spaced_quote)):
            if text.legacy_at[at] >= read:
                continue
            yield number
            at = bisect_left(text.legacy_at, read)
            if at == len(text.legacy_at):
                return
    finally:
        file.detach()


def _closed(text: Text, delimiter: str, width: int) -> tuple[pd.DataFrame, int | None]:
    """The cells, and the position of the record with a quote that is never closed; it is closed at the end then."""
    try:
        return _cells(text, delimiter, width), None
    except pd.errors.ParserError as error:
        opened = re.search(r"inside string starting at row (\d+)", str(error))
        if opened is None:
            raise
        text.file.seek(0)
        text.file = io.BytesIO(text.file.read() + b'"')
        return _cells(text, delimiter, width), int(opened[1])


def _cells(text: Text, delimiter: str, width: int) -> pd.DataFrame:
    """All records as columns, with more of them than ``width`` where a record has more fields."""
    spaced = text.has_spaced_quote and _is_spaced(text.file, delimiter)
    try:
        return _parsed(text.file, delimiter, width, spaced=spaced)
    except pd.errors.ParserError as error:
        if "inside string" in str(error):
            raise
    widest, most = _widest(text.file, delimiter, spaced=spaced), width + _MOST_SURPLUS
    return _parsed(text.file, delimiter, min(widest, most), spaced=spaced, only=widest > most)


def _widest(file: BinaryIO, delimiter: str, *, spaced: bool) -> int:
    """The most fields a record has."""
    file.seek(0)
    lines = io.TextIOWrapper(file, "utf-8-sig", "ignore", newline="")
    try:
        return max(map(len, csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced)))
    finally:
        lines.detach()


def _is_spaced(file: BinaryIO, delimiter: str) -> bool:
    """Whether a quote is opened behind a delimiter and a space anywhere."""
    opened = re.compile(rb"(?:^|[\r\n" + re.escape(delimiter.encode()) + rb']) +"')
    file.seek(0)
    before = b""
    while piece := file.read(_PIECE):
        if opened.search(before + piece):
            return True
        before = piece[-_MOST_SURPLUS:]
    return False


def _parsed(file: BinaryIO, delimiter: str, width: int, *, spaced: bool, only: bool = False) -> pd.DataFrame:
    """The cells in ``width`` columns; ``only`` these, whatever records have more, which else is a ``ParserError``."""
    file.seek(0)
    return pd.read_csv(
        file,
        sep=delimiter,
        header=None,
        names=range(width),
        usecols=range(width) if only else None,
        index_col=False,
        dtype=object,
        na_filter=False,
        skip_blank_lines=False,
        skipinitialspace=spaced,
        encoding="utf-8",
        engine="c",
    )
