"""Delimited text: its encoding, its delimiter and its records."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import pandas as pd

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.grid import HEAD, Column, Grid, Score
from bulkhooks.sheets.strings import AROUND

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 1 << 16
"""So many bytes are looked at for the delimiter at first; twenty records of most files are in them."""
_PIECE = 1 << 20
"""So many bytes are checked at a time."""
_END = b"\x1a"
"""The end of a file, as DOS marked it."""
_MOST_COLUMNS = 16_384
"""As in a worksheet. What has more is no table, and would not fit into memory as one."""

# The standard library refuses fields of more than 128 KiB, for no reason that holds here.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


def read_text(label: str, file: BinaryIO, score: Score) -> Grid:
    """The records of delimited text, cells to the letter. The delimiter is the one whose header suits ``score`` best.

    Raises ``InputError`` where it is empty or cannot be taken apart.
    """
    content, is_ascii = _as_utf8(label, file)
    heads = {delimiter: _head(content, delimiter) for delimiter in DELIMITERS}
    delimiter = max(heads, key=lambda one: (score(heads[one]), max(map(len, heads[one]))))
    columns = _columns(label, content, delimiter, max(map(len, heads[delimiter])))
    return Grid("", columns, is_workbook=False, is_ascii=is_ascii)


def _as_utf8(label: str, file: BinaryIO) -> tuple[BinaryIO, bool]:
    """UTF-8 with or without a byte order mark as it is, UTF-16 with one and what must be Windows-1252 as UTF-8.

    Returns also whether all of it is ASCII.
    """
    if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
        file.seek(0)
        try:
            file = io.BytesIO(file.read().decode("utf-16").encode())
        except UnicodeError:
            raise InputError(f"{label}: begins as UTF-16 text and goes on as something else; save it again") from None
    text = _look_over(file)
    if not text.is_utf8:
        file.seek(0)
        file = io.BytesIO(file.read().decode("latin-1").translate(_WINDOWS_1252).encode())
    if text.is_blank:
        raise InputError(f"{label}: the file is empty")
    if text.has_end_mark:
        file.seek(0)
        file = io.BytesIO(file.read().rstrip(_END))
    return file, text.is_ascii


@dataclass(slots=True)
class _Text:
    is_utf8: bool = True
    is_ascii: bool = True
    is_blank: bool = True
    has_end_mark: bool = False


def _look_over(file: BinaryIO) -> _Text:
    """What kind of text it is, without holding all of it."""
    file.seek(0)
    found = _Text()
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        while piece := file.read(_PIECE):
            found.has_end_mark = piece.endswith(_END)
            is_ascii = piece.isascii()
            found.is_ascii = found.is_ascii and is_ascii
            if not is_ascii or decoder.getstate()[0] or found.is_blank:
                text = decoder.decode(piece)
                found.is_blank = found.is_blank and not text.strip(AROUND)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        found.is_utf8 = found.is_ascii = found.is_blank = False
    return found


_WINDOWS_1252 = {
    byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
"""Where Windows-1252 differs from Latin-1; the five bytes that it does not use stay what they are there."""


def _head(content: BinaryIO, delimiter: str) -> list[list[str]]:
    """The first records, from as much of the text as they take up."""
    size = _SAMPLE
    while True:
        content.seek(0)
        sample = content.read(size)
        records = list(islice(_records(sample, delimiter), HEAD + 1))
        if len(records) > HEAD or len(sample) < size:
            return records[:HEAD]
        size *= 16


def _records(content: bytes, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(content.decode("utf-8-sig", "ignore"), newline=""), delimiter=delimiter)


def _columns(label: str, content: BinaryIO, delimiter: str, width: int) -> Sequence[Column]:
    try:
        frame = _parsed(content, delimiter, width)
    except pd.errors.ParserError as error:
        if opened := re.search(r"inside string starting at row (\d+)", str(error)):
            raise InputError(
                f"{label}: the quote that is opened in record {int(opened[1]) + 1} is never closed; close or remove it"
            ) from None
        content.seek(0)
        width = max(map(len, _records(content.read(), delimiter)))
        if width > _MOST_COLUMNS:
            raise InputError(f"{label}: a record has {width:,} fields, too many for a table") from None
        frame = _parsed(content, delimiter, width)
    return [frame[position].to_numpy() for position in frame]


def _parsed(content: BinaryIO, delimiter: str, width: int) -> pd.DataFrame:
    content.seek(0)
    return pd.read_csv(
        content,
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
