"""Opens a journal: a file, or a database that several machines share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bulkhooks.errors import UsageError

if TYPE_CHECKING:
    from bulkhooks.provision.journal.database import Database


def shown(place: Path | str) -> str:
    """A place as it may be shown: an address without what may be secret in it."""
    if isinstance(place, Path):
        return str(place)
    return place.partition("?")[0]


def open_database(place: Path | str) -> Database:
    """The journal at a place: a file's path (``:memory:`` is one that nobody keeps) or a ``postgresql://`` address.

    Raises ``JournalError`` where it cannot be used, ``UsageError`` where a package for it is missing.
    """
    if isinstance(place, Path):
        from bulkhooks.provision.journal.sqlite.database import SQLite

        return SQLite(place)
    try:
        from bulkhooks.provision.journal.postgresql.database import PostgreSQL
    except ImportError:
        raise UsageError("--journal postgresql://… needs: pip install 'bulkhooks[cluster]'") from None
    return PostgreSQL(place)
