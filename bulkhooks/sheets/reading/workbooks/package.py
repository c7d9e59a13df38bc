"""A first look at the package of a workbook (``.xlsx``, ``.xlsm``, ``.ods``): is it far larger than it seems?"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bulkhooks.errors import InputError

_MOST_UNPACKED = 1 << 30
"""Bytes that a package may unpack to, or as many times its size as ``_MOST_FOLD`` says; tables unpack to 5 to 20."""
_MOST_FOLD = 100
_CHUNK = 1 << 20
_OVERLAP = 64
_REPEATED = re.compile(rb"number-(rows|columns)-repeated\s*=\s*[\"'](\d{5,40})")
_MOST_REPEATED = {b"rows": 1_048_576, b"columns": 16_384}
"""Of a sheet in LibreOffice, which writes its empty rest as repeated."""


def check_package(label: str, path: str) -> None:
    """Raise ``InputError`` where a workbook unpacks to, or repeats its cells to, more than any table would.

    Whatever else is wrong with it is left to those who read it.
    """
    try:
        with zipfile.ZipFile(path) as package:
            unpacked = sum(part.file_size for part in package.infolist())
            if unpacked > max(_MOST_UNPACKED, _MOST_FOLD * Path(path).stat().st_size):
                raise InputError(
                    f"{label}: the workbook unpacks to {unpacked / 1e9:,.1f} GB, far more than a table of its size;"
                    " keep the table alone, and save it again"
                )
            if "content.xml" in package.namelist():
                with package.open("content.xml") as content:
                    _check_repeats(label, content)
    except (OSError, EOFError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        return


def _check_repeats(label: str, content: IO[bytes]) -> None:
    for piece in pieces(content, _OVERLAP):
        for kind, count in _REPEATED.findall(piece):
            if int(count) > _MOST_REPEATED[kind]:
                raise InputError(
                    f"{label}: the workbook repeats {kind.decode()} {int(count):,} times, more than a sheet has; open"
                    " it in LibreOffice, keep the table alone, and save it again"
                )


def pieces(part: IO[bytes], overlap: int) -> Iterator[bytes]:
    """A part of a package bit by bit, each with the end of the one before, so that no tag is cut in two."""
    tail = b""
    while piece := part.read(_CHUNK):
        yield tail + piece
        tail = piece[-overlap:]
