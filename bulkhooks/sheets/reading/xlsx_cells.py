"""A second look at a sheet's XML, for cells that come out empty though they are not.

python-calamine reads an error (``#REF!``) and a formula that was saved without its value as empty cells.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Self
from xml.etree import ElementTree
from xml.parsers import expat

from bulkhooks.errors import ErrorCode, InputError
from bulkhooks.sheets.strings import cut

_CHUNK = 1 << 20
_DAMAGE = (
    OSError,
    EOFError,
    LookupError,
    ValueError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    ElementTree.ParseError,
)
"""What the standard library raises for packages and XML that are not as they should be."""


def damaged(label: str) -> str:
    """The sentence for a workbook that cannot be read."""
    return f"{label}: the workbook is damaged, or no workbook at all; open it in Excel or LibreOffice and save it again"


@dataclass(frozen=True, slots=True)
class Flaw:
    """A cell that cannot be taken as it is: its text, and a sentence with what to do."""

    text: str
    sentence: str
    code: ErrorCode = ErrorCode.FORMULA_ERROR

    @classmethod
    def of_cell(cls, text: str, *, is_formula: bool) -> Flaw:
        """A cell with an error, or (``is_formula``) with a formula without its value."""
        if is_formula:
            advice = "Open the workbook in Excel or LibreOffice, save it and try again"
            return cls(text, f"the formula {text} was saved without its value. {advice}")
        return cls(text, f"the cell holds the error {text}. Correct its formula or type the value")

    @classmethod
    def of_id(cls, status: str, text: str) -> Flaw:
        """A row of a results file that says it is done, and names no webhook."""
        what = f'"{cut(text)}" is no id of a webhook' if text else "it has no WebhookId"
        advice = "Write its id, or empty the Status if it is to be sent"
        return cls(text, f"the Status is {status}, but {what}. {advice}", ErrorCode.MISSING_VALUE)

    @classmethod
    def of_example(cls, url: str) -> Flaw:
        """A row written over an example of the template, with its URL left standing."""
        return cls(url, f"{url} is the template's example. Write where the events are to go", ErrorCode.BAD_URL)


class XlsxCells:
    """The package of a workbook, for its sheets' cells as they are stored. Only ``.xlsx`` and ``.xlsm`` have one."""

    def __init__(self, label: str, path: str) -> None:
        self._label = label
        self._path = path
        self._parts = _parts(path)

    def extent(self, sheet: str) -> tuple[int, int]:
        """How many rows and columns the sheet says it uses, 0 where it says nothing."""
        if sheet not in self._parts:
            return 0, 0
        with self._opened(sheet) as part:
            found = re.search(rb'dimension\s+ref="(?:[^":]*:)?([A-Z]+)(\d+)"', part.read(4096))
        return (int(found[2]), _column(found[1].decode()) + 1) if found else (0, 0)

    def reach(self, sheet: str) -> tuple[int, int]:
        """How many rows and columns it takes to hold all cells of a sheet that have a value."""
        with self._opened(sheet) as part:
            cells = _Cells().read(part)
        return cells.rows, cells.columns

    def flaws(self, sheet: str) -> dict[tuple[int, int], Flaw]:
        """The cells of a sheet that hold an error or a formula without a value, by row and column from 0.

        Raises ``InputError`` where the workbook turns out to be damaged.
        """
        if sheet not in self._parts:
            return {}
        with self._opened(sheet) as part:
            if not any(_is_suspect(piece) for piece in _pieces(part)):
                return {}
        with self._opened(sheet) as part:
            return _Cells().read(part).found

    @contextmanager
    def _opened(self, sheet: str) -> Iterator[IO[bytes]]:
        try:
            with zipfile.ZipFile(self._path) as package, package.open(self._parts[sheet]) as part:
                yield part
        except _DAMAGE:
            raise InputError(damaged(self._label)) from None


def _pieces(part: IO[bytes]) -> Iterator[bytes]:
    """A part of the package bit by bit, each with the end of the one before."""
    tail = b""
    while piece := part.read(_CHUNK):
        yield tail + piece
        tail = piece[-16:]


def _is_suspect(piece: bytes) -> bool:
    return b't="e"' in piece or b"t='e'" in piece or b"<f" in piece or b":f" in piece


class _Cells:
    """Goes through the XML of a sheet: how far its cells reach, and those that look empty and are not."""

    def __init__(self) -> None:
        self.found: dict[tuple[int, int], Flaw] = {}
        self.rows = self.columns = 0
        self._row = self._column = -1
        self._type = ""
        self._texts: dict[str, str] = {}
        self._inside = ""

    def read(self, part: IO[bytes]) -> Self:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.ParseFile(part)
        return self

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(" ")[2]
        if name == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
        elif name == "c":
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
            self._type = attributes.get("t", "n")
            self._texts = {}
        elif name in {"f", "v", "is"}:
            self._inside = name
            self._texts[name] = ""

    def _data(self, text: str) -> None:
        if self._inside:
            self._texts[self._inside] += text

    def _end(self, name: str) -> None:
        name = name.rpartition(" ")[2]
        if name in {"f", "v", "is"}:
            self._inside = ""
        elif name == "c":
            if any(self._texts.values()):
                self.rows, self.columns = max(self.rows, self._row + 1), max(self.columns, self._column + 1)
            formula, value = self._texts.get("f"), self._texts.get("v", "")
            if self._type == "e":
                self.found[self._row, self._column] = Flaw.of_cell(value or "#N/A", is_formula=False)
            elif formula is not None and not value and self._type != "str":
                self.found[self._row, self._column] = Flaw.of_cell(f"={formula}", is_formula=True)


def _column(reference: str) -> int:
    number = 0
    for character in reference.rstrip("0123456789"):
        number = number * 26 + ord(character) - ord("A") + 1
    return number - 1


def _parts(path: str) -> dict[str, str]:
    """Where in the package each worksheet is, by its name; nothing where there is no package of this kind."""
    try:
        with zipfile.ZipFile(path) as package:
            book = next(target for kind, target in _relations(package, "").values() if kind == "officeDocument")
            targets = _relations(package, book)
            root = ElementTree.fromstring(package.read(book))  # noqa: S314 - expat refuses what grows without end
            return {
                sheet.get("name", ""): targets[identifier][1]
                for sheet in root.iter()
                if sheet.tag.endswith("}sheet")
                for key, identifier in sheet.items()
                if key.endswith("relationships}id") and targets.get(identifier, ("", ""))[0] == "worksheet"
            }
    except (*_DAMAGE, StopIteration):
        return {}


def _relations(package: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """What a part refers to: kind and place of each target, by id."""
    folder, name = posixpath.split(part)
    root = ElementTree.fromstring(package.read(posixpath.join(folder, "_rels", f"{name}.rels")))  # noqa: S314
    return {
        relation.get("Id", ""): (
            relation.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, relation.get("Target", ""))).lstrip("/"),
        )
        for relation in root
    }
