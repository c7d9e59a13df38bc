"""A journal moves from one place to another, with all that keeps a webhook from being made twice."""

from __future__ import annotations

import json
import os

import pytest
import sqlalchemy as sa

from bulkhooks.provision.journal import tables
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.opening import open_database
from tests.processes import UNLIMITED, bulkhooks, sandbox_process, stored

TOKEN = {"NEXUDUS_TOKEN": "sandbox-token"}
ROWS = "BusinessId,Action,URL,Remark\n" + "".join(
    f"{1001 + number},BookingCreate,https://h.example.com/{number},\u00fc\n" for number in range(6)
)


@pytest.fixture
def address(tmp_path):
    with sandbox_process(tmp_path) as address:
        yield address


@pytest.fixture
def run(tmp_path, address):
    """A command on a journal; what it says as JSON."""
    (tmp_path / "hooks.csv").write_text(ROWS)

    def run(journal, *words):
        done = bulkhooks(
            *words, "--base-url", address, "--journal", journal, "--no-progress", "--json", "--yes", *UNLIMITED,
            cwd=tmp_path, **TOKEN,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def copy(tmp_path, source, target, code=0):
    done = bulkhooks("journal", "copy", source, target, "--json", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def content(place):
    """Every row of every table but of who has which account."""
    with open_database(place) as journal:
        return {
            table.name: journal.query(sa.select(table).order_by(*table.primary_key))
            for table in tables.METADATA.sorted_tables
            if table is not tables.leases
        }


def test_a_copy_in_another_file_has_everything_and_goes_on(run, tmp_path, address):
    assert run("first.db", "run", "hooks.csv", "--limit", "99")["counts"] == {"created": 6}
    assert run("first.db", "run", "hooks.csv")["counts"] == {"exists": 6}
    told = copy(tmp_path, "first.db", "there/second.db")
    assert told == {"from": "first.db", "to": "there/second.db", "runs": 2}
    assert content(tmp_path / "first.db") == content(tmp_path / "there/second.db")
    assert run("there/second.db", "run", "hooks.csv")["counts"] == {"exists": 6}
    assert run("there/second.db", "undo", "hooks.results.xlsx", "--owned")["counts"] == {"deleted": 6}
    assert stored(address) == []


def test_a_file_moves_to_a_shared_database_and_back(run, tmp_path, address, shared_journal):
    """There as everywhere: nothing is made twice, results are written again, what was made can be taken back."""
    assert run("first.db", "run", "hooks.csv", "--run-id", "night")["counts"] == {"created": 6}
    assert copy(tmp_path, "first.db", shared_journal)["runs"] == 1
    assert content(tmp_path / "first.db") == content(shared_journal)
    # New accounts, runs and blocks have numbers behind those that were copied.
    (tmp_path / "hooks.csv").write_text(ROWS.replace("1001,", "1021,").replace("https://h", "https://other"))
    assert run(shared_journal, "run", "hooks.csv")["counts"] == {"created": 6}
    assert copy(tmp_path, shared_journal, "back.db")["runs"] == 2
    assert content(tmp_path / "back.db") == content(shared_journal)
    assert run("back.db", "undo", "--run", "night")["counts"] == {"deleted": 6}
    assert len(stored(address)) == 6


def test_a_backup_of_a_shared_journal_is_a_file_that_works(run, tmp_path, shared_journal):
    """Also while a run has an account; a second one replaces the first."""
    run(shared_journal, "run", "hooks.csv")
    with Journal(shared_journal) as journal:
        assert journal.locks.take(1)
        for _ in range(2):
            done = bulkhooks("journal", "backup", "copy.db", "--journal", shared_journal, "--json", cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            told = json.loads(done.stdout)
            assert told["size"] == (tmp_path / "copy.db").stat().st_size
    assert sorted(path.name for path in tmp_path.glob("copy.db*")) == ["copy.db"]
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    assert content(tmp_path / "copy.db") == content(shared_journal)


@pytest.mark.parametrize("kind", ["file", "shared"])
def test_nothing_is_copied_while_a_run_is_under_way(tmp_path, request, kind):
    place = tmp_path / "j.db" if kind == "file" else request.getfixturevalue("shared_journal")
    with Journal(place) as journal:
        account = journal.account("https://spaces.nexudus.com|me", "acme")
        assert journal.locks.take(account)
        journal.begin("night", command="run", job="", inputs=["x"], accounts=[account], at=1.0)
        said = copy(tmp_path, place, "other.db", code=5)
    assert f"run night (process {os.getpid()} on " in said
    assert "has held account 'acme' since" in said
    assert not (tmp_path / "other.db").exists()
    assert copy(tmp_path, place, "other.db")["runs"] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("first.db",), "say from where and to where"),
        (("first.db", "second.db", "third.db"), "say from where and to where"),
        (("none.db", "second.db"), "none.db: there is no journal here"),
        (("first.db", "first.db"), "first.db: this is the journal itself"),
        (("first.db", "full.db"), "full.db: this journal is not empty"),
        (("first.db", "postgresql://me:hunter2@h/d"), "a password stands in the address"),
        (("first.db", "hooks.csv"), "hooks.csv: the journal is damaged"),
    ],
)
def test_what_cannot_be_copied_is_one_sentence(tmp_path, words, sentence):
    (tmp_path / "hooks.csv").write_text("no database " * 99)
    for name in ("first.db", "full.db"):
        with Journal(tmp_path / name) as journal:
            journal.account("https://spaces.nexudus.com|me", "acme")
    done = bulkhooks("journal", "copy", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "hunter2" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
