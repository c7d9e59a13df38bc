"""Where no header is known: what the columns probably are, by what stands in them, and what may be wrong else."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bulkhooks import actions
from bulkhooks.errors import InputError, Unmapped
from bulkhooks.sheets.reading.grid import HEAD, Grid, written
from bulkhooks.sheets.reading.headers import Headers, field_of, nearest_field
from bulkhooks.sheets.strings import folded

_BELOW = 100
"""Rows under a header whose cells tell what its columns are."""
_MOST = 0.6
"""So many of the cells of a column have to look alike."""
_LONGEST = 60
_NEEDED = ("BusinessId", "Action", "URL")
_UNSAFE = re.compile(r'["$`\\!]')
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_ID = re.compile(r"@?[\d\s,;|-]*\d{3}[\d\s,;|-]*|\*")
_SWITCHES = frozenset({"true", "false", "yes", "no", "y", "n", "on", "off"})


def map_option(columns: Mapping[str, str]) -> str:
    """``--map "Destination=URL" --map "What=Action"``, quoted for a shell."""
    pairs = (f"{' '.join(theirs.split())}={ours}" for theirs, ours in columns.items())
    return " ".join("--map " + (shlex.quote(pair) if _UNSAFE.search(pair) else f'"{pair}"') for pair in pairs)


def no_header(path: str, label: str, grids: Sequence[Grid], headers: Headers, places: Collection[str]) -> InputError:
    """What to say of an input without a header that is known.

    ``places`` are the names of locations that are known, folded. Headers are quoted, never cells under them.
    """
    sentence = (
        f"{label}: no header found; one of the first {HEAD} rows must have at least two known columns, one of them URL"
        " or Action"
    )
    found = [_Sample.of(grid) for grid in grids]
    for sample in found:
        if reason := _other_reason(sample, headers):
            return InputError(f"{sentence}. {reason}")
    proposals = [proposal for sample in found for proposal in _proposals(sample, headers, places)]
    best = max(proposals, key=lambda proposal: proposal.worth, default=None)
    if best is not None:
        return Unmapped(f"{sentence}. {best.sentence()}", path, best.columns)
    for sample in found:
        if sample.rows and (ours := _in_data(sample, places)):
            return InputError(
                f"{sentence}. The first row, {sample.where(0)}, is data already: write a row with the names of the"
                f" columns above it, by what stands in them {', '.join(ours)}"
            )
    return InputError(f'{sentence}; say what other names mean with --map "THEIR COLUMN=FIELD"')


@dataclass(frozen=True, slots=True)
class _Sample:
    """The first rows of a sheet as text."""

    grid: Grid
    rows: Sequence[Sequence[str]]

    @classmethod
    def of(cls, grid: Grid) -> _Sample:
        count = min(grid.height, HEAD + _BELOW)
        return cls(grid, [[written(column[row]) for column in grid.columns] for row in range(count)])

    def where(self, row: int) -> str:
        """A row as people name it."""
        return f"row {row + 1} of sheet {self.grid.name}" if self.grid.is_workbook else f"record {row + 1}"


@dataclass(slots=True)
class _Proposal:
    """A row taken for the header. ``columns``: the fields of headers that need a ``--map``; ``known`` those that do
    not."""

    where: str
    row: int
    columns: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> set[str]:
        return {*self.columns.values(), *self.known.values()}

    @property
    def worth(self) -> tuple[int, int, int]:
        """How good it is: fields that every row needs, all fields, and of such rows the one nearest to the data."""
        return len(self.fields & set(_NEEDED)), len(self.fields), self.row

    def sentence(self) -> str:
        there = f", besides {', '.join(map(repr, self.known))}" if self.known else ""
        missing = [name for name in _NEEDED if name not in self.fields]
        lacking = f"; no column looks like the {' or the '.join(missing)}" if missing else ""
        options = map_option(self.columns)
        return f"By the names and the cells under them, {self.where} is the header{there}: give {options}{lacking}"


def _proposals(sample: _Sample, headers: Headers, places: Collection[str]) -> Iterator[_Proposal]:
    for row, names in enumerate(sample.rows[:HEAD]):
        if any(map(_is_data, names)):
            return
        below = sample.rows[row + 1 : row + 1 + _BELOW]
        proposal = _Proposal(sample.where(row), row)
        meanings: list[tuple[int, int, str]] = []
        for at, name in enumerate(names):
            if kind := headers.kind(name) if name else "":
                chosen = proposal.columns if folded(name) in headers.mapped else proposal.known
                chosen[name] = field_of(kind)
            elif 0 < len(name) <= _LONGEST:
                cells = [row[at] for row in below if row[at]]
                meanings += [(-worth, at, ours) for ours, worth in _meanings(name, cells, places)]
        for _, at, ours in sorted(meanings):
            if ours not in proposal.fields and names[at] not in proposal.columns:
                proposal.columns[names[at]] = ours
        proposal.columns = {name: proposal.columns[name] for name in names if name in proposal.columns}
        if proposal.columns and len(proposal.fields) > 1 and proposal.fields & {"URL", "Action"}:
            yield proposal


def _meanings(name: str, cells: Sequence[str], places: Collection[str]) -> Iterator[tuple[str, int]]:
    """Fields that a column may be, each with how much speaks for it: its name, its cells, or both."""
    near = nearest_field(name)
    by_cells, worth = _by_cells(cells, places)
    if by_cells:
        yield by_cells, worth + _BY_NAME * (by_cells == near)
    if near and near != by_cells and worth < _SURE:
        yield near, _BY_NAME


_SURE, _LIKELY, _MAYBE, _BY_NAME = 5, 3, 1, 2


def _by_cells(cells: Sequence[str], places: Collection[str]) -> tuple[str, int]:
    """The field that cells look like ('' for none), and how much speaks for it."""
    tests: Sequence[tuple[str, int, Callable[[str], object]]] = (
        ("URL", _SURE, _ADDRESS.match),
        ("Action", _SURE, _is_event),
        ("BusinessId", _SURE, lambda cell: folded(cell) in places),
        ("Active", _LIKELY, lambda cell: cell.casefold() in _SWITCHES),
        ("BusinessId", _LIKELY, _ID.fullmatch),
        ("BusinessId", _MAYBE, str.isdigit),
    )
    return next(((ours, worth) for ours, worth, test in tests if _mostly(cells, test)), ("", 0))


def _mostly(cells: Sequence[str], test: Callable[[str], object]) -> bool:
    return bool(cells) and sum(bool(test(cell)) for cell in cells) >= _MOST * len(cells)


def _is_event(cell: str) -> bool:
    """Whether a cell names events in words; a bare number may be anything."""
    items = [item for item in re.split(r"\s*[,;|\n]\s*", cell) if item]
    return bool(items) and all(not item.isdigit() and item != "*" and bool(actions.match(item)) for item in items)


def _is_data(cell: str) -> bool:
    return _ADDRESS.match(cell) is not None or _is_event(cell)


def _in_data(sample: _Sample, places: Collection[str]) -> list[str]:
    """What the columns are in a sheet that begins with data; nothing where that is not clear."""
    if not any(map(_is_data, sample.rows[0])):
        return []
    ours = []
    for at in range(len(sample.rows[0])):
        meant, _ = _by_cells([row[at] for row in sample.rows if row[at]], places)
        ours.append(meant if meant not in ours else "")
    return [name or f"Column {at + 1}" for at, name in enumerate(ours)]


def _other_reason(sample: _Sample, headers: Headers) -> str:
    """Why a table that has known headers is none that can be read."""
    first = [cell for row in sample.rows[:HEAD] for cell in row if cell][:1]
    if not sample.grid.is_workbook and first and all(sum(map(bool, row)) <= 1 for row in sample.rows):
        for delimiter in ",;\t|":
            if headers.find([first[0].split(delimiter)]) == 0:
                return (
                    "Each line as a whole is in quotes, so that it is one value: take away the quotes around the lines,"
                    " or save the table again as .csv"
                )
    down = [list(column) for column in zip(*sample.rows[:HEAD], strict=True)]
    for at, column in enumerate(down[:3]):
        if headers.find([column]) == 0 and len(down) > at + 1:
            names = ", ".join(repr(cell) for cell in column if cell and headers.kind(cell))
            return (
                f"The table lies on its side: {names} stand one below the other. Turn it round (copy, then Paste"
                " Special with Transpose), so that each webhook is a row"
            )
    return ""
