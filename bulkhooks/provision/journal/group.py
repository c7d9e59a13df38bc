"""Records that share one commit: of each row of a table the state that it is to have, however often it was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bulkhooks.provision.journal import tables

Key = tuple[Any, ...]


class Rows:
    """What becomes of rows of one table, by their key.

    ``put`` are whole rows, written over what is there; ``changed`` are columns of rows that are there (or nowhere, then
    nothing happens); ``gone`` are deleted. A key is in one of the three.
    """

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        self.key = tuple(column.name for column in table.primary_key)
        self.put: dict[Key, dict[str, Any]] = {}
        self.changed: dict[Key, dict[str, Any]] = {}
        self.gone: set[Key] = set()

    def set(self, row: dict[str, Any]) -> None:
        """Write a whole row."""
        key = tuple(row[name] for name in self.key)
        self.changed.pop(key, None)
        self.gone.discard(key)
        self.put[key] = row

    def change(self, key: Key, values: Mapping[str, Any]) -> None:
        """Change columns of a row; those that are None stay as they are."""
        if key in self.gone:
            return
        row = self.put[key] if key in self.put else self.changed.setdefault(key, {})
        row.update((name, value) for name, value in values.items() if value is not None)

    def delete(self, key: Key) -> None:
        """Delete a row."""
        self.put.pop(key, None)
        self.changed.pop(key, None)
        self.gone.add(key)


class Records:
    """The records of one account in a short while."""

    def __init__(self) -> None:
        self.calls = Rows(tables.calls)
        self.doubts = Rows(tables.doubts)
        self.resent = Rows(tables.resent)
        self.created = Rows(tables.created)
        self.changes = Rows(tables.changes)
        self.items = Rows(tables.items)


TABLES = ("calls", "doubts", "resent", "created", "changes", "items")

Group = dict[int, Records]
"""Records of several accounts, by the journal's numbers of them."""


def rows_of(group: Group, table: str) -> list[Rows]:
    """The rows of one table, account by account."""
    return [getattr(records, table) for records in group.values()]
