"""A worksheet changed while it is copied, row by row: a million rows never are in memory together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import IO, Protocol

from lxml import etree

from bulkhooks.sheets.writeback.tree import UNTRUSTED, Element, main, refuse_document_type

_ROW, _DATA = main("row"), main("sheetData")


class SheetEdit(Protocol):
    """What is done to a worksheet, in this order. Without a word about it everything stays."""

    def head(self, root: Element) -> None:
        """Change what stands before the rows; what stands behind them is not there yet."""

    def row(self, row: Element) -> Iterable[Element]:
        """The rows that are written for this one."""

    def last_rows(self) -> Iterable[Element]:
        """Rows that are written behind all others."""

    def tail(self, root: Element) -> None:
        """Change what stands behind the rows."""


def outline(source: IO[bytes]) -> Element:
    """The root of a worksheet without its rows."""
    events = etree.iterparse(source, events=("end",), tag=(_ROW,), **UNTRUSTED)
    for _, row in events:
        _drop(row)
    return _root(events)


def rewrite(source: IO[bytes], sink: IO[bytes], edit: SheetEdit) -> None:
    """Copy a worksheet with the edit. Raises ``ValueError`` where there is none, lxml's errors where it is no XML."""
    events = etree.iterparse(source, events=("end",), tag=(_ROW, _DATA), strip_cdata=False, **UNTRUSTED)
    writer: _Writer | None = None
    data: Element | None = None
    for _, element in events:
        if data is None:
            data = element if element.tag == _DATA else element.getparent()
            if data is None or data.tag != _DATA:
                raise ValueError("rows outside of their place")
            root = data.getroottree().getroot()
            refuse_document_type(root)
            edit.head(root)
            writer = _Writer(sink, root, data)
        assert writer is not None  # noqa: S101 (made with the first element)
        if element.tag == _DATA:
            writer.rows(edit.last_rows())
        elif element.getparent() is data:
            writer.rows(edit.row(element))
            _drop(element)
    if writer is None or data is None:
        raise ValueError("a worksheet without a place for rows")
    edit.tail(_root(events))
    writer.finish()


class _Writer:
    """Writes a root and its children, without the namespaces of the root on each of them once more."""

    def __init__(self, sink: IO[bytes], root: Element, data: Element) -> None:
        self._sink, self._root, self._data = sink, root, data
        self._in_root, self._in_data = _declared(root), _declared(data)
        self._root_name, start = _start(root)
        self._data_name, start_data = _start(data)
        sink.write(b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n')
        sink.write(start)
        for child in takewhile(lambda child: child is not data, root):
            sink.write(_within(child, self._in_root))
        sink.write(start_data)

    def rows(self, rows: Iterable[Element]) -> None:
        """Write rows as they are now."""
        for row in rows:
            self._sink.write(_within(row, self._in_data))

    def finish(self) -> None:
        """Write the end of the rows and what stands behind them."""
        self._sink.write(b"</" + self._data_name + b">")
        for child in self._data.itersiblings():
            self._sink.write(_within(child, self._in_root))
        self._sink.write(b"</" + self._root_name + b">")


def _root(events: Iterator[object]) -> Element:
    root: Element | None = getattr(events, "root", None)
    if root is None:
        raise ValueError("an empty part")
    refuse_document_type(root)
    return root


def _drop(row: Element) -> None:
    """Forget a row that is done; itself stays, empty, because the parser may still be there."""
    parent = row.getparent()
    while parent is not None and parent[0] is not row:
        del parent[0]
    row.clear(keep_tail=True)


def _start(element: Element) -> tuple[bytes, bytes]:
    """The name of an element as it is spelled, and its start tag."""
    alone = etree.Element(element.tag, dict(element.attrib), element.nsmap)
    empty = etree.tostring(alone, encoding="UTF-8")
    return re.split(rb"[\s/>]", empty[1:], maxsplit=1)[0], empty.removesuffix(b"/>") + b">"


def _declared(parent: Element) -> bytes:
    """The declarations that lxml puts on a child which is written on its own."""
    probe = etree.SubElement(parent, _ROW)
    text = etree.tostring(probe, encoding="UTF-8", with_tail=False)
    parent.remove(probe)
    return re.sub(rb"^<[^\s/>]+|/>$", b"", text)


def _within(element: Element, declared: bytes) -> bytes:
    """An element as it stands where these namespaces are declared."""
    text = etree.tostring(element, encoding="UTF-8", with_tail=False)
    name, rest = text[: text.find(b" ")], text[text.find(b" ") :]
    if declared and rest.startswith(declared) and b">" not in name:
        return name + rest[len(declared) :]
    return text
