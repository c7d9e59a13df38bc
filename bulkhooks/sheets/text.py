"""Delimited text: its encoding, its delimiter and its records."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import islice

import pandas as pd

from bulkhooks.errors import InputError
from bulkhooks.sheets.grid import HEAD, Column, Grid, Score

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 1 << 16
"""So many bytes are looked at for the delimiter at first; twenty records of most files are in them."""
_MOST_COLUMNS = 16_384
"""As in a worksheet. What has more is no table, and would not fit into memory as one."""

# The standard library refuses fields of more than 128 KiB, for no reason that holds here.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


def read_text(label: str, data: bytes, score: Score) -> Grid:
    """The records of delimited text, cells to the letter. The delimiter is the one whose header suits ``score`` best.

    Raises ``InputError`` where it is empty or cannot be taken apart.
    """
    content = _as_utf8(label, data)
    if (content[:_SAMPLE].isspace() and content.isspace()) or not content:
        raise InputError(f"{label}: the file is empty")
    heads = {delimiter: _head(content, delimiter) for delimiter in DELIMITERS}
    delimiter = max(heads, key=lambda one: (score(heads[one]), max(map(len, heads[one]))))
    return Grid("", _columns(label, content, delimiter, max(map(len, heads[delimiter]))), is_workbook=False)


def _as_utf8(label: str, data: bytes) -> bytes:
    """UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeError:
            raise InputError(f"{label}: begins as UTF-16 text and goes on as something else; save it again") from None
    elif not data.isascii() and not _is_utf8(data):
        data = data.decode("latin-1").translate(_WINDOWS_1252).encode()
    return data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\x1a")  # the end of a file, as DOS marked it


_WINDOWS_1252 = {
    byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
"""Where Windows-1252 differs from Latin-1; the five bytes that it does not use stay what they are there."""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _head(content: bytes, delimiter: str) -> list[list[str]]:
    """The first records, from as much of the text as they take up."""
    size = _SAMPLE
    while True:
        sample = content[:size].decode(errors="ignore")
        records = list(islice(_records(sample, delimiter), HEAD + 1))
        if len(records) > HEAD or size >= len(content):
            return records[:HEAD]
        size *= 16


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _columns(label: str, content: bytes, delimiter: str, width: int) -> Sequence[Column]:
    try:
        frame = _parsed(content, delimiter, width)
    except pd.errors.ParserError as error:
        if opened := re.search(r"inside string starting at row (\d+)", str(error)):
            raise InputError(
                f"{label}: the quote that is opened in record {int(opened[1]) + 1} is never closed; close or remove it"
            ) from None
        width = max(map(len, _records(content.decode(), delimiter)))
        if width > _MOST_COLUMNS:
            raise InputError(f"{label}: a record has {width:,} fields, too many for a table") from None
        frame = _parsed(content, delimiter, width)
    return [frame[position].to_numpy() for position in frame]


def _parsed(content: bytes, delimiter: str, width: int) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(content),
        sep=delimiter,
        header=None,
        names=range(width),
        index_col=False,
        dtype=object,
        na_filter=False,
        skip_blank_lines=False,
        encoding="utf-8",
        engine="c",
    )
