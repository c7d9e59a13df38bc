"""--write-back: the result sheets in a copy of the input workbook.

The sheets are added to the package itself, so every part of the user's file stays as it was to the last byte (charts,
pictures, macros, sparklines, whatever it holds), but for the lists in which the new sheets have to be named: the
workbook, its references, the types of parts, and the styles, at whose end those of the new sheets are put.
"""

from __future__ import annotations

import copy as copying
import posixpath
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from xml.sax.saxutils import quoteattr

from bulkhooks.errors import OutputError
from bulkhooks.sheets.package import RELATIONSHIPS, Element, insert, parse, references, references_of
from bulkhooks.sheets.places import Place, reason
from bulkhooks.sheets.writeback_styles import Offsets, merged_styles

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_WORKBOOK_ORDER = (
    "fileVersion fileSharing workbookPr workbookProtection bookViews sheets functionGroups externalReferences"
    " definedNames"
).split()
_TYPES = "[Content_Types].xml"
_CHUNK = 1 << 20


def write_back(workbook: Path, results: Path, copy: Path) -> Path:
    """Write ``copy``: the workbook (.xlsx, .xlsm) and after its own sheets those of ``results``; returns where it is.

    A sheet whose name is taken gets `` (2)`` behind it. Raises ``OutputError``, and writes nothing, where the workbook is
    such that something in it could not be kept (a signature, another kind of file) or the copy cannot be written.
    """
    place = Place(copy)
    try:
        with zipfile.ZipFile(workbook) as theirs, zipfile.ZipFile(results) as ours:
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


class _Joined:
    """Two packages as one. What is said of "theirs" is the user's, "ours" the results workbook."""

    def __init__(self, workbook: Path, theirs: zipfile.ZipFile, ours: zipfile.ZipFile) -> None:
        self._theirs, self._ours = theirs, ours
        self._taken = {name.lower() for name in theirs.namelist()}
        self._book_part = _office_document(theirs)
        self._book = theirs.read(self._book_part)
        root = parse(self._book)
        self._refuse_what_cannot_be_kept(workbook, root)
        self._their_sheets = _sheets(root)
        our_references = references(ours.read("xl/_rels/workbook.xml.rels"), "xl/workbook.xml")
        our_sheets = _sheets(parse(ours.read("xl/workbook.xml")))
        names = {sheet.attributes["name"].lower() for sheet in self._their_sheets}
        self._sheets = {sheet.attributes["name"]: our_references[_reference_id(sheet)][1] for sheet in our_sheets}
        self._names = {name: _free(name, names) for name in self._sheets}
        self._parts = {part: self._free_part(part) for part in self._our_parts()}

    def write(self, target: zipfile.ZipFile) -> None:
        """Write both: theirs in its order, with the few lists changed, then what is ours."""
        changed, offsets = self._changed()
        for entry in self._theirs.infolist():
            if entry.filename in changed:
                target.writestr(_like(entry), changed.pop(entry.filename))
            else:
                with self._theirs.open(entry) as source, target.open(_like(entry), "w", force_zip64=True) as sink:
                    shutil.copyfileobj(source, sink, _CHUNK)
        for name, content in changed.items():
            target.writestr(name, content)
        for part, new in self._parts.items():
            with self._ours.open(part) as source, target.open(new, "w", force_zip64=True) as sink:
                for chunk in self._rewritten(part, source, offsets):
                    sink.write(chunk)

    def _refuse_what_cannot_be_kept(self, workbook: Path, root: Element) -> None:
        namespace = root.attributes.get(f"xmlns:{root.prefix.decode()[:-1]}" if root.prefix else "xmlns")
        if namespace != _MAIN:
            raise OutputError(f'{workbook} is a "Strict Open XML" workbook; save it as an ordinary one (.xlsx)')
        if any(name.startswith("_xmlsignatures/") for name in self._taken):
            raise OutputError(f"{workbook} is digitally signed, and the signature would not hold for a copy with new sheets")

    def _our_parts(self) -> Iterator[str]:
        """The sheets of the results, and whatever they refer to."""
        waiting = list(self._sheets.values())
        while waiting:
            part = waiting.pop(0)
            yield part
            if (held := references_of(part)) in self._ours.namelist():
                yield held
                waiting += [other for _, other in references(self._ours.read(held), part).values()]

    def _free_part(self, part: str) -> str:
        """A name for a part of ours that theirs does not have: ``xl/worksheets/results1.xml``."""
        folder, name = posixpath.split(part.removesuffix(".rels"))
        number = 0
        while True:
            new = posixpath.join(folder, f"results{number or ''}_{name}") + (".rels" if part.endswith(".rels") else "")
            if new.lower() not in self._taken:
                return new
            number += 1

    def _changed(self) -> tuple[dict[str, bytes], Offsets]:
        held = references_of(self._book_part)
        book_references = self._theirs.read(held)
        known = references(book_references, self._book_part)
        types = self._theirs.read(_TYPES)
        our_types = {
            element.attributes["PartName"].lstrip("/"): element.attributes["ContentType"]
            for element in parse(self._ours.read(_TYPES)).children
            if element.name == "Override"
        }
        styles = next((part for kind, part in known.values() if kind == "styles"), None)
        merged, offsets = merged_styles(self._theirs.read(styles) if styles else None, self._ours.read("xl/styles.xml"))
        ids = (f"rIdResults{number}" for number in range(10_000))
        new_references, new_types, new_sheets = [], [], []
        if styles is None:
            styles = "xl/results_styles.xml"
            new_references.append(_reference(next(ids), "styles", styles))
            new_types.append(_override(styles, our_types["xl/styles.xml"]))
        highest = max((int(sheet.attributes["sheetId"]) for sheet in self._their_sheets), default=0)
        prefix = _relationship_prefix(parse(self._book, 1))
        for number, (name, part) in enumerate(self._sheets.items(), start=1):
            reference_id = next(free for free in ids if free not in known)
            new_references.append(_reference(reference_id, "worksheet", self._parts[part]))
            new_sheets.append(
                f"<sheet name={quoteattr(self._names[name])} sheetId=\"{highest + number}\" {prefix}:id=\"{reference_id}\"/>"
            )
        new_types += [_override(new, our_types[part]) for part, new in self._parts.items() if part in our_types]
        book = insert(self._book, ["sheets"], "".join(new_sheets).encode())
        if names := self._defined_names():
            book = insert(book, ["definedNames"], names, _WORKBOOK_ORDER)
        changed = {
            _TYPES: insert(types, [], "".join(new_types).encode()),
            self._book_part: book,
            held: insert(book_references, [], "".join(new_references).encode()),
            styles: merged,
        }
        return changed, offsets

    def _defined_names(self) -> bytes:
        """Filters and print areas of our sheets, which are counted by the position of the sheet."""
        ours = self._ours.read("xl/workbook.xml")
        element = parse(ours).child("definedNames")
        found = ours[element.inside : element.outside] if element else b""
        shift = len(self._their_sheets)
        found = re.sub(
            rb'localSheetId="(\d+)"', lambda match: b'localSheetId="%d"' % (int(match[1]) + shift), found
        )
        return self._renamed(found)

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


def _office_document(package: zipfile.ZipFile) -> str:
    for kind, part in references(package.read("_rels/.rels"), "").values():
        if kind == "officeDocument":
            return part
    raise KeyError("officeDocument")


def _sheets(root: Element) -> list[Element]:
    sheets = root.child("sheets")
    return sheets.children if sheets else []


def _reference_id(sheet: Element) -> str:
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
    like.create_system, like.extra = entry.create_system, b""
    return copying.copy(like)


def _in_pieces(source: IO[bytes], change: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """A long part changed piece by piece, never cut inside a tag."""
    rest = b""
    while chunk := source.read(_CHUNK):
        piece, mark, tail = (rest + chunk).rpartition(b"<")
        yield change(piece)
        rest = mark + tail
    yield change(rest)
