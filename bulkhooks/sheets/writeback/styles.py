"""The styles of two workbooks as one: the user's as they are, ours behind them."""

from __future__ import annotations

import re
from typing import NamedTuple

from bulkhooks.sheets.writeback.package import inner, insert, parse

_ORDER = [
    *("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles"),
    *("colors", "extLst"),
]
_FIRST_OWN_FORMAT = 164
"""Number formats below are built in (ECMA-376, part 1, 18.8.30)."""


class Offsets(NamedTuple):
    """By how much the numbers of our cell styles and of our conditional formats' styles have moved."""

    styles: int
    conditional: int

    def apply(self, sheet: bytes) -> bytes:
        """A piece of a sheet that XlsxWriter wrote, with its styles renumbered, and not the one that is shown first."""
        if b"<c r=" in sheet:
            sheet = _CELL.sub(lambda found: b'<c r="%b" s="%d"' % (found[1], int(found[2] or 0) + self.styles), sheet)
        for pattern, offset in ((_STYLED, self.styles), (_RULE, self.conditional)):
            sheet = pattern.sub(lambda found, by=offset: found[1] + b'"%d"' % (int(found[2]) + by), sheet)  # type: ignore[misc]
        return sheet.replace(b' tabSelected="1"', b"") if b"<sheetView " in sheet else sheet


_CELL = re.compile(rb'<c r="([A-Z]+\d+)"(?: s="(\d+)")?')
_STYLED = re.compile(rb'(<(?:col|row) [^<>]*?(?: s| style)=)"(\d+)"')
_RULE = re.compile(rb'(<cfRule [^<>]*?dxfId=)"(\d+)"')


def merged_styles(theirs: bytes | None, ours: bytes) -> tuple[bytes, Offsets]:
    """The styles part of both. Where they have none it is ours."""
    if theirs is None:
        return ours, Offsets(0, 0)
    sizes = {child.name: len(child.children) for child in parse(theirs).children}
    formats = max([_FIRST_OWN_FORMAT - 1, *map(int, re.findall(rb'numFmtId=["\'](\d+)', theirs))])
    moved = {
        b"numFmtId": formats + 1 - _FIRST_OWN_FORMAT,
        b"fontId": sizes.get("fonts", 0),
        b"fillId": sizes.get("fills", 0),
        b"borderId": sizes.get("borders", 0),
    }

    def renumbered(found: re.Match[bytes]) -> bytes:
        name, number = found[1], int(found[2])
        is_built_in = name == b"numFmtId" and number < _FIRST_OWN_FORMAT
        return b'%b="%d"' % (name, number if is_built_in else number + moved[name])

    merged = theirs
    for name in ("numFmts", "fonts", "fills", "borders", "cellXfs", "dxfs"):
        content = re.sub(rb'\b(numFmtId|fontId|fillId|borderId)="(\d+)"', renumbered, inner(ours, name))
        if content:
            merged = insert(merged, [name], content, _ORDER)
    return merged, Offsets(sizes.get("cellXfs", 0), sizes.get("dxfs", 0))
