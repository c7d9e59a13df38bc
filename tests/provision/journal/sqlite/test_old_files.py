"""Journals of earlier editions: opened, brought up to the present tables, and used."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa

from bulkhooks.nexudus.address import account_key
from bulkhooks.provision.item import Operation
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.sqlite import old_files
from tests.provision.fake import EPOCH, Bench, FakeApi, Row

URL = Row.url


@pytest.fixture
def first_edition(tmp_path):
    """A file as the first edition wrote it: one webhook created, one whose send has no outcome, one not sent."""
    path = tmp_path / "journal.db"
    database = sqlite3.connect(path)
    for statement in old_files._FIRST.split(";\n"):
        database.execute(statement)
    database.execute("PRAGMA user_version = 1")
    database.execute("INSERT INTO accounts VALUES (1, 'https://default.example.com|default', 'default')")
    database.execute(
        "INSERT INTO runs (id, run_id, command, job, holder, started_at, inputs, columns, facts)"
        f" VALUES (1, 'run-1', 'run', '', 'process 1', {EPOCH - 60}, '[\"hooks.csv\"]', '[]', '{{}}')"
    )
    database.execute("INSERT INTO run_accounts VALUES (1, 1)")
    for seq, (verdict, status, webhook_id, code) in enumerate(
        [("create", "created", 101, ""), ("create", "pending", 0, "in-doubt"), ("create", "pending", 0, "not-sent")]
    ):
        database.execute(
            "INSERT INTO items (run, seq, row, place, account, business_id, location, action, url, url_key, name,"
            " name_given, verdict, status, webhook_id, error_code, error, attempts)"
            " VALUES (1, ?, ?, ?, 1, ?, 'Soho', 6, ?, ?, 'name', 0, ?, ?, ?, ?, '', 1)",
            (seq, seq, f"hooks.csv:{seq + 2}", 1001 + seq, URL, URL, verdict, status, webhook_id, code),
        )
    database.execute(
        "INSERT INTO created VALUES (1, 101, 1001, 'Soho', 6, ?, ?, 'name', NULL, 1, ?, NULL)", (URL, URL, EPOCH)
    )
    database.execute("INSERT INTO doubts VALUES (1, 1002, 6, ?, 1, 1, ?, 1)", (URL, EPOCH - 30))
    database.execute("INSERT INTO calls (account, write, at) VALUES (1, 1, ?)", (EPOCH - 30,))
    database.commit()
    database.close()
    return path


def test_a_journal_of_the_first_edition_is_brought_up_to_date(first_edition):
    """The column ``verdict`` is ``operation`` now; what is left, owned and in doubt is known as before."""
    for _ in range(2):  # the second time there is nothing left to do
        with Journal(first_edition) as journal:
            items = journal.to_do(1, 1, after=-1, count=10)
            assert [(item.seq, item.operation, item.identity) for item in items] == [
                (1, Operation.LOOK_UP, (1002, 6, URL)),
                (2, Operation.CREATE, (1003, 6, URL)),
            ]
            assert history.owned(journal, 1)["id"].tolist() == [101]
            assert history.doubted(journal, 1)["business_id"].tolist() == [1002]
            assert history.counts(journal, 1) == {"created": 1, "pending": 2}
            assert len(list(history.results(journal, 1))) == 3
            assert list(journal.query(sa.text("PRAGMA user_version"))) == [(old_files.VERSION + 1,)]


async def test_a_run_goes_on_where_the_first_edition_stopped(first_edition, tmp_path):
    """What it made is there, what was in doubt is looked up before it is sent, and its write counts for the cap."""
    api = FakeApi()
    api.last_id = 100
    api.add(1001, 6, URL)
    ran = await Bench(tmp_path, api, rate=["10/day"]).run([Row(1001), Row(1002), Row(1003)])
    assert ran.statuses == ["exists", "created", "created"]
    looked_up = [
        number for number, (_, method, _, location) in enumerate(api.log) if (method, location) == ("GET", 1002)
    ]
    sent = [number for number, (_, method, _, location) in enumerate(api.log) if (method, location) == ("POST", 1002)]
    assert looked_up[0] < sent[0]
    assert ran.cap_left == [7]


def test_accounts_of_one_server_become_one(first_edition):
    """What two spellings of it have made, in doubt and counted is the first one's; past runs keep their names."""
    database = sqlite3.connect(first_edition)
    database.execute("UPDATE accounts SET key = 'http://localhost:8899|default'")
    for number, key in enumerate(
        ["http://127.0.0.1:8899|default", "https://a.example:443|b", "http://127.0.0.1:8899|b"], 2
    ):
        database.execute("INSERT INTO accounts VALUES (?, ?, 'default')", (number, key))
    database.execute(
        "INSERT INTO created SELECT 2, 102, 1009, location, action, url, url_key, name, description, run,"
        " created_at, deleted_at FROM created"
    )
    database.execute("INSERT INTO doubts VALUES (2, 1010, 6, ?, 1, 2, ?, 1)", (URL, EPOCH))
    database.execute("INSERT INTO calls (account, write, at) VALUES (2, 1, ?)", (EPOCH,))
    database.execute("INSERT INTO run_accounts VALUES (1, 2)")
    database.execute("UPDATE items SET account = 2 WHERE seq = 2")
    database.commit()
    database.close()
    with Journal(first_edition) as journal:
        one = journal.account(account_key("http://[::1]:8899/", "default"), "default")
        assert one == 1
        assert history.owned(journal, one)["id"].tolist() == [101, 102]
        assert history.doubted(journal, one)["business_id"].tolist() == [1002, 1010]
        assert journal.calls(one, write=True, since=0) == [EPOCH - 30, EPOCH]
        assert [item.seq for item in journal.to_do(1, one, after=-1, count=10)] == [1, 2]
        assert journal.account(account_key("https://A.example", "b"), "b") == 3
        assert journal.account(account_key("http://localhost:8899", "b"), "b") == 4
        assert len(list(history.results(journal, 1))) == 3


ROW = ("1001", "Soho", "BookingCreate", URL, "", "", "", "", '["a note"]')


@pytest.fixture
def fifth_edition(first_edition):
    """The file after some years: every row of the input in a table, also of what nothing was sent for."""
    database = sqlite3.connect(first_edition)
    for number, statements in enumerate(old_files._MIGRATIONS[1:5], 2):
        for statement in statements.split(";\n"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {number}")
    for run in (2, 3):
        database.execute(
            "INSERT INTO runs (id, run_id, command, job, holder, started_at, finished_at, inputs, columns, facts,"
            f" locations) VALUES ({run}, 'run-{run}', 'run', '', 'process 1 on desk', {EPOCH}, {EPOCH}, '[]',"
            ' \'["Note"]\', \'{}\', \'[[1001, "Soho", "@uk", "", ""]]\')'
        )
        for row in range(1_000):
            database.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (run, row, *ROW))
            database.execute(
                "INSERT INTO items (run, seq, row, place, account, business_id, location, action, url, url_key, name,"
                " name_given, operation, status, webhook_id, http_status, error_code, error, attempts, sent_at,"
                " verified, duration_ms)"
                " VALUES (?, ?, ?, ?, 1, ?, 'Soho', 6, ?, ?, 'name', 0, '', ?, ?, 200, '', '', 1, 7.5, 1, 42)",
                (run, row, row, f"a.csv:{row + 2}", row, URL, URL, "exists" if row else "duplicate", 500 + row),
            )
    database.commit()
    database.execute("VACUUM")
    database.close()
    return first_edition


def test_rows_of_an_earlier_edition_are_as_they_were_and_take_less_room(fifth_edition):
    """Each run has its results, its own columns and its table of locations; what they have alike is stored once."""
    before = fifth_edition.stat().st_size
    with Journal(fifth_edition) as journal:
        found = [[row.cells for row in history.results(journal, run)] for run in (2, 3)]
        assert found[0] == found[1]
        assert found[0][999] == [
            "a.csv:1001", 999, "Soho", "BookingCreate", 6, URL, "name", None, None, None, "exists", 1499, 200, None,
            None, None, None, "yes", 1, "1970-01-01T00:00:07.500Z", 42, "a note",
        ]  # fmt: skip
        assert history.counts(journal, 2) == {"exists": 999, "duplicate": 1}
        assert [tuple(line) for line in history.run_facts(journal, 3).locations] == [(1001, "Soho", "@uk", "", "")]
        assert history.counts(journal, 1) == {"created": 1, "pending": 2}
    assert fifth_edition.stat().st_size < before / 4
