"""A journal of each kind, open, and what others read in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bulkhooks.provision.journal.journal import Journal


@pytest.fixture
def journal(place):
    with Journal(place) as journal:
        yield journal


def asked(place, statement):
    """What another process gets for a statement, at once and for good."""
    if isinstance(place, Path):
        opened = sqlite3.connect(place, isolation_level=None)
    else:
        import psycopg

        opened = psycopg.connect(place, autocommit=True, options="-c search_path=bulkhooks")
    with closing(opened) as database:
        cursor = database.execute(statement)
        return cursor.fetchall() if cursor.description else []
