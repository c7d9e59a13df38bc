"""Care for a journal: what prune removes and what it never does, copies, and the check of everything."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing

import anyio
import pytest
import sqlalchemy as sa

from bulkhooks.errors import JournalError, OutputError, UsageError
from bulkhooks.provision.item import Operation, Outcome
from bulkhooks.provision.journal import history, listed, taking_back, upkeep
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import InputRow, ItemRow
from bulkhooks.provision.journal.runs import DAY
from bulkhooks.webhook import Status
from tests.provision.conftest import in_a_file
from tests.provision.journal.conftest import asked

NOW = 1_800_000_000.0
URL = "https://hooks.example.com/in"
OLD = NOW - 100 * DAY


async def ran(journal, name, at, *outcomes, finished=True):
    """A run with a row for each outcome: None is a send without an answer. Returns its number."""
    account = journal.account("https://spaces.example.com|admin", "default")
    run = journal.begin(name, command="run", job="", inputs=["hooks.csv"], accounts=[account], at=at)
    rows = [
        ItemRow(
            seq, f"hooks.csv:{seq + 2}", account, 1001 + seq, "Soho", 6, URL, URL, "name",
            Operation.NOTHING if outcome == Status.EXISTS else Operation.CREATE,
            str(Status.EXISTS if outcome == Status.EXISTS else Status.PENDING), row=seq,
        )
        for seq, outcome in enumerate(outcomes)
    ]  # fmt: skip
    journal.plan(
        run, columns=[], facts={"User": "anna"}, items=rows,
        rows=[InputRow(seq, "1001", "", "6", URL, "", "", "", "", "[]") for seq in range(len(rows))],
    )  # fmt: skip
    async with anyio.create_task_group() as group:
        group.start_soon(journal.keep)
        for item in journal.to_do(run, account, after=-1, count=100):
            await journal.sending(item, at)
            outcome = outcomes[item.seq]
            if outcome is not None:
                journal.ended(item, Outcome(outcome, int(at) % 100_000 + item.seq), at)
        await journal.durable()
        group.cancel_scope.cancel()
    if finished:
        journal.finish(run, {"status": "ok", "counts": {}, "outputs": ["hooks.results.xlsx"]}, at)
    return run


def names(journal):
    return [run["run_id"] for run in listed.runs(journal.database.read)]


async def test_what_is_older_goes_and_the_rest_stays(journal):
    """Runs, rows and blocks; how many there are of each is told."""
    await ran(journal, "old", OLD, Status.EXISTS, Status.FAILED)
    await ran(journal, "new", NOW - DAY, Status.EXISTS)
    done = upkeep.prune(journal.database, NOW - 90 * DAY, NOW, shrink=True)
    assert (done.runs, done.left, names(journal)) == (1, 1, ["new"])
    assert len(list(history.results(journal, 2))) == 1
    with pytest.raises(UsageError, match="no such run"):
        history.run_number(journal, "old")
    upkeep.check(journal.database)


async def test_what_was_made_stays_owned_and_can_be_taken_back(journal, tmp_path):
    """The run is in no list any more, and an undo finds what it made, by its file and by its id."""
    run = await ran(journal, "old", OLD, Status.CREATED, Status.EXISTS)
    (made,) = taking_back.made_by(journal, run, 1)
    upkeep.prune(journal.database, NOW, NOW, shrink=True)
    assert names(journal) == []
    assert history.owned(journal, 1)["id"].tolist() == [made.id]
    assert taking_back.made_by(journal, history.run_number(journal, "old", even_pruned=True), 1) == [made]
    assert taking_back.run_of(journal, {made.id: ("created", URL)}, tmp_path) == run
    assert taking_back.run_of(journal, {made.id: ("exists", URL)}, tmp_path / "hooks.results.xlsx") is None


async def test_what_was_made_and_is_gone_goes_with_the_next(journal):
    await ran(journal, "old", OLD, Status.CREATED)
    upkeep.prune(journal.database, NOW, NOW, shrink=False)
    assert asked(journal.opened, "SELECT count(*) FROM runs") == [(1,)]
    asked(journal.opened, "UPDATE created SET deleted_at = 1")
    upkeep.prune(journal.database, NOW, NOW, shrink=False)
    assert [asked(journal.opened, f"SELECT * FROM {table}") for table in ("runs", "items", "blocks")] == [[], [], []]


async def test_what_is_in_doubt_stays_with_its_run(journal):
    """The next run looks it up, and tells the run that sent it."""
    await ran(journal, "doubtful", OLD, None, Status.EXISTS)
    done = upkeep.prune(journal.database, NOW, NOW, shrink=False)
    assert (done.runs, names(journal)) == (0, ["doubtful"])
    assert history.doubted(journal, 1)["business_id"].tolist() == [1001]
    assert history.counts(journal, 1) == {"exists": 1, "pending": 1}


async def test_what_counts_for_a_cap_stays(journal):
    await ran(journal, "an hour ago", NOW - 3600, Status.FAILED)
    upkeep.prune(journal.database, NOW, NOW, shrink=False)
    assert names(journal) == []
    assert journal.calls(1, write=True, since=NOW - DAY) == [NOW - 3600]


async def test_a_run_that_may_be_under_way_stays(journal):
    """The newest of its account that has not finished; an earlier one that never did is dead."""
    await ran(journal, "dead", OLD, Status.FAILED, finished=False)
    await ran(journal, "under way", OLD + 1, Status.FAILED, finished=False)
    upkeep.prune(journal.database, NOW, NOW, shrink=False)
    assert names(journal) == ["under way"]


@in_a_file
async def test_a_copy_is_whole_while_a_run_writes(journal, tmp_path):
    """What another process has written and not committed is not in it; it is one file, its owner's alone."""
    await ran(journal, "first", NOW, Status.CREATED)
    with Journal(journal.opened) as other, other.transaction() as database:
        database.exec_driver_sql("DELETE FROM runs")
        upkeep.back_up(journal.database, tmp_path / "new" / "copy.db")
        database.exec_driver_sql("INSERT INTO accounts (key, name) VALUES ('k', 'n')")
    copy = tmp_path / "new" / "copy.db"
    assert [path.name for path in copy.parent.iterdir()] == ["copy.db"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with Journal(copy) as again:
        upkeep.check(again.database)
        assert names(again) == ["first"]


@in_a_file
async def test_a_copy_replaces_an_earlier_one_and_nothing_else(journal, tmp_path):
    copy, sheet = tmp_path / "copy.db", tmp_path / "hooks.xlsx"
    sheet.write_bytes(b"PK rows of somebody")
    upkeep.back_up(journal.database, copy)
    await ran(journal, "later", NOW, Status.FAILED)
    upkeep.back_up(journal.database, copy)
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT run_id FROM runs").fetchall() == [("later",)]
    with pytest.raises(OutputError, match="no copy of a journal"):
        upkeep.back_up(journal.database, sheet)
    assert sheet.read_bytes() == b"PK rows of somebody"
    assert sorted(path.name for path in tmp_path.iterdir() if "part" in path.name) == []


async def test_a_check_reads_everything(journal):
    """Also the blocks, in which a database sees nothing wrong."""
    await ran(journal, "first", NOW, Status.EXISTS)
    upkeep.check(journal.database)
    asked(journal.opened, "UPDATE blocks SET content = substr(content, 2)")
    with pytest.raises(JournalError, match="damaged"):
        upkeep.check(journal.database)


def test_a_file_that_was_cut_off_is_found_when_it_is_opened(tmp_path):
    path = tmp_path / "journal.db"
    Journal(path).close()
    os.truncate(path, path.stat().st_size - 4096)
    with pytest.raises(JournalError, match="damaged"):
        Journal(path)


@pytest.mark.parametrize("table", ["created", "doubts", "calls", "accounts"])
def test_what_keeps_a_run_from_sending_twice_is_checked_before_it(tmp_path, table):
    """The page of that table alone is spoiled."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        ((page,),) = journal.query(sa.text(f"SELECT rootpage FROM sqlite_master WHERE name = '{table}'"))
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with Journal(path) as journal, pytest.raises(JournalError, match="damaged"):
        journal.database.check_memory()
