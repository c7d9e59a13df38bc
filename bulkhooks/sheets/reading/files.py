"""From a path to sheets, whatever the format."""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.delimited import read_text
from bulkhooks.sheets.reading.grid import Grid, Score
from bulkhooks.sheets.reading.json_lines import read_json_lines
from bulkhooks.sheets.reading.workbooks.workbook import Workbook
from bulkhooks.sheets.reading.workbooks.xlsx_cells import damaged

STDIN = "-"
_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
_TEXTS = (".csv", ".tsv", ".txt")
_LINES = ".jsonl"
_ZIP = b"PK\x03\x04"
_PIECE = 1 << 20
_LONGEST_LINE = 8_000_000
"""Bytes of a line of delimited text; a cell of a spreadsheet holds 32,767 or 50,000 characters."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class File:
    """An input that could be opened. ``label`` names it in places and sentences; ``text`` is set where it is
    delimited text, else ``workbook``."""

    label: str
    path: str
    workbook: Workbook | None = None
    text: Grid | None = None

    def grids(self, names: Collection[str] | None = None) -> Iterator[Grid]:
        """Its sheets in order, of a workbook only those of these names."""
        if self.text is not None:
            yield self.text
        elif self.workbook is not None:
            yield from self.workbook.grids(self.workbook.names if names is None else names)


def label_of(path: str) -> str:
    """What a file is called in places: its name without folders, ``stdin`` for ``-``."""
    return "stdin" if path == STDIN else Path(path).name


def open_file(path: str, label: str, score: Score) -> File:
    """The file at ``path`` (``-``: CSV on standard input), taken for what it is where its suffix says otherwise.

    Raises ``InputError`` where it is missing, empty, damaged, protected, a folder, or of a format that is not read.
    """
    if path == STDIN:
        data = io.BytesIO(sys.stdin.buffer.read())
        if data.getvalue().startswith((_ZIP, _OLE)):
            raise InputError("stdin: this is a workbook; give the name of its file instead of -")
        _check_lines(label, data)
        return File(label, path, text=read_text(label, data, score))
    try:
        with Path(path).open("rb") as file:
            suffix = _suffix(label, path)
            start = file.read(len(_OLE))
            if not start:
                raise InputError(f"{label}: the file is empty")
            if start.startswith((_ZIP, _OLE)):
                return File(label, path, workbook=Workbook(label, path))
            _check_lines(label, file)
            file.seek(0)
            return File(label, path, text=_text(label, suffix, file, score))
    except FileNotFoundError:
        raise InputError(f"{label}: there is no file {path}") from None
    except IsADirectoryError:
        raise InputError(f"{label}: {path} is a folder; give the files in it") from None
    except pd.errors.EmptyDataError:
        raise InputError(
            f"{label}: no header found; the file has nothing but empty lines where one is looked for"
        ) from None
    except PermissionError:
        raise InputError(f"{label}: there is no permission to read {path}, or another program holds it") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{label}: {path!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _check_lines(label: str, file: BinaryIO) -> None:
    """Raise ``InputError`` where a line is longer than any record of a table: it would be held several times over."""
    file.seek(0)
    length = 0
    while piece := file.read(_PIECE):
        lines = piece.replace(b"\r", b"\n").split(b"\n")
        length += len(lines[0])
        longest = max(length, *map(len, lines))
        if longest > _LONGEST_LINE:
            raise InputError(
                f"{label}: a line has more than {_LONGEST_LINE:,} bytes, which is no record of a table; shorten its"
                " values, or look for a line end that is missing"
            )
        if len(lines) > 1:
            length = len(lines[-1])
    file.seek(0)


def _suffix(label: str, path: str) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in (*_WORKBOOKS, *_TEXTS, _LINES):
        raise InputError(
            f"{label}: {f'{suffix} files are' if suffix else 'a file without a suffix is'} not read;"
            f" give one of {' '.join((*_WORKBOOKS, *_TEXTS, _LINES))}"
        )
    return suffix


def _text(label: str, suffix: str, file: BinaryIO, score: Score) -> Grid:
    """Delimited text, also where it is named like a workbook, as exports of web applications often are."""
    if suffix == _LINES:
        return read_json_lines(label, file, score)
    if suffix in _TEXTS:
        return read_text(label, file, score)
    if file.read(512).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise InputError(
            f"{label}: this is a web page or XML with the suffix of a workbook; open it in Excel or LibreOffice and"
            " save it as .xlsx"
        )
    file.seek(0)
    grid = read_text(label, file, score)
    if not score(grid.head()):
        raise InputError(damaged(label))
    return grid
