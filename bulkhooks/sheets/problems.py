"""What is wrong with a cell: where a person finds it, what stands there, and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding (INTERFACE.md, section 3).

    ``row`` is the position in ``Table.rows``, ``place`` the cell's as a person finds it (``Hooks!C7``,
    ``hooks.csv:7 URL``), ``value`` what stands there. A ``warning`` does not stop the row.
    """

    row: int
    place: str
    code: str
    value: str
    sentence: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"
