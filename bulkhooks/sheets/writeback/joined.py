"""Sheets of one workbook put behind those of another, with all that they refer to.

What is said of "theirs" is the user's workbook, "ours" is one that XlsxWriter wrote with its strings in the cells.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from itertools import chain, count
from typing import IO

from lxml import etree

from bulkhooks.sheets.writeback.package import Package, held, relative
from bulkhooks.sheets.writeback.sheet_stream import rewrite
from bulkhooks.sheets.writeback.styles import STYLES_TYPE, Moved, Styles
from bulkhooks.sheets.writeback.tree import (
    MAIN,
    RELATIONSHIPS,
    WORKBOOK_ORDER,
    Element,
    child,
    children,
    ensured,
    main,
    parse,
)

_ID = f"{{{RELATIONSHIPS}}}id"
_FORMULAS = ("f", "formula", "formula1", "formula2", "definedName")
"""Elements whose text may refer to a sheet by its name."""
_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_BUILT_IN = "_xlnm."
_MOST_NUMBER = 65_535
"""Numbers of sheets stay below, in Excel."""

Rename = Callable[[str], str]
"""A formula or an address with the names that our sheets have in the copy."""


class Book:
    """The workbook part of a package: its sheets in order, its names, its styles. Raises ``OutputError``."""

    def __init__(self, package: Package) -> None:
        self.package = package
        part = package.referred("", "officeDocument")
        if part is None or not package.has(part):
            raise package.refusal("is not a workbook that sheets can be added to (.xlsx, .xlsm)")
        self.part = part
        self.root = package.read(part)
        self._refuse_what_cannot_be_kept()
        sheets = child(self.root, "sheets")
        if sheets is None:
            raise package.refusal("has no list of sheets that can be added to; open it in Excel and save it again")
        self.sheets = sheets
        parts = {reference.id: reference.part for reference in package.references(part)}
        self.parts = {sheet.get("name", ""): parts.get(sheet.get(_ID, ""), "") for sheet in children(sheets)}

    def styles(self) -> tuple[str, Styles]:
        """The styles part, to be added to; a workbook without one gets one where readers look for it."""
        part = self.package.referred(self.part, "styles")
        if part is None or not self.package.has(part):
            part = posixpath.join(posixpath.dirname(self.part), "styles.xml")
            if not self.package.has(part):
                self.package.add(part, STYLES_TYPE, parse(f'<styleSheet xmlns="{MAIN}"/>'.encode()))
            self.package.refer(self.part, "styles", part)
        return part, Styles(self.package.edit(part))

    def names(self) -> list[str]:
        """Names of the sheets, in order."""
        return [sheet.get("name", "") for sheet in children(self.sheets)]

    def forget_calculation_order(self) -> None:
        """Take away the list of the cells with formulas, once some are gone; programs make it anew."""
        for each in [each for each in self.package.references(self.part) if each.kind == "calcChain"]:
            self.package.forget(self.part, each.id)

    def _refuse_what_cannot_be_kept(self) -> None:
        package, namespace = self.package, etree.QName(self.root).namespace
        if namespace == _STRICT:
            raise package.refusal('is a "Strict Open XML" workbook; save it as an ordinary one (.xlsx)')
        if namespace != MAIN:
            raise package.refusal("is not a workbook that sheets can be added to (.xlsx, .xlsm)")
        is_signed = any(name.lower().lstrip("/\\").startswith("_xmlsignatures") for name in package.names())
        if is_signed or package.referred("", "origin"):
            raise package.refusal("is digitally signed, and the signature would not hold once anything is added")


def join(theirs: Book, ours: Book, earlier: Mapping[str, str], shared: Collection[str]) -> tuple[str, Styles]:
    """Put the sheets of ``ours`` behind those of ``theirs``; returns the styles part and the styles of both.

    A sheet that an earlier run put there (``earlier``: name and kind, its own name's first word) is replaced where it
    stands, or taken away if there is no such sheet any more. A sheet whose name is in ``shared`` is left out if theirs
    has one; any other name that is taken gets `` (2)`` behind it.
    """
    taken = {name.lower() for name in theirs.parts}
    added = {name: part for name, part in ours.parts.items() if not (name in shared and name.lower() in taken)}
    names = _named(added, earlier, taken)
    before = theirs.package.reached()
    old_names = theirs.names()
    replaced = set(earlier) & set(names.values())
    book = theirs.package.edit(theirs.part)
    _take_away(theirs, set(earlier))
    gone = before - theirs.package.reached()
    theirs.package.remove(gone)

    styles_part, styles = theirs.styles()
    theme = ours.package.referred(ours.part, "theme")
    moved = styles.adopt(
        ours.package.read(ours.package.referred(ours.part, "styles") or ""),
        ours.package.read(theme) if theme and ours.package.has(theme) else None,
    )
    renamed = _renaming({name: new for name, new in names.items() if name != new})
    parts = _copied(theirs.package, ours.package, added.values(), moved, renamed)
    _list_sheets(theirs, {names[name]: parts[part] for name, part in added.items()})
    for name in set(earlier) - replaced:
        sheet = next(sheet for sheet in children(theirs.sheets) if sheet.get("name") == name)
        theirs.sheets.remove(sheet)
    _count_positions_again(book, old_names, theirs.names(), replaced)
    _define_names(theirs, ours, names, renamed)
    return styles_part, styles


def _named(added: Iterable[str], earlier: Mapping[str, str], taken: set[str]) -> dict[str, str]:
    places: dict[str, list[str]] = {}
    for name, kind in earlier.items():
        places.setdefault(kind, []).append(name)
    names, taken = {}, set(taken)
    for name in added:
        known = places.get(name.partition(" ")[0])
        number, names[name] = 1, known.pop(0) if known else name
        while not (name in names and names[name] in earlier) and names[name].lower() in taken:
            number += 1
            names[name] = f"{name} ({number})"
        taken.add(names[name].lower())
    return names


def _take_away(theirs: Book, names: set[str]) -> None:
    """Let the workbook no longer refer to the parts of these sheets, whose places stay."""
    for sheet in children(theirs.sheets):
        if sheet.get("name") in names:
            theirs.package.forget(theirs.part, sheet.get(_ID, ""))
            sheet.attrib.pop(_ID, None)
            sheet.attrib.pop("state", None)
            theirs.forget_calculation_order()


def _copied(theirs: Package, ours: Package, sheets: Iterable[str], moved: Moved, renamed: Rename) -> dict[str, str]:
    """Add these sheets and what they refer to; returns what each part is called in the copy."""
    sheets, parts = list(sheets), {}
    waiting = list(sheets)
    while waiting:
        part = waiting.pop(0)
        if part in parts or not ours.has(part):
            continue
        parts[part] = new = theirs.free(part)
        if part in sheets:
            theirs.add(new, ours.content_type(part), _sheet_writer(ours, part, moved, renamed), ours.size(part))
        elif part.endswith(".xml"):
            theirs.add(new, ours.content_type(part), _with_names(deepcopy(ours.read(part)), renamed))
        else:
            theirs.add(new, ours.content_type(part), _bytes_writer(ours, part))
        waiting += [reference.part for reference in ours.references(part) if reference.part]
    for part, new in parts.items():
        if ours.references(part):
            root = deepcopy(ours.read(held(part)))
            for element, reference in zip(children(root), ours.references(part), strict=True):
                target = element.get("Target", "")
                element.set("Target", relative(new, parts[reference.part]) if reference.part else renamed(target))
            theirs.add(held(new), ours.content_type(held(part)), root)
    return parts


def _list_sheets(theirs: Book, parts: Mapping[str, str]) -> None:
    places = {sheet.get("name", ""): sheet for sheet in children(theirs.sheets)}
    numbers = {int(sheet.get("sheetId", "0")) for sheet in places.values()}
    for name, part in parts.items():
        sheet = places.get(name)
        if sheet is None:
            following = range(max(numbers, default=0) + 1, _MOST_NUMBER)
            number = next(number for number in chain(following, count(1)) if number not in numbers)
            numbers.add(number)
            sheet = etree.SubElement(theirs.sheets, main("sheet"), name=name, sheetId=str(number))
        sheet.set(_ID, theirs.package.refer(theirs.part, "worksheet", part))


def _count_positions_again(book: Element, old: Sequence[str], new: Sequence[str], replaced: Collection[str]) -> None:
    """Names of sheets and the shown sheet are counted by position; what is built in goes with a sheet's content."""
    positions = {old.index(name): new.index(name) for name in old if name in new}
    names = child(book, "definedNames")
    for name in [] if names is None else list(children(names)):
        if (local := name.get("localSheetId")) is None or int(local) >= len(old):
            continue
        position = positions.get(int(local))
        is_ours = old[int(local)] in replaced and name.get("name", "").startswith(_BUILT_IN)
        if names is not None and (position is None or is_ours):
            names.remove(name)
        else:
            name.set("localSheetId", str(position))
    for view in book.iter(main("workbookView")):
        for attribute in ("activeTab", "firstSheet"):
            if (shown := view.get(attribute)) is not None and int(shown) < len(old) and len(new) < len(old):
                view.set(attribute, str(positions.get(int(shown), 0)))


def _define_names(theirs: Book, ours: Book, names: Mapping[str, str], renamed: Rename) -> None:
    """Filters, print titles and names of our sheets. A name that theirs has already stays what it is."""
    order, our_order = theirs.names(), ours.names()
    listed = child(ours.root, "definedNames")
    new = []
    for name in [] if listed is None else children(listed):
        mine = deepcopy(name)
        if (local := name.get("localSheetId")) is not None:
            if our_order[int(local)] not in names:
                continue
            mine.set("localSheetId", str(order.index(names[our_order[int(local)]])))
        mine.text = renamed(name.text or "")
        new.append(mine)
    if not new:
        return
    theirs_listed = ensured(theirs.root, "definedNames", WORKBOOK_ORDER)
    known = {_known_by(name) for name in children(theirs_listed)}
    for name in new:
        if _known_by(name) not in known:
            theirs_listed.append(name)


def _known_by(name: Element) -> tuple[str, str | None]:
    return name.get("name", "").lower(), name.get("localSheetId")


def _renaming(names: Mapping[str, str]) -> Rename:
    if not names:
        return lambda formula: formula
    alternatives = "|".join(f"'{re.escape(name)}'|{re.escape(name)}" for name in names)
    pattern = re.compile(rf"(?<![\w'.\]])({alternatives})!")
    return lambda formula: pattern.sub(lambda found: f"'{names[found[1].strip(chr(39))]}'!", formula)


def _with_names(root: Element, renamed: Rename) -> Element:
    for element in root.iter():
        if isinstance(element.tag, str) and element.text and etree.QName(element).localname in _FORMULAS:
            element.text = renamed(element.text)
        if (location := element.get("location")) is not None:
            element.set("location", renamed(location))
    return root


class _Restyled:
    """The edit of a sheet of ours: styles by their new numbers, sheets by their new names, not the one shown first."""

    def __init__(self, moved: Moved, renamed: Rename) -> None:
        self._moved, self._renamed = moved, renamed

    def head(self, root: Element) -> None:
        for view in root.iter(main("sheetView")):
            view.attrib.pop("tabSelected", None)
        for column in root.iter(main("col")):
            if (style := column.get("style")) is not None:
                column.set("style", self._moved.cells[int(style)])

    def row(self, row: Element) -> Iterable[Element]:
        cells = self._moved.cells
        if (style := row.get("s")) is not None:
            row.set("s", cells[int(style)])
        for cell in row:
            cell.set("s", cells[int(cell.get("s", "0"))])
        for formula in row.iter(main("f")):
            formula.text = self._renamed(formula.text or "")
        return (row,)

    def last_rows(self) -> Iterable[Element]:
        return ()

    def tail(self, root: Element) -> None:
        for rule in root.iter(main("cfRule")):
            if (style := rule.get("dxfId")) is not None:
                rule.set("dxfId", self._moved.conditional[int(style)])
        _with_names(root, self._renamed)


def _sheet_writer(ours: Package, part: str, moved: Moved, renamed: Rename) -> Callable[[IO[bytes]], None]:
    def write(sink: IO[bytes]) -> None:
        with ours.open(part) as source:
            rewrite(source, sink, _Restyled(moved, renamed))

    return write


def _bytes_writer(ours: Package, part: str) -> Callable[[IO[bytes]], None]:
    def write(sink: IO[bytes]) -> None:
        with ours.open(part) as source:
            shutil.copyfileobj(source, sink)

    return write
