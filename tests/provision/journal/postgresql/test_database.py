"""A journal in PostgreSQL: made, cut off, refused, and whatever text comes."""

from __future__ import annotations

import subprocess
import sys

import anyio
import pytest

from bulkhooks.errors import JournalError
from bulkhooks.provision.item import Operation, Outcome
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import InputRow, ItemRow
from bulkhooks.webhook import Status
from tests.cut import Line
from tests.provision.journal.conftest import asked

pytest.importorskip("psycopg")

from tests.postgres import Server, free_port

NOW = 1_800_000_000.0
URL = "https://hooks.example.com/in"


@pytest.fixture
def journal(shared_journal):
    with Journal(shared_journal) as journal:
        yield journal


@pytest.fixture
def line(postgres):
    with Line(postgres.port) as line:
        yield line


def account_of(journal):
    """An account that is taken."""
    account = journal.account("https://spaces.example.com|admin", "default")
    assert journal.locks.take(account)
    return account


def called(journal, account, times):
    """Count so many requests, each in a group of its own."""
    for number in range(times):
        journal.called(account, NOW + number)
        journal.write_queued()


def calls(place):
    return [at - NOW for (at,) in asked(place, "SELECT at FROM calls ORDER BY at")]


def end_all(place):
    """End every session but this one."""
    asked(
        place,
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def out_of_trust(journal):
    """Let time pass until no request may leave any more."""
    journal.locks.seconds = 0
    journal.locks.renew()


# Made


def test_two_processes_make_the_tables_at_once(shared_journal):
    """Whoever is later finds them whole."""
    program = (
        "import sys; from bulkhooks.provision.journal.journal import Journal; sys.stdin.read()\n"
        "with Journal(sys.argv[1]) as journal: print(journal.account('a|b', 'x'))"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, shared_journal], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for each in both:
        each.stdin.close()
    assert [each.stdout.read() for each in both] == ["1\n", "1\n"]
    assert [each.wait() for each in both] == [0, 0]


def test_tables_of_a_newer_version_are_a_sentence(journal):
    """Nothing is changed in them."""
    asked(journal.opened, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(JournalError, match=r"a newer bulkhooks wrote this journal \(version 9999\); update bulkhooks"):
        Journal(journal.opened)
    assert asked(journal.opened, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_user_who_may_not_is_told_so(postgres, journal):
    """The sentence names the place without a password."""
    postgres.run("DROP ROLE IF EXISTS guest")
    postgres.run("CREATE ROLE guest LOGIN")
    address = journal.opened.replace("postgres@", "guest:s3cret@")
    with pytest.raises(JournalError, match="this user may not use the journal there") as caught:
        Journal(address)
    assert "guest@127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("address", ["postgresql://127.0.0.1:{closed}/x", "{server}/nowhere"])
def test_a_server_or_database_that_is_not_there_is_a_sentence(postgres, address):
    """What the server says is in it."""
    server = postgres.address("").rstrip("/")
    with pytest.raises(JournalError, match="the journal cannot be reached"):
        Journal(address.format(closed=free_port(), server=server))


def test_what_is_no_address_is_a_sentence():
    with pytest.raises(JournalError, match="no address of PostgreSQL"):
        Journal("postgresql://what is this")


# Cut off


def test_records_go_on_after_their_session_was_ended(journal):
    """Also twice; each is there once."""
    account = account_of(journal)
    called(journal, account, 1)
    for _ in range(2):
        end_all(journal.opened)
        called(journal, account, 2)
    assert calls(journal.opened) == [0, 0, 0, 1, 1]
    assert asked(journal.opened, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(1,)]


def test_what_is_asked_and_begun_after_its_session_was_ended_goes_on(journal):
    """A transaction that the end broke off is a sentence, and none of it is there; the next one is begun anew."""
    account = account_of(journal)
    end_all(journal.opened)
    assert journal.calls(account, write=False, since=0) == []
    end_all(journal.opened)
    journal.begin("run-1", command="run", job="", inputs=[], accounts=[account], at=NOW)

    def broken_off():
        with journal.transaction() as connection:
            connection.exec_driver_sql("DELETE FROM bulkhooks.run_accounts")
            end_all(journal.opened)
            connection.exec_driver_sql("DELETE FROM bulkhooks.runs")

    with pytest.raises(JournalError, match="cannot be reached"):
        broken_off()
    journal.begin("run-2", command="run", job="", inputs=[], accounts=[account], at=NOW)
    assert asked(journal.opened, "SELECT count(*) FROM run_accounts") == [(2,)]
    assert asked(journal.opened, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(1,)]


def test_a_plan_that_is_cut_off_is_a_sentence_and_none_of_it_is_there(journal):
    """Its rows go in by a way of their own."""
    account = account_of(journal)
    run = journal.begin("run-1", command="run", job="", inputs=[], accounts=[account], at=NOW)

    def rows():
        for number in range(20_000):
            if number == 10_000:
                end_all(journal.opened)
            yield ItemRow(number, "a:2", account, number, "Soho", 6, URL, URL, "name", Operation.CREATE, row=number)

    with pytest.raises(JournalError, match="cannot be reached"):
        journal.plan(run, columns=[], facts={}, rows=[], items=rows())
    assert journal.to_do(run, account, after=-1, count=10) == []


async def test_a_line_that_is_cut_and_comes_back_costs_nothing(line, shared_journal):
    """While it is away what is queued waits, and is written once."""
    with Journal(line.through(shared_journal)) as journal:
        account = account_of(journal)
        async with anyio.create_task_group() as group:
            group.start_soon(journal.keep)
            line.refuse()
            journal.called(account, NOW)
            group.start_soon(anyio.to_thread.run_sync, line.go_on)
            await journal.durable()
            line.drop()
            journal.called(account, NOW + 1)
            await journal.durable()
            group.cancel_scope.cancel()
    assert calls(shared_journal) == [0, 1]


@pytest.mark.parametrize("trouble", ["refuse", "stall"])
def test_a_server_that_stays_away_ends_it_once_nothing_may_be_sent(line, shared_journal, trouble):
    """A sentence, also for what is asked after that; and no error where the journal is closed after it."""
    journal = Journal(f"{line.through(shared_journal)}?connect_timeout=1")
    account = account_of(journal)
    journal.database.patience = 0.1
    out_of_trust(journal)
    getattr(line, trouble)()
    journal.called(account, NOW)
    with pytest.raises(JournalError, match="the journal cannot be reached"):
        journal.write_queued()
    with pytest.raises(JournalError, match="the journal cannot be reached"):
        journal.write_queued()
    with pytest.raises(JournalError, match="the journal cannot be reached"):
        journal.calls(account, write=True, since=0)
    journal.close()
    assert calls(shared_journal) == []


@pytest.mark.heavy
@pytest.mark.parametrize("end", ["kill", "fast", "immediate"])
def test_records_go_on_after_the_server_was_ended_and_started_again(postgres, end):
    """None is lost and none is there twice."""
    with Server() as server, Journal(server.fresh()) as journal:
        account = account_of(journal)
        for _ in range(3):
            called(journal, account, 5)
            server.kill() if end == "kill" else server.stop(end)
            server.start()
        called(journal, account, 5)
        assert len(calls(journal.opened)) == 20
        assert tokens_of(journal) == [(1,)]


def tokens_of(journal):
    return asked(journal.opened, "SELECT token FROM leases")


# Text


@pytest.mark.parametrize("text", ["a\0b", "a\ud83db", "\udc00", "\0", 'a\\u0000"b', "ab", "名前 🚀"])
async def test_whatever_a_text_holds_it_is_written(journal, text):
    """Without NUL and without half a surrogate pair, which PostgreSQL does not take; all else as it is."""
    kept = text.replace("\0", "").encode("utf-8", "ignore").decode()
    account = account_of(journal)
    run = journal.begin("run-1", command="run", job="", inputs=[text], accounts=[account], at=NOW)
    row = ItemRow(0, "a:2", account, 1001, text, 6, URL, URL, text, Operation.CREATE, row=0)
    journal.plan(
        run, columns=[text], facts={"Job": text}, items=[row],
        rows=[InputRow(0, "1001", text, "6", URL, text, "", "", "", "[]")],
    )  # fmt: skip
    (item,) = journal.to_do(run, account, after=-1, count=10)
    async with anyio.create_task_group() as group:
        group.start_soon(journal.keep)
        await journal.sending(item, NOW)
        journal.ended(item, Outcome(Status.CREATED, 7, error=text, name=text, url=URL), NOW)
        await journal.durable()
        group.cancel_scope.cancel()
    assert asked(journal.opened, "SELECT location, name, error FROM items") == [(kept, kept, kept)]
    assert asked(journal.opened, "SELECT location FROM created") == [(kept,)]
    assert len(list(history.results(journal, run))) == 1
