"""The headings of a file in which no field is known, for a person to say what they mean."""

from __future__ import annotations

from bulkhooks.sheets.reading.files import label_of, open_file
from bulkhooks.sheets.reading.grid import Grid

_LONGEST = 60


def headings(path: str) -> dict[str, str]:
    """The headings of all sheets that a person sees, each with the first value that stands under it ('' for none).

    The row of headings is the one of the first twenty with the most filled cells. Raises ``InputError``.
    """
    found: dict[str, str] = {}
    for grid in open_file(path, label_of(path), _no_score).grids():
        if not grid.is_hidden:
            for name, value in _of(grid).items():
                found.setdefault(name, value)
    return found


def _no_score(rows: object) -> int:
    del rows
    return 0


def _of(grid: Grid) -> dict[str, str]:
    rows = grid.head()
    if not rows:
        return {}
    header = max(range(len(rows)), key=lambda row: (sum(map(bool, rows[row])), -row))
    return {
        name: next((row[at] for row in rows[header + 1 :] if row[at]), "")
        for at, name in enumerate(rows[header])
        if 0 < len(name) <= _LONGEST
    }
