"""--write-back: the result sheets in a copy of the input workbook.

The sheets are added to the package itself, so every part of the user's file stays as it was to the last byte (charts,
pictures, macros, sparklines, whatever it holds), but for the lists in which the new sheets have to be named: the
workbook, its references, the types of parts, and the styles, at whose end those of the new sheets are put.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import IO

from bulkhooks.errors import OutputError
from bulkhooks.sheets.writeback.earlier import earlier_sheets
from bulkhooks.sheets.writeback.package import RELATIONSHIPS, Element, inner, insert, parse, references, references_of
from bulkhooks.sheets.writeback.styles import Offsets, merged_styles
from bulkhooks.sheets.writing.atomic_file import Place, reason
from bulkhooks.sheets.writing.locations_sheet import LOCATIONS

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_WORKBOOK_ORDER = [
    *("fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups"),
    *("externalReferences", "definedNames"),
]
_TYPES = "[Content_Types].xml"
_CHUNK = 1 << 20
_LOCAL = re.compile(rb'localSheetId="(\d+)"')
_DEFINED_NAME = re.compile(rb'<(?:\w+:)?definedName [^>]*localSheetId="(\d+)"[^>]*>[^<]*</(?:\w+:)?definedName>')


def write_back(workbook: Path, results: Path, copy: Path) -> Path:
    """Write ``copy``: the workbook (.xlsx, .xlsm) and after its own sheets those of ``results``; returns where it is.

    A sheet whose name is taken gets `` (2)`` behind it; one that an earlier run put there is replaced. Raises
    ``OutputError``, and writes nothing, where something in the workbook could not be kept (a signature, another kind
    of file) or the copy cannot be written.
    """
    place = Place(copy)
    try:
        with _opened(workbook) as theirs, _opened(results) as ours:
            joined = _Joined(workbook, theirs, ours)
            with zipfile.ZipFile(place.file, "w", zipfile.ZIP_DEFLATED) as target:
                joined.write(target)
        return place.move()
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        raise OutputError(f"{workbook} is not a workbook that sheets can be added to (.xlsx, .xlsm)") from error
    except OSError as error:
        raise OutputError(f"{copy} cannot be written: {reason(error)}") from error
    finally:
        place.discard()


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {reason(error)}") from error


class _Joined:
    """Two packages as one. "Theirs" is the user's workbook, "ours" the results."""

    def __init__(self, workbook: Path, theirs: zipfile.ZipFile, ours: zipfile.ZipFile) -> None:
        self._theirs, self._ours = theirs, ours
        self._present = {name.lower() for name in theirs.namelist()}
        self._book_part = _office_document(theirs)
        self._book = theirs.read(self._book_part)
        root = parse(self._book)
        self._refuse_what_cannot_be_kept(workbook, root)
        self._references = references(theirs.read(references_of(self._book_part)), self._book_part)
        self._their_sheets = {sheet.attributes["name"]: self._references[_id(sheet)][1] for sheet in _sheets(root)}
        self._highest_id = max((int(sheet.attributes["sheetId"]) for sheet in _sheets(root)), default=0)
        our_references = references(ours.read("xl/_rels/workbook.xml.rels"), "xl/workbook.xml")
        our_root = parse(ours.read("xl/workbook.xml"))
        ours_by_name = {sheet.attributes["name"]: our_references[_id(sheet)][1] for sheet in _sheets(our_root)}
        kept = {name for name in ours_by_name if name != LOCATIONS or name not in self._their_sheets}
        self._sheets = {name: part for name, part in ours_by_name.items() if name in kept}
        self._names = self._named(earlier_sheets(workbook))
        self._parts = self._placed()

    def write(self, target: zipfile.ZipFile) -> None:
        """Write both: theirs in its order, with the few lists changed, then what is ours."""
        changed, offsets = self._changed()
        replaced = set(self._parts.values())
        for entry in self._theirs.infolist():
            if entry.filename in changed:
                target.writestr(_like(entry), changed.pop(entry.filename))
            elif entry.filename not in replaced:
                with self._theirs.open(entry) as source, target.open(_like(entry), "w") as sink:
                    shutil.copyfileobj(source, sink, _CHUNK)
        for name, content in changed.items():
            target.writestr(name, content)
        for part in set(self._parts).intersection(self._ours.namelist()):
            entry = _new(self._parts[part], self._ours.getinfo(part).file_size)
            with self._ours.open(part) as source, target.open(entry, "w") as sink:
                for chunk in self._rewritten(part, source, offsets):
                    sink.write(chunk)

    def _refuse_what_cannot_be_kept(self, workbook: Path, root: Element) -> None:
        namespace = root.attributes.get(f"xmlns:{root.prefix.decode()[:-1]}" if root.prefix else "xmlns")
        if namespace != _MAIN:
            raise OutputError(f'{workbook} is a "Strict Open XML" workbook; save it as an ordinary one (.xlsx)')
        if any(name.startswith("_xmlsignatures/") for name in self._present):
            raise OutputError(f"{workbook} is digitally signed, and the signature would not hold once sheets are added")

    def _named(self, earlier: Mapping[str, str]) -> dict[str, str]:
        """The names of our sheets in the copy: that of the sheet from an earlier run, or their own if it is free."""
        places: dict[str, list[str]] = {}
        for name, kind in earlier.items():
            places.setdefault(kind, []).append(name)
        names, taken = {}, {name.lower() for name in self._their_sheets}
        for name in self._sheets:
            known = places.get(name.partition(" ")[0])
            names[name] = known.pop(0) if known else _free(name, taken)
        return names

    def _placed(self) -> dict[str, str]:
        """Our parts, and what they are called in the copy."""
        old = {part: self._their_sheets.get(self._names[name]) for name, part in self._sheets.items()}
        parts = {}
        for part in _with_all(self._ours, self._sheets.values()):
            parts[part] = old.get(part) or self._free_part(part)
            parts[references_of(part)] = references_of(parts[part])
        return parts

    def _free_part(self, part: str) -> str:
        """A name for a part of ours that theirs does not have: ``xl/worksheets/results_sheet1.xml``."""
        folder, name = posixpath.split(part)
        numbered = (posixpath.join(folder, f"results{number or ''}_{name}") for number in count())
        return next(new for new in numbered if new.lower() not in self._present)

    def _changed(self) -> tuple[dict[str, bytes], Offsets]:
        held = references_of(self._book_part)
        types = {
            element.attributes["PartName"].lstrip("/"): element.attributes["ContentType"]
            for element in parse(self._ours.read(_TYPES)).children
            if element.name == "Override"
        }
        ids = (name for name in map("rIdResults{}".format, count(1)) if name not in self._references)
        styles = next((part for kind, part in self._references.values() if kind == "styles"), None)
        merged, offsets = merged_styles(self._theirs.read(styles) if styles else None, self._ours.read("xl/styles.xml"))
        new_references, new_types, new_sheets = [], [], []
        if styles is None:
            styles = "xl/results_styles.xml"
            new_references.append(_reference(next(ids), "styles", styles))
            new_types.append(_override(styles, types["xl/styles.xml"]))
        prefix = _relationship_prefix(parse(self._book, 1))
        added = [name for name in self._sheets if self._names[name] not in self._their_sheets]
        for number, name in enumerate(added, start=self._highest_id + 1):
            sheet_id = next(ids)
            new_references.append(_reference(sheet_id, "worksheet", self._parts[self._sheets[name]]))
            new_sheets.append(f'<sheet name="{self._names[name]}" sheetId="{number}" {prefix}:id="{sheet_id}"/>')
        for part, new in self._parts.items():
            if part in types and new.lower() not in self._present:
                new_types.append(_override(new, types[part]))
        changed = {
            _TYPES: insert(self._theirs.read(_TYPES), [], "".join(new_types).encode()),
            self._book_part: self._with_defined_names(insert(self._book, ["sheets"], "".join(new_sheets).encode())),
            held: insert(self._theirs.read(held), [], "".join(new_references).encode()),
            styles: merged,
        }
        return changed, offsets

    def _with_defined_names(self, book: bytes) -> bytes:
        """Filters and print areas of our sheets, which are counted by the position of the sheet."""
        after = [sheet.attributes["name"] for sheet in _sheets(parse(book))]
        positions = [after.index(self._names[name]) for name in self._sheets]
        replaced = {position for position in positions if position < len(self._their_sheets)}
        book = _DEFINED_NAME.sub(lambda found: b"" if int(found[1]) in replaced else found[0], book)
        ours = _LOCAL.sub(
            lambda found: b'localSheetId="%d"' % positions[int(found[1])],
            inner(self._ours.read("xl/workbook.xml"), "definedNames"),
        )
        return insert(book, ["definedNames"], self._renamed(ours), _WORKBOOK_ORDER)

    def _rewritten(self, part: str, source: IO[bytes], offsets: Offsets) -> Iterator[bytes]:
        if part.endswith(".rels"):
            yield self._redirected(part, source.read())
        elif part in self._sheets.values():
            yield from _in_pieces(source, lambda piece: self._renamed(offsets.apply(piece)))
        else:
            yield self._renamed(source.read())

    def _redirected(self, held: str, xml: bytes) -> bytes:
        folder = posixpath.dirname(posixpath.dirname(held))
        for _, part in references(xml, posixpath.join(folder, "part")).values():
            old, new = (posixpath.relpath(name, folder) for name in (part, self._parts[part]))
            xml = xml.replace(f'"{old}"'.encode(), f'"{new}"'.encode())
        return xml

    def _renamed(self, xml: bytes) -> bytes:
        """References to our sheets by name, in formulas of charts, links and filters."""
        for name, new in self._names.items():
            if name != new:
                pattern = rb"(?<=[>\"(,])(?:'%b'|%b)!(?=\$?[A-Z])" % (name.encode(), name.encode())
                xml = re.sub(pattern, f"'{new}'!".encode(), xml)
        return xml


def _with_all(package: zipfile.ZipFile, sheets: Iterable[str]) -> Iterator[str]:
    """The parts of these sheets, and whatever they refer to."""
    waiting, present = list(sheets), set(package.namelist())
    while waiting:
        part = waiting.pop(0)
        yield part
        if (held := references_of(part)) in present:
            yield held
            waiting += [other for _, other in references(package.read(held), part).values()]


def _office_document(package: zipfile.ZipFile) -> str:
    for kind, part in references(package.read("_rels/.rels"), "").values():
        if kind == "officeDocument":
            return part
    raise KeyError("officeDocument")


def _sheets(root: Element) -> list[Element]:
    sheets = root.child("sheets")
    return sheets.children if sheets else []


def _id(sheet: Element) -> str:
    return next(value for name, value in sheet.attributes.items() if name.endswith(":id"))


def _relationship_prefix(root: Element) -> str:
    for name, value in root.attributes.items():
        if value == RELATIONSHIPS and name.startswith("xmlns:"):
            return name.removeprefix("xmlns:")
    return f'xmlns:results="{RELATIONSHIPS}" results'


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free.lower())
    return free


def _reference(reference_id: str, kind: str, part: str) -> str:
    return f'<Relationship Id="{reference_id}" Type="{RELATIONSHIPS}/{kind}" Target="/{part}"/>'


def _override(part: str, content_type: str) -> str:
    return f'<Override PartName="/{part}" ContentType="{content_type}"/>'


def _like(entry: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """An entry of the copy that has all the original says of itself but where it lies."""
    like = zipfile.ZipInfo(entry.filename, entry.date_time)
    like.compress_type, like.external_attr, like.comment = entry.compress_type, entry.external_attr, entry.comment
    like.create_system, like.file_size = entry.create_system, entry.file_size
    return like


def _new(name: str, size: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    # From the size it follows whether the long form is used, which Excel takes only where it has to be.
    entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, size + size // 4
    return entry


def _in_pieces(source: IO[bytes], change: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """A long part changed piece by piece, never cut inside a tag."""
    rest = b""
    while chunk := source.read(_CHUNK):
        piece, mark, tail = (rest + chunk).rpartition(b"<")
        yield change(piece)
        rest = mark + tail
    yield change(rest)
