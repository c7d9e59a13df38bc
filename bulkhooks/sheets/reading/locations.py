"""The table of locations: ids, names, groups and networks, as a sheet, a file or the API lists them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.files import label_of, open_file
from bulkhooks.sheets.reading.grid import HEAD, Grid, letter, texts
from bulkhooks.sheets.reading.headers import ALIASES
from bulkhooks.sheets.reading.source import Source
from bulkhooks.sheets.strings import folded, yes_or_no
from bulkhooks.sheets.values import LocationLine

SHEET = "locations"
"""Name (whatever the case) of the sheet in an input workbook that is the table of locations."""

_ID = {*map(folded, ALIASES["BusinessId"]), "id"}
_NAME = {*map(folded, ALIASES["Location"]), "name", "locationname", "businessname"}
_HEADERS = {
    "BusinessId": _ID,
    "Name": _NAME,
    "Groups": {"groups", "group"},
    "RootLocationId": {"rootlocationid", "rootlocation"},
    "Network": {"network"},
    "Suspended": {"suspended"},
}
"""Headers of the table, by column, as ``folded`` has them."""
_LARGEST_ID = 2**63 - 1


_TYPOGRAPHIC = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u00b4`"), "'") | dict.fromkeys(range(0x2010, 0x2016), "-")


def name_key(name: str) -> str:
    """The form in which names of locations are compared: whatever the case and the form of their letters (an umlaut may
    be one character or two), one space where there are several, and typewriter's apostrophes and dashes."""
    key = " ".join(name.split())
    if not key.isascii():
        key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold()).translate(_TYPOGRAPHIC)
    return key.casefold()


def group_key(group: str) -> str:
    """Likewise of groups, whose ``@`` may be left out."""
    return name_key(group.strip().removeprefix("@"))


@dataclass(frozen=True, slots=True)
class Location:
    """One line of the table. ``network``: the id or the name of the network that it belongs to, "" where none is."""

    id: int
    name: str = ""
    groups: Sequence[str] = ()
    network: str = ""
    suspended: bool = False


class Locations:
    """Looks locations up. False where there is no table.

    ``ids``: all, in the table's order. ``name_of``: name by id ("" where it has none). ``by_name``: ids by
    ``name_key``; a name of several ids is ambiguous. ``groups``: ids by ``group_key``, among them the locations of each
    network under its name. ``networks``: by id of a location that is others' network the group of those, as it is
    written. ``suspended``: ids that are switched off. ``without_networks``: why it is not known which locations belong
    to a network, "" where it is.
    """

    def __init__(self, locations: Iterable[Location] = (), *, without_networks: str = "") -> None:
        self.name_of: dict[int, str] = {}
        self.by_name: dict[str, list[int]] = {}
        self.groups: dict[str, list[int]] = {}
        self.networks: dict[int, str] = {}
        self.suspended: set[int] = set()
        self.without_networks = without_networks
        self._spelt: dict[int, dict[str, str]] = {}
        self._network_of: dict[int, str] = {}
        for location in locations:
            self.name_of[location.id] = self.name_of.get(location.id) or location.name
            if key := name_key(location.name):
                _add(self.by_name, key, location.id)
            spelt = self._spelt.setdefault(location.id, {})
            for group in location.groups:
                key = group_key(group)
                _add(self.groups, key, location.id)
                spelt.setdefault(key, group.strip().removeprefix("@").strip())
            if location.network:
                self._network_of[location.id] = location.network
            if location.suspended:
                self.suspended.add(location.id)
        self.ids = list(self.name_of)
        for number, network in list(self._network_of.items()):
            self._join(number, network)

    def __bool__(self) -> bool:
        return bool(self.ids)

    @property
    def without_roots(self) -> list[int]:
        """What ``*`` is: every location but those that are others' network."""
        return [number for number in self.ids if number not in self.networks]

    def _join(self, number: int, network: str) -> None:
        """Add a location to the group of its network, which is looked up by id, then by name."""
        named = [int(network)] if network.isdecimal() and int(network) in self.name_of else []
        roots = named or self.by_name.get(name_key(network), [])
        root = roots[0] if len(roots) == 1 else None
        if root == number:
            del self._network_of[number]
            return
        name = (root is not None and self.name_of[root]) or network
        if group := group_key(name):
            _add(self.groups, group, number)
        self._network_of[number] = name
        if root is not None:
            self.networks[root] = name

    def rows(self) -> list[LocationLine]:
        """The table, a line for each location."""
        return [
            LocationLine(
                number,
                name,
                ", ".join(self._spelt[number].values()),
                self._network_of.get(number, ""),
                "yes" if number in self.suspended else "",
            )
            for number, name in self.name_of.items()
        ]

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
            f"{file.label}: no table of locations in it; it needs a header with BusinessId and Name (and Groups and"
            " Network where there are any), and a line for each location under it"
        )


def _add(index: dict[str, list[int]], key: str, number: int) -> None:
    known = index.setdefault(key, [])
    if number not in known:
        known.append(number)


def is_table(grid: Grid) -> bool:
    """Whether a sheet has the header of a table of locations."""
    return _score(grid.head()) > 0


def locations_in(grid: Grid, label: str) -> tuple[list[Location], list[str]]:
    """The locations of a sheet that is such a table, and a sentence for each line that cannot be used."""
    head = grid.head()
    header = next(row for row in range(len(head)) if _columns(head[row]))
    columns = _columns(head[header])
    blank = [""] * (grid.height - header - 1)
    cells = {kind: texts(grid.columns[at][header + 1 :]) for kind, at in columns.items()}
    names = {kind: letter(at) if grid.is_workbook else head[header][at] for kind, at in columns.items()}
    source = Source(label, names, grid.is_workbook)
    locations: list[Location] = []
    flaws: list[str] = []
    lines = zip(*(cells.get(kind, blank) for kind in _HEADERS), strict=True)
    for line, values in enumerate(lines, start=header + 2 if grid.is_workbook else 2):
        found = _location(dict(zip(_HEADERS, values, strict=True)))
        if isinstance(found, Location):
            locations.append(found)
        elif found:
            kind, sentence = found
            flaws.append(f"{source.cell(line, kind)}: {sentence}")
    return locations, flaws


def _location(cells: Mapping[str, str]) -> Location | tuple[str, str] | None:
    """The location of a line of the table; else the column that is wrong and a sentence, None for an empty line."""
    number, name, groups = cells["BusinessId"], cells["Name"], cells["Groups"]
    if not number:
        return ("BusinessId", f"the location {name or groups!r} has no id") if name or groups else None
    if not (re.fullmatch(r"\d{1,40}", number) and 0 < int(number) <= _LARGEST_ID):
        return "BusinessId", f"{number!r} is not the id of a location, a whole number"
    suspended = yes_or_no(cells["Suspended"] or "no")
    if suspended is None:
        return "Suspended", f"{cells['Suspended']!r} is neither yes nor no"
    named = [group for group in re.split(r"[,;|\n]", groups) if group_key(group)]
    return Location(int(number), name, named, cells["RootLocationId"] or cells["Network"], suspended)


def _columns(row: Sequence[str]) -> dict[str, int]:
    """Which columns of a header are which of the table's; nothing where it is no header of such a table."""
    columns: dict[str, int] = {}
    for position, header in enumerate(map(folded, row)):
        for kind, aliases in _HEADERS.items():
            if header in aliases:
                columns.setdefault(kind, position)
    return columns if "BusinessId" in columns and len(columns) > 1 else {}


def _score(rows: Sequence[Sequence[str]]) -> int:
    return next(filter(None, (len(_columns(row)) for row in rows[:HEAD])), 0)
