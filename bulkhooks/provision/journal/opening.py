"""Opens a journal: a file, or a database that several machines share."""

from __future__ import annotations

from pathlib import Path

from bulkhooks.provision.journal.database import Database


def open_database(place: Path | str) -> Database:
    """The journal at a place: a file's path (``:memory:`` is one that nobody keeps) or a ``postgresql://`` address.

    Raises ``JournalError`` where it cannot be used.
    """
    if isinstance(place, Path):
        from bulkhooks.provision.journal.sqlite import SQLite

        return SQLite(place)
    from bulkhooks.provision.journal.postgresql import PostgreSQL

    return PostgreSQL(place)
