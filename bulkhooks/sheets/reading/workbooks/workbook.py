"""Workbooks: their sheets as columns of typed values, merged cells filled, and what else there is to say of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bulkhooks.sheets.reading.grid import Grid, column_of
from bulkhooks.sheets.reading.workbooks.apart import shared_worker
from bulkhooks.sheets.reading.workbooks.ask import Ask


class Workbook:
    """A workbook that can be read. ``names`` are those of its worksheets, hidden ones among them."""

    def __init__(self, label: str, path: str) -> None:
        """Raises ``InputError`` where it is corrupt, protected with a password, or more than fits into memory."""
        self._label = label
        self._path = path
        self._worker = shared_worker()
        self._sheets = next(self._worker.ask(label, path, Ask.SHEETS))
        self.names: list[str] = [sheet.name for sheet in self._sheets]

    def grids(self, names: Collection[str]) -> Iterator[Grid]:
        """The sheets of these names, in workbook order; one that has no cell at all is left out.

        Raises ``InputError`` as the workbook does when it is opened.
        """
        for sheet in self._sheets:
            if sheet.name not in names:
                continue
            parts = self._worker.ask(self._label, self._path, Ask.CELLS, sheet.name)
            cells = next(parts)
            if columns := list(map(column_of, parts)):
                yield Grid(
                    sheet.name,
                    columns,
                    is_workbook=True,
                    is_hidden=sheet.is_hidden,
                    flaws=cells.flaws,
                    links=cells.links,
                    hidden_rows=cells.hidden_rows,
                )
