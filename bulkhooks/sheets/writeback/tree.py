"""XML of a workbook as a tree: read without trust, changed in the order that the schema wants, written well formed.

The orders are those of the sequences CT_Workbook, CT_Stylesheet and CT_Worksheet (ECMA-376, part 1, Annex A).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from lxml import etree

Element = etree._Element

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
"""Namespace of workbook, sheets, styles and comments."""
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
"""Namespace of ``r:id``, and the beginning of the types of references."""
UNTRUSTED: Mapping[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
}
"""How anything is parsed: nothing is fetched or expanded, and libxml2's own limits on depth and text hold."""

WORKBOOK_ORDER = (
    *("fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups"),
    *("externalReferences", "definedNames", "calcPr", "oleSize", "customWorkbookViews", "pivotCaches"),
    *("smartTagPr", "smartTagTypes", "webPublishing", "fileRecoveryPr", "webPublishObjects", "extLst"),
)
STYLES_ORDER = (
    *("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles"),
    *("colors", "extLst"),
)
WORKSHEET_ORDER = (
    *("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr", "sheetProtection"),
    *("protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate", "customSheetViews", "mergeCells"),
    *("phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins"),
    *("pageSetup", "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches", "ignoredErrors"),
    *("smartTags", "drawing", "legacyDrawing", "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls"),
    *("webPublishItems", "tableParts", "extLst"),
)


def main(name: str) -> str:
    """The tag of an element of spreadsheets."""
    return f"{{{MAIN}}}{name}"


def parse(xml: bytes) -> Element:
    """The root of a part. Raises ``ValueError`` where it has a document type, lxml's errors where it is no XML."""
    root: Element = etree.fromstring(xml, etree.XMLParser(strip_cdata=False, **UNTRUSTED))
    refuse_document_type(root)
    return root


def refuse_document_type(root: Element) -> None:
    """No part of a workbook has one (ECMA-376, part 2); entities could hide in it."""
    if root.getroottree().docinfo.doctype:
        raise ValueError("a part has a document type")


def serialised(root: Element) -> bytes:
    """A part as bytes, with what stands before and behind its root."""
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8", standalone=True)


def children(parent: Element) -> Iterator[Element]:
    """The elements in ``parent``, without comments and processing instructions."""
    return (child for child in parent if isinstance(child.tag, str))


def child(parent: Element, name: str) -> Element | None:
    """The first child of that name in the namespace of spreadsheets."""
    return parent.find(main(name))


def ensured(parent: Element, name: str, order: Sequence[str]) -> Element:
    """The child of that name, made in its place where there is none."""
    found = child(parent, name)
    if found is None:
        found = etree.Element(main(name), nsmap=parent.nsmap)
        insert(parent, found, order)
    return found


def insert(parent: Element, element: Element, order: Sequence[str]) -> None:
    """Put ``element`` before the first child of ``parent`` that has to stand behind it."""
    rank = order.index(etree.QName(element).localname)
    for position, sibling in enumerate(parent):
        if _rank(sibling, order) > rank:
            parent.insert(position, element)
            return
    parent.append(element)


def _rank(element: Element, order: Sequence[str]) -> int:
    """The place of an element in the order; an mc:AlternateContent has that of what is in it; -1 if it has none."""
    for inner in element.iter():
        if isinstance(inner.tag, str):
            name = etree.QName(inner)
            if name.namespace == MAIN and name.localname in order:
                return order.index(name.localname)
    return -1


def readable(text: str) -> str:
    """``text`` with a visible sign for every character that XML cannot hold (``␋`` for a vertical tab)."""
    return _UNHELD.sub(lambda found: chr(0x2400 + ord(found[0])) if ord(found[0]) < 0x20 else "\ufffd", text)


def runs(text: str) -> list[str]:
    """Pieces of ``text`` in none of which ``_x0041_`` stands whole, which viewers take for an escaped character."""
    cuts = [0, *(found.end() for found in _ESCAPE_LIKE.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if end > start]


_UNHELD = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPE_LIKE = re.compile(r"_x[0-9A-Fa-f]{4}(?=_)")
