"""The package that a workbook is (ECMA-376): its parts, how they refer to each other, and edits of single places.

XML is edited where it stands, byte for byte, and never written anew: that keeps everything else in it as it was.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.parsers import expat

RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
"""Namespace of references, and the beginning of their types."""


@dataclass(slots=True)
class Element:
    """One element of a part: the offsets of its parts in bytes, its attributes, and how many children it has."""

    tag: bytes
    attributes: dict[str, str]
    start: int
    inside: int = 0
    """Behind its start tag; for ``<empty/>`` it is ``start``."""
    outside: int = 0
    """Before its end tag."""
    end: int = 0
    children: list[Element] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Without the prefix."""
        return self.tag.rpartition(b":")[2].decode()

    @property
    def prefix(self) -> bytes:
        """``x:``, or nothing."""
        return self.tag[: self.tag.rfind(b":") + 1]

    def child(self, name: str) -> Element | None:
        """The first child of that name."""
        return next((child for child in self.children if child.name == name), None)


def parse(xml: bytes, depth: int = 3) -> Element:
    """The root of a part, with what is in it so many levels down. Raises ``ValueError`` where it is no UTF-8 XML."""
    parser = expat.ParserCreate()
    open_elements: list[Element] = []
    roots: list[Element] = []

    def on_start(tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag.encode(), attributes, parser.CurrentByteIndex)
        (open_elements[-1].children if open_elements else roots).append(element)
        open_elements.append(element)

    def on_end(_: str) -> None:
        element, here = open_elements.pop(), parser.CurrentByteIndex
        if here == element.start:  # <empty/>
            element.inside = element.outside = here
            element.end = xml.index(b"/>", here) + 2
        else:
            element.inside = _tag_end(xml, element.start)
            element.outside, element.end = here, xml.index(b">", here) + 1
        if len(open_elements) >= depth:
            element.children.clear()

    parser.StartElementHandler, parser.EndElementHandler = on_start, on_end
    if not xml.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise ValueError("not UTF-8")
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    return roots[0]


def insert(xml: bytes, path: Sequence[str], content: bytes, order: Sequence[str] = ()) -> bytes:
    """``xml`` with ``content`` (elements without prefix) at the end of an element of the root, or of the root itself.

    ``path`` is the element's name, or empty. Where the root has no such element, it is made in the place that ``order``
    (the names of the root's children) gives it. A ``count`` is kept right.
    """
    root = parse(xml)
    content = re.sub(rb"<(/?)(\w)", rb"<\1" + root.prefix + rb"\2", content) if root.prefix else content
    if not path:
        return xml[: root.outside] + content + xml[root.outside :]
    (name,) = path
    element = root.child(name)
    tag = root.prefix + name.encode()
    if element is None:
        before = [child.end for child in root.children if child.name in order[: order.index(name)]]
        place = max(before, default=root.inside)
        return xml[:place] + b"<%b>%b</%b>" % (tag, content, tag) + xml[place:]
    if element.inside == element.start:  # <empty/>
        start = xml[element.start : element.end - 2].rstrip() + b">"
        changed = _counted(start, content) + content + b"</" + tag + b">"
    else:
        start = xml[element.start : element.inside]
        changed = _counted(start, content) + xml[element.inside : element.outside] + content
        changed += xml[element.outside : element.end]
    return xml[: element.start] + changed + xml[element.end :]


def inner(xml: bytes, name: str) -> bytes:
    """What stands inside the root's child of that name."""
    element = parse(xml).child(name)
    return xml[element.inside : element.outside] if element else b""


def references(xml: bytes, part: str) -> Mapping[str, tuple[str, str]]:
    """The references of a part, from the part that holds them: by id, the type's last word and the other part."""
    found = {}
    for reference in ElementTree.fromstring(xml):  # noqa: S314 (expat resolves nothing from outside)
        if reference.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), reference.get("Target", "")))
            kind = reference.get("Type", "").rpartition("/")[2]
            found[reference.get("Id", "")] = (kind, target.lstrip("/"))
    return found


def references_of(part: str) -> str:
    """The part that holds a part's references."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _tag_end(xml: bytes, start: int) -> int:
    match = _TAG.match(xml, start)
    assert match is not None  # noqa: S101 (expat has just read it)
    return match.end()


_TAG = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")


def _counted(start_tag: bytes, content: bytes) -> bytes:
    more = len(parse(b"<a>" + re.sub(rb"<(/?)\w+:", rb"<\1", content) + b"</a>").children)
    return re.sub(rb"""\bcount=(["'])(\d+)["']""", lambda found: b'count="%d"' % (int(found[2]) + more), start_tag)
