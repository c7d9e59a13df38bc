"""The columns that mean something, and where a person finds a cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FIELDS: tuple[str, ...] = (
    "BusinessId",
    "Location",
    "Action",
    "URL",
    "Name",
    "Description",
    "Active",
    "Account",
    "Replaces",
)
"""The columns that mean something (bulkhooks/docs/reference.md, Input columns)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A sheet or a delimited file. ``columns`` gives, for each field it has, the column as its places name it: a letter
    in a workbook, the header in text."""

    label: str
    columns: Mapping[str, str]
    is_workbook: bool
    has_results: bool = False
    """Whether it is a results file (known by Row, Status and WebhookId together)."""
    input: int = 0
    """Position of its file among the inputs."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The header of each field, as it is written."""
    sheet: str = ""
    """The sheet's name in its workbook."""

    def row(self, line: int) -> str:
        """``Hooks!7``, ``a.xlsx:Hooks!7``, ``hooks.csv:7``."""
        return f"{self.label}{'!' if self.is_workbook else ':'}{line}"

    def cell(self, line: int, name: str) -> str:
        """``Hooks!C7``, ``hooks.csv:7 URL``; the row where a workbook has no such column."""
        if self.is_workbook:
            return f"{self.label}!{self.columns.get(name, '')}{line}"
        return f"{self.label}:{line} {self.columns.get(name, name)}"
