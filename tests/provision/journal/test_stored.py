"""Rows that stay as they are: stored once, and exact in the results of every run."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bulkhooks.errors import JournalError
from bulkhooks.provision.item import Operation
from bulkhooks.provision.journal import history, known, taking_back
from bulkhooks.provision.journal.rows import InputRow, ItemRow
from bulkhooks.provision.journal.stored import items
from bulkhooks.webhook import Status
from tests.provision.conftest import in_a_file
from tests.provision.journal.conftest import asked

URL = "https://hooks.example.com/in"
ROWS = 2_000


def nightly(journal, number, *, names=None, first=Status.EXISTS, operation=Operation.NOTHING, rows=ROWS):
    """A run of so many webhooks; ``names`` are those of single rows. Returns its number."""
    account = journal.account("https://spaces.example.com|admin", "default")
    run = journal.begin(f"run-{number}", command="run", job="", inputs=["a.csv"], accounts=[account], at=float(number))
    name = {row: f"name {row}" for row in range(rows)} | (names or {})
    journal.plan(
        run,
        columns=["Note"],
        facts={},
        locations=[(1000 + row, f"Place {row}", "", "", "") for row in range(rows)],
        rows=[
            InputRow(row, str(1000 + row), "", "BookingCreate", URL, name[row], "", "", "", f'["{row}"]')
            for row in range(rows)
        ],
        items=[
            ItemRow(
                row, f"a.csv:{row + 2}", account, 1000 + row, f"Place {row}", 6, URL, URL, name[row],
                operation, first, 5000 + row, row,
            )
            for row in range(rows)
        ],
    )  # fmt: skip
    journal.finish(run, {"status": "ok", "counts": {"exists": rows}, "outputs": []}, float(number))
    return run


def size(journal):
    """The bytes of everything that is written."""
    list(journal.query(sa.text("PRAGMA wal_checkpoint(TRUNCATE)")))
    return journal.opened.stat().st_size


@in_a_file
def test_a_run_in_which_nothing_has_changed_adds_next_to_nothing(journal):
    """Less than a tenth of what the first one took, its rows and its table of locations with it."""
    empty = size(journal)
    nightly(journal, 0)
    first = size(journal) - empty
    for number in range(1, 21):
        nightly(journal, number)
    assert size(journal) - empty - first < 20 * first / 10
    assert len(list(history.results(journal, 21))) == ROWS


def test_a_row_that_changes_costs_its_block_and_every_run_has_its_own(journal):
    """The results of the run before it and of the one after it are exact."""
    before, after = nightly(journal, 1), nightly(journal, 2, names={700: "another"})
    ((blocks, references),) = asked(
        journal.opened, "SELECT (SELECT count(*) FROM blocks), (SELECT count(*) FROM run_blocks)"
    )
    assert blocks == references / 2 + 2  # of the input, and of the results
    names = [[row.cells[6] for row in history.results(journal, run)] for run in (before, after)]
    assert names[0] == [f"name {row}" for row in range(ROWS)]
    assert [row for row in range(ROWS) if names[0][row] != names[1][row]] == [700]
    assert names[1][700] == "another"
    assert [row.cells[-1] for row in history.results(journal, after)] == [str(row) for row in range(ROWS)]


def test_what_is_sent_and_what_is_settled_come_in_one_order(journal):
    """A third of the rows has something to send."""
    account = journal.account("https://spaces.example.com|admin", "default")
    run = journal.begin("mixed", command="run", job="", inputs=["a.csv"], accounts=[account], at=0.0)
    rows = [
        ItemRow(
            seq, f"a.csv:{seq}", account, seq, "", 6, URL, URL, "n", Operation.NOTHING if seq % 3 else Operation.CREATE,
            str(Status.EXISTS if seq % 3 else Status.PENDING), row=seq,
        )
        for seq in range(1_000)
    ]  # fmt: skip
    journal.plan(run, columns=[], facts={}, rows=[], items=rows)
    assert list(items(journal, run)) == rows
    assert [item.seq for item in items(journal, run, range(250, 260))] == list(range(250, 260))
    assert history.counts(journal, run) == {"exists": 666, "pending": 334}


def test_an_input_of_several_has_its_own_rows(journal):
    """``{input}`` asks for a part of the rows."""
    run = nightly(journal, 1)
    assert [row.cells[0] for row in history.results(journal, run, rows=range(510, 514))] == [
        f"a.csv:{row + 2}" for row in range(510, 514)
    ]


def test_the_run_of_a_file_is_found_among_runs_that_are_alike(journal, tmp_path):
    """Of those that agree with it the one that wrote there, else the newest."""
    first, second = nightly(journal, 1), nightly(journal, 2)
    rows = {5000 + row: (str(Status.EXISTS), URL) for row in range(ROWS)}
    assert taking_back.run_of(journal, rows, tmp_path) == second
    assert taking_back.run_of(journal, {1: ("created", URL)}, tmp_path) is None
    assert list(taking_back.webhooks_in(journal, first)["default"]) == list(rows)


def test_ids_that_only_settled_rows_have_are_known(journal):
    nightly(journal, 1, rows=3)
    assert known.known_ids(journal, [5001, 9], lambda key: "spaces" in key) == {5001}
    assert known.known_ids(journal, [5001, 9], lambda key: False) == set()


def test_a_block_that_is_not_as_it_was_written_is_damage(journal):
    """Found where it is met, with the sentence."""
    run = nightly(journal, 1)
    asked(journal.opened, "UPDATE blocks SET content = substr(content, 1, length(content) - 9)")
    with pytest.raises(JournalError, match=r"damaged.*restore (it|the database) from a backup"):
        list(history.results(journal, run))
