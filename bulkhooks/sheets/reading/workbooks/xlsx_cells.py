"""A second look at a sheet's XML, for what python-calamine does not tell.

It reads an error (``#REF!``) and a formula that was saved without its value as empty cells, of a link what is shown
alone, and a hidden row as any other.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TypeAlias
from xml.etree import ElementTree
from xml.parsers import expat

from bulkhooks.errors import Code, ErrorCode, InputError, WarningCode
from bulkhooks.sheets.reading.workbooks.package import pieces
from bulkhooks.sheets.strings import cut

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


Cell: TypeAlias = tuple[int, int]
"""A cell, by row and column from 0."""


def damaged(label: str) -> str:
    """The sentence for a workbook that cannot be read."""
    return f"{label}: the workbook is damaged, or no workbook at all; open it in Excel or LibreOffice and save it again"


@dataclass(frozen=True, slots=True)
class Flaw:
    """A cell (or a whole row) that cannot be taken as it is, or should be looked at: its text, and a sentence with
    what to do. Where the code is a warning's, the row is sent all the same."""

    text: str
    sentence: str
    code: Code = ErrorCode.FORMULA_ERROR

    @property
    def is_warning(self) -> bool:
        """Whether it does not stop the row."""
        return isinstance(self.code, WarningCode)

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

    @classmethod
    def of_link(cls, text: str) -> Flaw:
        """A URL that is a link, whose address only its formula knows."""
        return cls(
            text, f'the cell shows "{cut(text)}" and links somewhere else. Write the address itself', ErrorCode.BAD_URL
        )

    @classmethod
    def of_other_target(cls, text: str, target: str) -> Flaw:
        """A URL that is also a link, to another address."""
        sentence = f'the cell shows "{cut(text)}" and links to "{cut(target)}". What it shows is what counts'
        return cls(text, sentence, WarningCode.ODD_URL)

    @classmethod
    def of_hidden_row(cls) -> Flaw:
        """A row that nobody sees."""
        return cls("", "the row is hidden or filtered away, and counts all the same", WarningCode.HIDDEN_ROW)


@dataclass(frozen=True, slots=True)
class Look:
    """What the XML of a sheet says besides its values, by row and column from 0.

    ``flaws``: cells with an error or a formula without its value. ``links``: the addresses that cells link to, ``""``
    where a formula works the address out. ``hidden_rows``: hidden by hand, by a filter or by a height of 0.
    ``rows``, ``columns``: how many it takes to hold all cells that have a value.
    """

    flaws: dict[Cell, Flaw] = field(default_factory=dict)
    links: dict[Cell, str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    rows: int = 0
    columns: int = 0


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
        with self._opened(sheet) as (_, part):
            found = re.search(rb'dimension\s+ref="(?:[^":]*:)?([A-Z]+)(\d+)"', part.read(4096))
        return (int(found[2]), _column(found[1].decode()) + 1) if found else (0, 0)

    def reach(self, sheet: str) -> tuple[int, int]:
        """How many rows and columns it takes to hold all cells of a sheet that have a value."""
        if sheet not in self._parts:
            return 0, 0
        with self._opened(sheet) as (_, part):
            look = _Cells({}).read(part)
        return look.rows, look.columns

    def at(self, sheet: str, *, with_flaws: bool) -> Look:
        """A look at one sheet. Its XML is taken apart only where something in it may matter, because that takes longer
        than all other reading; ``with_flaws``: whether any cell came out empty, which may be a flaw.

        Raises ``InputError`` where the workbook turns out to be damaged.
        """
        if sheet not in self._parts:
            return Look()
        suspect = _SUSPECT_OR_FLAWED if with_flaws else _SUSPECT
        with self._opened(sheet) as (_, part):
            if not any(suspect.search(piece) for piece in pieces(part, _OVERLAP)):
                return Look()
        with self._opened(sheet) as (package, part):
            return _Cells(_link_targets(package, self._parts[sheet])).read(part)

    @contextmanager
    def _opened(self, sheet: str) -> Iterator[tuple[zipfile.ZipFile, IO[bytes]]]:
        try:
            with zipfile.ZipFile(self._path) as package, package.open(self._parts[sheet]) as part:
                yield package, part
        except _DAMAGE:
            raise InputError(damaged(self._label)) from None


_OVERLAP = 256
"""Bytes that a piece has in common with the one before it, so that no tag is cut in two."""
_SUSPECT = re.compile(rb"""hidden=["'](?:1|t)[^<>]{0,200}>\s*<(?:\w+:)?c\b|\bht=["']0["']|HYPERLINK\(|hyperlinks\b""")
_SUSPECT_OR_FLAWED = re.compile(_SUSPECT.pattern + rb"""|\bt=["']e["']|<(?:\w+:)?f\b""")


class _Cells:
    """Goes through the XML of a sheet. ``targets``: addresses by the id that links have in it."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        self._targets = targets
        self._flaws: dict[Cell, Flaw] = {}
        self._links: dict[Cell, str] = {}
        self._hidden: set[int] = set()
        self._rows = self._columns = 0
        self._row = self._column = -1
        self._type = ""
        self._texts: dict[str, str] = {}
        self._inside = ""

    def read(self, part: IO[bytes]) -> Look:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.ParseFile(part)
        return Look(self._flaws, self._links, self._hidden, self._rows, self._columns)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(" ")[2]
        if name == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
            if attributes.get("hidden") in {"1", "true"} or attributes.get("ht") == "0":
                self._hidden.add(self._row)
        elif name == "c":
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
            self._type = attributes.get("t", "n")
            self._texts = {}
        elif name in {"f", "v", "is"}:
            self._inside = name
            self._texts[name] = ""
        elif name == "hyperlink":
            self._link(attributes)

    def _data(self, text: str) -> None:
        if self._inside:
            self._texts[self._inside] += text

    def _end(self, name: str) -> None:
        name = name.rpartition(" ")[2]
        if name in {"f", "v", "is"}:
            self._inside = ""
        elif name == "c":
            if any(self._texts.values()):
                self._rows, self._columns = max(self._rows, self._row + 1), max(self._columns, self._column + 1)
            formula, value = self._texts.get("f"), self._texts.get("v", "")
            if self._type == "e":
                self._flaws[self._row, self._column] = Flaw.of_cell(value or "#N/A", is_formula=False)
            elif formula is not None and not value and self._type != "str":
                self._flaws[self._row, self._column] = Flaw.of_cell(f"={formula}", is_formula=True)
            if formula and formula.startswith("HYPERLINK("):
                literal = _LINK_FORMULA.match(formula)
                self._links[self._row, self._column] = literal[1].replace('""', '"') if literal else ""

    def _link(self, attributes: dict[str, str]) -> None:
        """A link of cells to somewhere outside the workbook."""
        identifier = next((value for key, value in attributes.items() if key.endswith("relationships id")), "")
        target = self._targets.get(identifier, "")
        if not target:
            return
        if location := attributes.get("location"):
            target += f"#{location}"
        first, _, last = attributes.get("ref", "").partition(":")
        if (top := _ROW.search(first)) and (bottom := _ROW.search(last or first)):
            rows = range(int(top[0]) - 1, min(int(bottom[0]), self._rows))
            columns = range(_column(first), min(_column(last or first) + 1, self._columns))
            self._links |= {(row, column): target for row in rows for column in columns}


_ROW = re.compile(r"\d+$", re.ASCII)
_LINK_FORMULA = re.compile(r'HYPERLINK\(\s*"((?:[^"]|"")*)"\s*[,;)]')


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
    """What a part refers to: kind and place of each target, by id. An address outside the package stays as it is."""
    folder, name = posixpath.split(part)
    root = ElementTree.fromstring(package.read(posixpath.join(folder, "_rels", f"{name}.rels")))  # noqa: S314
    relations = {}
    for relation in root:
        target = relation.get("Target", "")
        if relation.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        relations[relation.get("Id", "")] = relation.get("Type", "").rpartition("/")[2], target
    return relations


def _link_targets(package: zipfile.ZipFile, part: str) -> dict[str, str]:
    """The addresses that cells of a sheet link to, by id."""
    try:
        relations = _relations(package, part)
    except KeyError:  # a sheet without links has none
        return {}
    return {identifier: target for identifier, (kind, target) in relations.items() if kind == "hyperlink"}
