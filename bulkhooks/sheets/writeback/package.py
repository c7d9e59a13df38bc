"""The package that a workbook is (ECMA-376, part 2): parts in a zip archive, their types, and who refers to whom.

A part is called by its path in the package, ``xl/workbook.xml``; capitals, a leading slash and backslashes, which some
programs write into the archive, do not count. What is not edited is copied as it is.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import unquote

from lxml import etree

from bulkhooks.errors import OutputError
from bulkhooks.sheets.writeback.tree import RELATIONSHIPS, Element, children, parse, serialised

Write = Callable[[IO[bytes]], None]
_TYPES = "[Content_Types].xml"
_TYPES_NAMESPACE = "http://schemas.openxmlformats.org/package/2006/content-types"
_REFERENCES_NAMESPACE = "http://schemas.openxmlformats.org/package/2006/relationships"
_REFERENCES_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_CHUNK = 1 << 20
_MOST_UNPACKED = 2 << 30
"""Bytes of a whole workbook, unpacked; the largest sheet that Excel opens stays below."""
_MOST_TREE = 32 << 20
"""Bytes of one part that is held as a tree, which takes ten times as much memory."""


class Reference(NamedTuple):
    """One reference of a part: ``kind`` is the last word of its type, ``part`` is empty if it leads out."""

    id: str
    kind: str
    part: str


class Package:
    """A workbook file that is read, and edited for a copy; ``path`` stands in the sentences.

    Raises ``OutputError`` for what is known to be no such package: not there, no archive, encrypted, too large, parts
    twice. Close it, or use it as a context.
    """

    def __init__(self, path: Path, most_unpacked: int = _MOST_UNPACKED) -> None:
        self.path, self._most_unpacked = path, most_unpacked
        try:
            with path.open("rb") as file:
                beginning = file.read(len(_OLE))
            if beginning == _OLE:
                raise self.refusal("is protected with a password, or an old .xls: save it as .xlsx without a password")
            self._archive = zipfile.ZipFile(path)
        except OSError as error:
            raise OutputError(f"{path} cannot be read: {error.strerror or error}") from error
        except zipfile.BadZipFile as error:
            raise self.refusal("is not a workbook that sheets can be added to (.xlsx, .xlsm)") from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._trees: dict[str, Element] = {}
        self._edited: dict[str, str] = {}
        self._streams: dict[str, tuple[str, Write, int]] = {}
        self._removed: set[str] = set()
        try:
            self._index()
        except BaseException:
            self._archive.close()
            raise

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def refusal(self, why: str) -> OutputError:
        """The error that names this file and says why there is no copy of it."""
        return OutputError(f"{self.path} {why}")

    def _index(self) -> None:
        if sum(entry.file_size for entry in self._archive.infolist()) > self._most_unpacked:
            raise self.refusal(f"unpacks to more than {self._most_unpacked >> 30} GB, which no workbook needs")
        for entry in self._archive.infolist():
            if entry.flag_bits & 1:
                raise self.refusal("is protected with a password: save it without one")
            if entry.is_dir():
                continue
            if _key(entry.filename) in self._entries:
                raise self.refusal(f"has the part {entry.filename!r} twice: open it in Excel and save it again")
            self._entries[_key(entry.filename)] = entry

    # Reading

    def has(self, part: str) -> bool:
        """Whether the part is there (and not removed)."""
        key = _key(part)
        return key not in self._removed and (key in self._entries or key in self._edited or key in self._streams)

    def names(self) -> Iterator[str]:
        """Every part, as it is spelled in the archive or was added."""
        added = (name for name in (*self._edited.values(), *(name for name, _, _ in self._streams.values())))
        spelled = {**{_key(name): name for name in added}, **{key: e.filename for key, e in self._entries.items()}}
        return (name for key, name in spelled.items() if key not in self._removed)

    def open(self, part: str) -> IO[bytes]:
        """The bytes of a part as it was. Raises ``KeyError`` where it is not there."""
        return self._archive.open(self._entries[_key(part)])

    def read(self, part: str) -> Element:
        """The root of a part, as edited so far."""
        key = _key(part)
        if key not in self._trees:
            self._trees[key] = parse(self.bytes(part))
        return self._trees[key]

    def bytes(self, part: str) -> bytes:
        """A part as it was, whole, where it is small enough to be held."""
        if self._entries[_key(part)].file_size > _MOST_TREE:
            raise self.refusal(f"holds a part ({part}) of more than {_MOST_TREE >> 20} MB, too large to be added to")
        return self._archive.read(self._entries[_key(part)])

    def size(self, part: str) -> int:
        """Bytes of a part as it was, unpacked."""
        return self._entries[_key(part)].file_size

    def references(self, part: str) -> list[Reference]:
        """What a part refers to; the empty part is the package itself."""
        holder = held(part)
        if not self.has(holder):
            return []
        found = []
        for element in children(self.read(holder)):
            target = element.get("Target", "")
            out = element.get("TargetMode") == "External" or target.startswith("#") or not target
            kind = element.get("Type", "").rpartition("/")[2]
            found.append(Reference(element.get("Id", ""), kind, "" if out else self._resolved(part, target)))
        return found

    def referred(self, part: str, kind: str) -> str | None:
        """The first part of that kind that ``part`` refers to."""
        return next((found.part for found in self.references(part) if found.kind == kind and found.part), None)

    def reached(self, start: Iterable[str] = ("",)) -> set[str]:
        """Keys of the parts that ``start`` leads to, and of those that hold the references; with ``start`` itself."""
        waiting, seen = list(start), set()
        while waiting:
            part = waiting.pop()
            if _key(part) not in seen:
                seen |= {_key(part), _key(held(part))}
                waiting += [found.part for found in self.references(part) if found.part and self.has(found.part)]
        return {key for key in seen if key and self.has(key)}

    def content_type(self, part: str) -> str:
        """The type of a part; empty if it has none."""
        default = ""
        for element in children(self.read(_TYPES)):
            if _key(element.get("PartName", "")) == _key(part):
                return element.get("ContentType", "")
            if element.get("Extension", "").lower() == posixpath.splitext(part)[1][1:].lower():
                default = element.get("ContentType", "")
        return default

    def _resolved(self, part: str, target: str) -> str:
        joined = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), target.replace("\\", "/"))).lstrip("/")
        return joined if self.has(joined) or not self.has(unquote(joined)) else unquote(joined)

    # Editing

    def edit(self, part: str) -> Element:
        """The root of a part that is going to be changed."""
        root = self.read(part)
        self._edited.setdefault(_key(part), self._spelled(part))
        return root

    def add(self, part: str, content_type: str, content: Element | Write, size: int = 0) -> None:
        """A new part: a tree, or a function that writes it (about ``size`` bytes) when the copy is written."""
        self._removed.discard(_key(part))
        if callable(content):
            self._streams[_key(part)] = (part, content, size)
        else:
            self._trees[_key(part)], self._edited[_key(part)] = content, part
        if self.content_type(part) != content_type:
            types = self.edit(_TYPES)
            name = f"/{part}"
            etree.SubElement(types, f"{{{_TYPES_NAMESPACE}}}Override", PartName=name, ContentType=content_type)

    def replace(self, part: str, write: Write) -> None:
        """Another content for a part that is there, written when the copy is."""
        size = self._entries[_key(part)].file_size
        self._streams[_key(part)] = (self._spelled(part), write, 2 * size)

    def remove(self, keys: Iterable[str]) -> None:
        """Take parts away, with what is said of their types. Who refers to them is the caller's to change."""
        gone = {_key(key) for key in keys}
        for table in (self._trees, self._edited, self._streams):
            for key in gone & set(table):
                del table[key]
        self._removed |= gone & set(self._entries)
        for element in list(children(self.read(_TYPES))):
            if _key(element.get("PartName", "")) in gone - {""}:
                self.edit(_TYPES).remove(element)

    def refer(self, part: str, kind: str, other: str) -> str:
        """Let ``part`` refer to ``other``; returns the new id."""
        holder = held(part)
        if self.has(holder):
            root = self.edit(holder)
        else:
            root = etree.Element(f"{{{_REFERENCES_NAMESPACE}}}Relationships", nsmap={None: _REFERENCES_NAMESPACE})
            self.add(holder, _REFERENCES_TYPE, root)
        taken = {element.get("Id") for element in children(root)}
        new = next(name for name in map("rId{}".format, count(len(taken) + 1)) if name not in taken)
        tag = f"{{{_REFERENCES_NAMESPACE}}}Relationship"
        target = relative(part, other)
        etree.SubElement(root, tag, Id=new, Type=f"{RELATIONSHIPS}/{kind}", Target=target)
        return new

    def forget(self, part: str, reference_id: str) -> None:
        """Take a reference of ``part`` away."""
        root = self.edit(held(part))
        for element in [element for element in children(root) if element.get("Id") == reference_id]:
            root.remove(element)

    def free(self, part: str) -> str:
        """A name for a new part, like ``part`` with a number that is not taken (some readers go by such names)."""
        folder, name = posixpath.split(part)
        stem, suffix = posixpath.splitext(name)
        stem = re.sub(r"\d+$", "", stem)
        numbered = (posixpath.join(folder, f"{stem}{number}{suffix}") for number in count(1))
        return next(new for new in numbered if _key(new) not in self._entries and not self.has(new))

    def _spelled(self, part: str) -> str:
        entry = self._entries.get(_key(part))
        return entry.filename if entry else part

    # Writing

    def write(self, target: zipfile.ZipFile, last: str) -> None:
        """Write the copy, in the order of the original; the part ``last`` at the end, for others decide what is in it.

        New parts come behind what was there.
        """
        for key, entry in self._entries.items():
            if key in self._removed or (key == _key(last) and key in self._edited):
                continue
            if key in self._streams:
                _, write, size = self._streams.pop(key)
                _stream(target, _like(entry, size), write)
            elif key in self._edited:
                name = self._edited.pop(key)
                target.writestr(_like(entry, 0), serialised(self._trees[_key(name)]))
            else:
                with self._archive.open(entry) as source, target.open(_like(entry, entry.file_size), "w") as sink:
                    shutil.copyfileobj(source, sink, _CHUNK)
        for name, write, size in self._streams.values():
            _stream(target, _new(name, size), write)
        at_the_end = self._edited.pop(_key(last), None)
        for name in (*self._edited.values(), *([at_the_end] if at_the_end else [])):
            target.writestr(_new(name), serialised(self._trees[_key(name)]))


def relative(part: str, other: str) -> str:
    """How ``part`` refers to ``other``: the target of a reference."""
    return posixpath.relpath(f"/{other}".replace("\\", "/").replace("//", "/"), f"/{posixpath.dirname(part)}")


def held(part: str) -> str:
    """The part that holds a part's references."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _stream(target: zipfile.ZipFile, entry: zipfile.ZipInfo, write: Write) -> None:
    # The long form of an entry, which old readers do not know, only where it may be needed.
    with target.open(entry, "w", force_zip64=entry.file_size > zipfile.ZIP64_LIMIT) as sink:
        write(sink)


def _like(entry: zipfile.ZipInfo, size: int) -> zipfile.ZipInfo:
    """An entry of the copy that has all the original says of itself but where it lies and how long it is."""
    like = zipfile.ZipInfo(entry.filename, entry.date_time)
    like.compress_type, like.external_attr, like.comment = entry.compress_type, entry.external_attr, entry.comment
    like.create_system, like.file_size = entry.create_system, size
    return like


def _new(name: str, size: int = 0) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, size
    return entry
