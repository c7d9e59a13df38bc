"""The tables of an older journal become those of a new one, column by column, and nothing in them is lost."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from bulkhooks.errors import JournalError
from bulkhooks.provision.journal import upgrade
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.revision import REVISION
from bulkhooks.provision.journal.sqlite import old_files
from tests.provision.fake import EPOCH


@pytest.fixture
def last_of_the_first_edition(tmp_path):
    """A file of the last version that was no revision yet, with calls in it."""
    path = tmp_path / "old.db"
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN")
    old_files.migrate(database, 0)
    database.execute(f"PRAGMA user_version = {old_files.VERSION}")
    database.execute("INSERT INTO accounts VALUES (7, 'account https://default.example.com|default', 'default')")
    database.execute("INSERT INTO calls (account, write, at) VALUES (7, 1, ?), (7, 0, ?)", (EPOCH - 30, EPOCH - 20))
    database.execute("COMMIT")
    database.close()
    return path


def shape(path):
    """Every table with its columns (name, whether it may be empty, place in the key), and every index."""
    database = sqlite3.connect(path)
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {
        name: sorted(
            (column, bool(is_filled or key), key)
            for _, column, _, is_filled, _, key in database.execute(f"PRAGMA table_info({name})")
        )
        for name in names
    }
    indexes = {
        tuple(part[2] for part in database.execute(f"PRAGMA index_info({index[1]})"))
        for name in names
        for index in database.execute(f"PRAGMA index_list({name})")
    }
    return columns, indexes


def test_an_older_file_has_the_tables_of_a_new_one(last_of_the_first_edition, tmp_path):
    Journal(last_of_the_first_edition).close()
    Journal(tmp_path / "new.db").close()
    assert shape(last_of_the_first_edition) == shape(tmp_path / "new.db")


def test_what_counts_for_the_limits_is_brought_along(last_of_the_first_edition):
    for _ in range(2):  # the second time there is nothing left to do
        with Journal(last_of_the_first_edition) as journal:
            assert journal.calls(7, write=True, since=0) == [EPOCH - 30]
            assert journal.calls(7, write=False, since=0) == [EPOCH - 20]
            assert upgrade.revision_of(journal.database.connection) == REVISION


def test_the_tables_are_those_of_the_newest_revision():
    config = Config()
    config.set_main_option("script_location", str(upgrade._FOLDER))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_the_first_edition_leaves_a_file_of_this_one_alone(tmp_path):
    """It refuses what says a higher version than its own."""
    Journal(tmp_path / "new.db").close()
    (version,) = sqlite3.connect(tmp_path / "new.db").execute("PRAGMA user_version").fetchone()
    assert version > old_files.VERSION


def test_a_revision_that_is_not_known_is_a_sentence(tmp_path):
    with Journal(tmp_path / "new.db") as journal, journal.transaction() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(JournalError, match=r"newer bulkhooks wrote this journal \(version 0999\); update bulkhooks"):
        Journal(tmp_path / "new.db")
