"""The edits of a sheet that colour single cells, or put text into them; cells that are not there are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lxml import etree

from bulkhooks.sheets.writeback.places import Cell, cell_of, corners
from bulkhooks.sheets.writeback.styles import Styles
from bulkhooks.sheets.writeback.tree import RELATIONSHIPS, WORKSHEET_ORDER, Element, child, children, insert, main


class _EditedCells:
    """``edits``: what is done to each cell, in the words of ``_edit``."""

    def __init__(self, edits: Mapping[Cell, str]) -> None:
        self._waiting: dict[int, dict[int, str]] = {}
        for cell, edit in sorted(edits.items()):
            self._waiting.setdefault(cell.row, {})[cell.column] = edit
        self._last_row = 0
        self._columns: list[tuple[int, int, str]] = []

    def head(self, root: Element) -> None:
        """Remember the styles of columns, and let the dimension hold the new cells too."""
        for column in root.iter(main("col")):
            first, last = int(column.get("min", "1")), int(column.get("max", "1"))
            self._columns.append((first - 1, last - 1, column.get("style", "0")))
        dimension = child(root, "dimension")
        if dimension is not None and self._waiting:
            start, end = corners(dimension.get("ref", "A1"))
            rows = [start.row, end.row, *self._waiting]
            columns = [start.column, end.column, *(column for row in self._waiting.values() for column in row)]
            dimension.set("ref", f"{Cell(min(rows), min(columns)).name}:{Cell(max(rows), max(columns)).name}")

    def row(self, row: Element) -> Iterable[Element]:
        """The row with its cells edited, behind rows that had to be made before it."""
        number = int(row.get("r", self._last_row + 1))
        if number <= self._last_row:
            raise ValueError("rows that are not in order")
        yield from self._made(before=number)
        self._last_row = number
        if number in self._waiting:
            self._edit_row(row, number, self._waiting.pop(number))
        yield row

    def last_rows(self) -> Iterable[Element]:
        """Rows behind the last one."""
        return self._made(before=None)

    def tail(self, root: Element) -> None:
        """Nothing changes behind the rows."""

    def _edit(self, cell: Element, what: str) -> None:
        raise NotImplementedError

    def _made(self, before: int | None) -> Iterator[Element]:
        for number in sorted(self._waiting):
            if before is None or number < before:
                row = etree.Element(main("row"), r=str(number))
                self._edit_row(row, number, self._waiting.pop(number))
                yield row

    def _edit_row(self, row: Element, number: int, edits: dict[int, str]) -> None:
        cells: dict[int, Element] = {}
        column = -1
        for present in children(row):
            column = cell_of(present.get("r", "")).column if present.get("r") else column + 1
            cells[column] = present
        for column, what in edits.items():
            cell = cells.get(column)
            if cell is None:
                behind = [found for other, found in cells.items() if other > column]
                cell = etree.Element(main("c"), r=Cell(number, column).name)
                cell.set("s", self._style_of_nothing(row, column))
                row.insert(row.index(behind[0]) if behind else len(row), cell)
                # How far the row reaches is a hint that would now be wrong.
                row.attrib.pop("spans", None)
                cells = dict(sorted({**cells, column: cell}.items()))
            self._edit(cell, what)

    def _style_of_nothing(self, row: Element, column: int) -> str:
        """The style in which an empty cell is shown: its row's, or its column's."""
        if row.get("customFormat") in {"1", "true"}:
            return row.get("s", "0")
        return next((style for first, last, style in self._columns if first <= column <= last), "0")


class MarkedCells(_EditedCells):
    """``fills`` are numbers of fills by cell; ``drawing`` is the id of a new drawing of comments, None if none is."""

    def __init__(self, fills: Mapping[Cell, str], styles: Styles, drawing: str | None) -> None:
        super().__init__(fills)
        self._styles, self._drawing = styles, drawing

    def tail(self, root: Element) -> None:
        """Refer to the drawing of the comments."""
        if self._drawing is not None:
            for old in root.findall(main("legacyDrawing")):  # one that leads nowhere
                root.remove(old)
            legacy = etree.Element(main("legacyDrawing"))
            legacy.set(f"{{{RELATIONSHIPS}}}id", self._drawing)
            insert(root, legacy, WORKSHEET_ORDER)

    def _edit(self, cell: Element, what: str) -> None:
        cell.set("s", self._styles.filled(cell.get("s", "0"), what))


class WrittenCells(_EditedCells):
    """``texts`` by cell; each takes the place of what is in the cell, whose format stays.

    Raises ``ValueError`` where a cell holds the formula of others too.
    """

    def __init__(self, texts: Mapping[Cell, str]) -> None:
        super().__init__(texts)
        self._names = {cell.name for cell in texts}

    def tail(self, root: Element) -> None:
        """A text that is written over has no link any more."""
        for links in root.findall(main("hyperlinks")):
            for link in list(links):
                if link.get("ref") in self._names:
                    links.remove(link)
            if not len(links):
                root.remove(links)

    def _edit(self, cell: Element, what: str) -> None:
        formula = child(cell, "f")
        if formula is not None and (formula.get("ref") or formula.get("t")):
            raise ValueError(f"{cell.get('r')} shares its formula with other cells")
        for each in list(cell):
            cell.remove(each)
        cell.attrib.pop("t", None)
        if what:
            cell.set("t", "inlineStr")
            text = etree.SubElement(etree.SubElement(cell, main("is")), main("t"))
            text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
            text.text = what
