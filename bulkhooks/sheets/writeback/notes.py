"""Comments on cells: a part with the texts, and a drawing (VML) with the boxes they are shown in.

Comments that the sheet has stay; on a cell that has one ours is put behind it. What we wrote at an earlier check goes.
Threaded comments are another kind, whose text here is only a stand-in: a cell with one keeps it as it is.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from math import ceil

from lxml import etree

from bulkhooks.sheets.writeback.package import Package
from bulkhooks.sheets.writeback.places import Cell, cell_of
from bulkhooks.sheets.writeback.tree import MAIN, Element, child, children, ensured, main, parse, readable, runs

AUTHOR = "bulkhooks"
_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_V, _O, _X = (f"urn:schemas-microsoft-com:{name}" for name in ("vml", "office:office", "office:excel"))
_BOX = "_x0000_t202"
"""The kind of shape that a comment is."""
_BLOCK = 1024
"""Numbers of shapes are given out in blocks of so many."""
_ACROSS, _LINE = 3, 34
"""Columns that a box is wide, and characters that a line of it holds."""
_MOST_TEXT = 30_000
_ORDER = ("authors", "commentList", "extLst")
_LAST_COLUMN = 16_383


def add_notes(package: Package, sheet: str, drawing: str | None, notes: Mapping[Cell, str], block: int) -> str | None:
    """Put ``notes`` (cell and text) on the sheet that is the part ``sheet``.

    ``drawing`` is the id by which the sheet refers to its drawing of comments, None if it has none; returns the id
    that it then has to have, None where nothing had to be made. ``block`` is the block of numbers of a new drawing.
    """
    comments = _comments(package, sheet)
    boxes = _drawing(package, sheet, drawing, block)
    root = package.edit(comments)
    shapes = package.edit(boxes[0])
    _remove_boxes(shapes, _without_ours(root))
    threaded = _threaded(package, sheet)
    listed = ensured(root, "commentList", _ORDER)
    present = {cell_of(comment.get("ref", "")): comment for comment in children(listed)}
    author, number = _author(root), _last_number(shapes)
    for cell, text in notes.items():
        shown = f"{AUTHOR}: {readable(text)[:_MOST_TEXT]}"
        if cell in threaded:
            continue
        if (comment := present.get(cell)) is not None:
            _append(comment, f"\n{shown}")
            continue
        comment = etree.SubElement(listed, main("comment"), ref=cell.name, authorId=author)
        etree.SubElement(comment, main("text"))
        _append(comment, shown)
        number += 1
        _add_box(shapes, number, cell, shown)
    _list_blocks(shapes)
    return boxes[1]


def _comments(package: Package, sheet: str) -> str:
    part = package.referred(sheet, "comments")
    if part is None or not package.has(part):
        part = package.free(posixpath.join(posixpath.dirname(posixpath.dirname(sheet)), "comments1.xml"))
        root = parse(f'<comments xmlns="{MAIN}"><authors/><commentList/></comments>'.encode())
        package.add(part, _COMMENTS_TYPE, root)
        package.refer(sheet, "comments", part)
    return part


def _drawing(package: Package, sheet: str, drawing: str | None, block: int) -> tuple[str, str | None]:
    """The part with the boxes; and its new id if it has been made."""
    for reference in package.references(sheet):
        if reference.id == drawing and package.has(reference.part):
            return reference.part, None
    part = package.free(posixpath.join(posixpath.dirname(posixpath.dirname(sheet)), "drawings/vmlDrawing1.vml"))
    declared = f'xmlns:v="{_V}" xmlns:o="{_O}" xmlns:x="{_X}"'
    layout = f'<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{block}"/></o:shapelayout>'
    package.add(part, _DRAWING_TYPE, parse(f"<xml {declared}>{layout}</xml>".encode()))
    return part, package.refer(sheet, "vmlDrawing", part)


def _threaded(package: Package, sheet: str) -> set[Cell]:
    found = set()
    for reference in package.references(sheet):
        if reference.kind == "threadedComment" and package.has(reference.part):
            found |= {cell_of(comment.get("ref", "")) for comment in children(package.read(reference.part))}
    return found


def _author(root: Element) -> str:
    authors = ensured(root, "authors", _ORDER)
    names = [author.text for author in children(authors)]
    if AUTHOR not in names:
        etree.SubElement(authors, main("author")).text = AUTHOR
        names.append(AUTHOR)
    return str(names.index(AUTHOR))


def _append(comment: Element, text: str) -> None:
    inside = child(comment, "text")
    assert inside is not None  # noqa: S101 (the schema requires it; a comment without it ends in one sentence)
    plain = child(inside, "t")
    if plain is not None:  # plain text and pieces do not stand beside each other
        inside.remove(plain)
        etree.SubElement(inside, main("r")).append(plain)
    pieces = [etree.Element(main("r")) for _ in runs(text)]
    for piece, characters in zip(pieces, runs(text), strict=True):
        shown = etree.SubElement(piece, main("t"))
        shown.text = characters
        shown.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    last = max((number for number, found in enumerate(inside, start=1) if found.tag == main("r")), default=0)
    inside[last:last] = pieces


def _without_ours(root: Element) -> list[Cell]:
    """Take away what an earlier check wrote; returns the cells whose whole comment it was."""
    ours = [str(number) for number, author in enumerate(root.iter(main("author"))) if author.text == AUTHOR]
    gone = []
    for comment in list(root.iter(main("comment"))):
        holder = comment.getparent()
        if comment.get("authorId") in ours and holder is not None:
            holder.remove(comment)
            gone.append(cell_of(comment.get("ref", "")))
            continue
        inside = child(comment, "text")
        for piece in [] if inside is None else list(children(inside)):
            if inside is not None and "".join(piece.itertext()).startswith(f"\n{AUTHOR}: "):
                inside.remove(piece)
    return gone


def _add_box(root: Element, number: int, cell: Cell, text: str) -> None:
    if root.find(f"{{{_V}}}shapetype[@id='{_BOX}']") is None:
        kind = etree.SubElement(root, f"{{{_V}}}shapetype", id=_BOX, coordsize="21600,21600")
        kind.set(f"{{{_O}}}spt", "202")
        kind.set("path", "m,l,21600r21600,l21600,xe")
        etree.SubElement(kind, f"{{{_V}}}stroke", joinstyle="miter")
        etree.SubElement(kind, f"{{{_V}}}path", gradientshapeok="t").set(f"{{{_O}}}connecttype", "rect")
    look = "position:absolute;margin-left:60pt;margin-top:2pt;width:190pt;height:60pt;z-index:1;visibility:hidden"
    shape = etree.SubElement(root, f"{{{_V}}}shape", id=f"_x0000_s{number}", type=f"#{_BOX}", style=look)
    shape.set("fillcolor", "#ffffe1")
    shape.set(f"{{{_O}}}insetmode", "auto")
    etree.SubElement(shape, f"{{{_V}}}fill", color2="#ffffe1")
    etree.SubElement(shape, f"{{{_V}}}shadow", on="t", color="black", obscured="t")
    etree.SubElement(shape, f"{{{_V}}}path").set(f"{{{_O}}}connecttype", "none")
    box = etree.SubElement(shape, f"{{{_V}}}textbox", style="mso-direction-alt:auto")
    etree.SubElement(box, "div", style="text-align:left")
    data = etree.SubElement(shape, f"{{{_X}}}ClientData", ObjectType="Note")
    # Left of the cell where there is no room to the right of it, below its row's upper edge.
    left = cell.column + 1 if cell.column + 1 + _ACROSS <= _LAST_COLUMN else cell.column - 1 - _ACROSS
    top = max(cell.row - 2, 0)
    height = 1 + sum(max(1, ceil(len(line) / _LINE)) for line in text.split("\n"))
    values = {
        "MoveWithCells": None,
        "SizeWithCells": None,
        "Anchor": f"{left}, 15, {top}, 4, {left + _ACROSS}, 15, {top + min(height, 20)}, 4",
        "AutoFill": "False",
        "Row": str(cell.row - 1),
        "Column": str(cell.column),
    }
    for name, value in values.items():
        etree.SubElement(data, f"{{{_X}}}{name}").text = value


def _numbers(root: Element) -> list[int]:
    named = (re.fullmatch(r"_x0000_[si](\d+)", shape.get("id", "")) for shape in root.iter(f"{{{_V}}}*"))
    return [int(found[1]) for found in named if found]


def _blocks(root: Element) -> tuple[Element | None, list[int]]:
    """Where a drawing lists the blocks of its shapes' numbers, and which they are."""
    listed = next(root.iter(f"{{{_O}}}idmap"), None)
    words = [] if listed is None else listed.get("data", "").split(",")
    return listed, [int(word) for word in words if word.strip().isdigit()]


def _last_number(root: Element) -> int:
    """The number of a shape behind which all are free."""
    return max([*_numbers(root), min(_blocks(root)[1], default=1) * _BLOCK])


def _list_blocks(root: Element) -> None:
    listed, blocks = _blocks(root)
    if listed is not None and blocks:
        used = {number // _BLOCK for number in _numbers(root) if number >= _BLOCK}
        listed.set("data", ",".join(map(str, [*blocks, *sorted(used - set(blocks))])))


def _remove_boxes(root: Element, cells: Collection[Cell]) -> None:
    gone = {(str(cell.row - 1), str(cell.column)) for cell in cells}
    for shape in list(root.iter(f"{{{_V}}}shape")) if gone else []:
        row, column = (shape.findtext(f"{{{_X}}}ClientData/{{{_X}}}{name}") for name in ("Row", "Column"))
        holder = shape.getparent()
        if (row, column) in gone and holder is not None:
            holder.remove(shape)
