"""The table of locations: ids, names and groups, as a sheet or a file lists them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.files import label_of, open_file
from bulkhooks.sheets.reading.grid import HEAD, Grid, letter, texts
from bulkhooks.sheets.reading.headers import ALIASES
from bulkhooks.sheets.reading.source import Source
from bulkhooks.sheets.strings import folded

SHEET = "locations"
"""Name (whatever the case) of the sheet in an input workbook that is the table of locations."""

_ID = {*map(folded, ALIASES["BusinessId"]), "id"}
_NAME = {*map(folded, ALIASES["Location"]), "name", "locationname", "businessname"}
_GROUPS = {"groups", "group"}
_LARGEST_ID = 2**63 - 1


def name_key(name: str) -> str:
    """The form in which names of locations are compared: whatever the case, one space where there are several."""
    return " ".join(name.split()).casefold()


def group_key(group: str) -> str:
    """Likewise of groups, whose ``@`` may be left out."""
    return name_key(group.strip().removeprefix("@"))


@dataclass(frozen=True, slots=True)
class Location:
    """One line of the table."""

    id: int
    name: str = ""
    groups: Sequence[str] = ()


class Locations:
    """Looks locations up. False where there is no table.

    ``ids``: all, in the table's order. ``name_of``: name by id ("" where it has none). ``by_name``: ids by
    ``name_key``; a name of several ids is ambiguous. ``groups``: ids by ``group_key``.
    """

    def __init__(self, locations: Iterable[Location] = ()) -> None:
        self.name_of: dict[int, str] = {}
        self.by_name: dict[str, list[int]] = {}
        self.groups: dict[str, list[int]] = {}
        self._spelt: dict[int, dict[str, str]] = {}
        for location in locations:
            self.name_of[location.id] = self.name_of.get(location.id) or location.name
            if key := name_key(location.name):
                _add(self.by_name, key, location.id)
            spelt = self._spelt.setdefault(location.id, {})
            for group in location.groups:
                key = group_key(group)
                _add(self.groups, key, location.id)
                spelt.setdefault(key, group.strip().removeprefix("@").strip())
        self.ids = list(self.name_of)

    def __bool__(self) -> bool:
        return bool(self.ids)

    def rows(self) -> list[tuple[int, str, str]]:
        """The table as ``(id, name, groups)``, a line for each location."""
        return [(number, name, ", ".join(self._spelt[number].values())) for number, name in self.name_of.items()]

    @classmethod
    def from_records(cls, records: Sequence[tuple[int, str]]) -> Locations:
        """The table of locations that the API named, as ``(id, name)``."""
        return cls(Location(number, name.strip()) for number, name in records)

    @classmethod
    def read(cls, path: str) -> Locations:
        """The table in a file of any input format, in a workbook its sheet ``Locations`` or else the first that has
        one. Raises ``InputError``, also where a line has no usable id."""
        file = open_file(path, label_of(path), _score)
        grids = list(file.grids())
        for grid in sorted(grids, key=lambda grid: name_key(grid.name) != SHEET):
            if _score(grid.head()):
                locations, flaws = locations_in(grid, grid.name or file.label)
                if flaws:
                    raise InputError(f"{file.label}: {flaws[0]}" if grid.is_workbook else flaws[0])
                if locations:
                    return cls(locations)
        raise InputError(
            f"{file.label}: no table of locations in it; it needs a header with BusinessId and Name (and Groups where"
            " there are any), and a line for each location under it"
        )


def _add(index: dict[str, list[int]], key: str, number: int) -> None:
    known = index.setdefault(key, [])
    if number not in known:
        known.append(number)


def is_table(grid: Grid) -> bool:
    """Whether a sheet has the header of a table of locations."""
    return _score(grid.head()) > 0


def locations_in(grid: Grid, label: str) -> tuple[list[Location], list[str]]:
    """The locations of a sheet that is such a table, and a sentence for each line without a usable id."""
    head = grid.head()
    header = next(row for row in range(len(head)) if _columns(head[row]))
    columns = _columns(head[header])
    blank = [""] * (grid.height - header - 1)
    cells = {kind: texts(grid.columns[at][header + 1 :]) for kind, at in columns.items()}
    name = letter(columns["BusinessId"]) if grid.is_workbook else head[header][columns["BusinessId"]]
    source = Source(label, {"BusinessId": name}, grid.is_workbook)
    locations, flaws = [], []
    for line, (number, name, groups) in enumerate(
        zip(cells["BusinessId"], cells.get("Name", blank), cells.get("Groups", blank), strict=True),
        start=header + 2 if grid.is_workbook else 2,
    ):
        if re.fullmatch(r"\d{1,40}", number) and 0 < int(number) <= _LARGEST_ID:
            named = [group for group in re.split(r"[,;|\n]", groups) if group_key(group)]
            locations.append(Location(int(number), name, named))
        elif number:
            flaws.append(f"{source.cell(line, 'BusinessId')}: {number!r} is not the id of a location, a whole number")
        elif name or groups:
            flaws.append(f"{source.cell(line, 'BusinessId')}: the location {name or groups!r} has no id")
    return locations, flaws


def _columns(row: Sequence[str]) -> dict[str, int]:
    """Which columns of a header hold ids, names and groups; nothing where it is no header of such a table."""
    columns: dict[str, int] = {}
    for position, header in enumerate(map(folded, row)):
        for kind, aliases in (("BusinessId", _ID), ("Name", _NAME), ("Groups", _GROUPS)):
            if header in aliases:
                columns.setdefault(kind, position)
    return columns if "BusinessId" in columns and len(columns) > 1 else {}


def _score(rows: Sequence[Sequence[str]]) -> int:
    return next(filter(None, (len(_columns(row)) for row in rows[:HEAD])), 0)
