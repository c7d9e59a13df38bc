"""The styles of a workbook with more of them: theirs keep their numbers, what is added comes behind, each once."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

from lxml import etree

from bulkhooks.sheets.writeback.tree import MAIN, STYLES_ORDER, Element, child, children, ensured, main

STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_ITEMS = {
    "fonts": "font",
    "fills": "fill",
    "borders": "border",
    "cellStyleXfs": "xf",
    "cellXfs": "xf",
    "cellStyles": "cellStyle",
    "dxfs": "dxf",
    "numFmts": "numFmt",
}
_MOST_FORMATS = 64_000
"""Cell formats of a workbook, Excel's limit."""
_FIRST_OWN_FORMAT = 164
"""Number formats below are built in (ECMA-376, part 1, 18.8.30)."""
_THEME = ("lt1", "dk1", "lt2", "dk2", "accent1", "accent2", "accent3", "accent4", "accent5", "accent6", "hlink")
"""Colours of a theme by their number in styles (the same page)."""
_FEWEST = f"""
<styleSheet xmlns="{MAIN}">
  <fonts><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>
  <fills><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
  <borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>
  <cellStyleXfs><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
  <cellXfs><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>
  <cellStyles><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>
"""
"""What cells without a format refer to. Where it is missing it has to stand before what is added."""


class Moved(NamedTuple):
    """Numbers of another workbook's styles in this one: of cells, and of conditional formats."""

    cells: list[str]
    conditional: list[str]


class Styles:
    """The root of a styles part, to which styles are added. An equal one that is there already is used again."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self._pools: dict[str, _Pool] = {}
        for needed in children(etree.fromstring(_FEWEST, etree.XMLParser(remove_blank_text=True))):
            name = etree.QName(needed).localname
            missing = list(needed)
            if name in {"cellStyleXfs", "cellStyles"} and child(root, "cellXfs") is not None and self._pool("cellXfs"):
                continue  # they do without named styles
            for item in missing[len(self._pool(name)) :]:
                self._pool(name).append(item)

    def adopt(self, ours: Element, theme: Element | None) -> Moved:
        """Add the styles of another workbook. Its colours of the theme become plain ones, as this theme may differ."""
        ours = deepcopy(ours)
        _without_theme(ours, theme)
        formats = {
            item.get("numFmtId", ""): self._number_format(item.get("formatCode", ""))
            for item in _items(ours, "numFmts")
        }
        moved = {
            attribute: [str(self._pool(name).add(item)) for item in _items(ours, name)]
            for attribute, name in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders"))
        }
        named = self._normal()
        cells = []
        for item in _items(ours, "cellXfs"):
            for attribute, numbers in moved.items():
                item.set(attribute, numbers[int(item.get(attribute, "0"))])
            item.set("numFmtId", formats.get(item.get("numFmtId", "0"), item.get("numFmtId", "0")))
            item.attrib.pop("xfId", None)
            if named is not None:
                item.set("xfId", named)
            cells.append(str(self._pool("cellXfs").add(item)))
        conditional = []
        for item in _items(ours, "dxfs"):
            for number in item.iter(main("numFmt")):
                number.set("numFmtId", self._number_format(number.get("formatCode", "")))
            conditional.append(str(self._pool("dxfs").add(item)))
        return Moved(cells, conditional)

    def fill(self, colour: str) -> str:
        """The number of a plain fill; ``colour`` is ``RRGGBB``."""
        fill = etree.Element(main("fill"))
        pattern = etree.SubElement(fill, main("patternFill"), patternType="solid")
        etree.SubElement(pattern, main("fgColor"), rgb=f"FF{colour}")
        etree.SubElement(pattern, main("bgColor"), indexed="64")
        return str(self._pool("fills").add(fill))

    def filled(self, style: str, fill: str) -> str:
        """The number of a cell style like ``style`` (a number) in all but its fill."""
        like = deepcopy(self._pool("cellXfs")[int(style)])
        like.set("fillId", fill)
        like.set("applyFill", "1")
        return str(self._pool("cellXfs").add(like))

    def _pool(self, name: str) -> _Pool:
        if name not in self._pools:
            self._pools[name] = _Pool(ensured(self.root, name, STYLES_ORDER), _ITEMS[name])
        return self._pools[name]

    def _normal(self) -> str | None:
        """The style that all others build on, if they have named ones."""
        for item in _items(self.root, "cellStyles"):
            if item.get("builtinId") == "0":
                return item.get("xfId")
        return "0" if _items(self.root, "cellStyleXfs") else None

    def _number_format(self, code: str) -> str:
        known = _items(self.root, "numFmts")
        for item in known:
            if item.get("formatCode") == code:
                return item.get("numFmtId", "")
        used = [int(item.get("numFmtId", "0")) for item in self.root.iter(main("numFmt"))]
        number = str(max([_FIRST_OWN_FORMAT - 1, *used]) + 1)
        self._pool("numFmts").append(etree.Element(main("numFmt"), numFmtId=number, formatCode=code))
        return number


class _Pool:
    """One list of styles, whose ``count`` is kept right. Numbers are positions in it."""

    def __init__(self, element: Element, item: str) -> None:
        self._element = element
        self._items = list(children(element))
        if any(found.tag != main(item) for found in self._items):
            # Numbers count what a reader sees; of an mc:AlternateContent not every reader sees the same.
            raise ValueError(f"{etree.QName(element).localname} holds something else than {item}")
        self._numbers: dict[object, int] = {}
        for number, found in enumerate(self._items):
            self._numbers.setdefault(_content(found), number)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, number: int) -> Element:
        return self._items[number]

    def add(self, item: Element) -> int:
        """The number of an item that is equal, or of this one, put at the end."""
        number = self._numbers.get(_content(item))
        if number is None:
            self.append(item)
            number = len(self._items) - 1
        return number

    def append(self, item: Element) -> None:
        if len(self._items) >= _MOST_FORMATS:
            raise ValueError("more formats than a workbook may have")
        # Moved into the tree, it takes over the prefix that this tree has for its namespace.
        mine = deepcopy(item)
        self._element.append(mine)
        self._items.append(mine)
        self._numbers.setdefault(_content(mine), len(self._items) - 1)
        self._element.set("count", str(len(self._items)))


def _items(root: Element, name: str) -> Sequence[Element]:
    found = child(root, name)
    return [] if found is None else list(children(found))


def _content(element: Element) -> object:
    """What makes two styles equal, whatever prefixes and blanks they are written with."""
    inside = tuple(map(_content, children(element)))
    return element.tag, tuple(sorted(element.attrib.items())), (element.text or "").strip(), inside


def _without_theme(styles: Element, theme: Element | None) -> None:
    """Replace colours and fonts that are taken from the theme."""
    scheme = None if theme is None else theme.find(".//{*}clrScheme")
    for element in list(styles.iter(main("color"), main("fgColor"), main("bgColor"))):
        number = element.attrib.pop("theme", None)
        if number is None:
            continue
        name = _THEME[int(number)] if int(number) < len(_THEME) else ""
        colour = None if scheme is None else scheme.find(f"{{*}}{name}/*")
        value = "000000" if colour is None else colour.get("lastClr") or colour.get("val") or "000000"
        element.set("rgb", f"FF{value}")
    for font_scheme in list(styles.iter(main("scheme"))):
        parent = font_scheme.getparent()
        if parent is not None:
            parent.remove(font_scheme)
