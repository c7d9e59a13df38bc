"""The journal: what is durable when, and what is told when the disk takes no more."""

from __future__ import annotations

import anyio
import pytest
import sqlalchemy as sa

from bulkhooks.errors import Aborted, JournalError
from bulkhooks.provision.item import Operation, Outcome
from bulkhooks.provision.journal import history, tables
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import ItemRow
from bulkhooks.webhook import Status
from tests.provision.conftest import in_a_file
from tests.provision.journal.conftest import asked

NOW = 1_800_000_000.0
URL = "https://hooks.example.com/in"


def planned(journal, count=3):
    """A run of so many creates; returns its items."""
    account = journal.account("https://spaces.example.com|admin", "default")
    run = journal.begin("run-1", command="run", job="", inputs=["hooks.csv"], accounts=[account], at=NOW)
    items = [
        ItemRow(
            number, f"hooks.csv:{number + 2}", account, 1001 + number, "Soho", 6, URL, URL, "name", Operation.CREATE,
            row=number,
        )
        for number in range(count)
    ]  # fmt: skip
    journal.plan(run, columns=[], facts={}, rows=[], items=items)
    return journal.to_do(run, account, after=-1, count=100)


def on_disk(journal, statement):
    """What another process reads."""
    return asked(journal.opened, statement)


async def test_sending_is_on_the_disk_before_the_request_leaves(journal):
    """Once ``sending`` returns, another process finds the row in doubt, and its call counted."""
    item = planned(journal)[0]
    async with anyio.create_task_group() as group:
        group.start_soon(journal.keep)
        await journal.sending(item, NOW)
        assert on_disk(journal, "SELECT seq, error_code, attempts FROM items WHERE error_code <> ''") == [
            (0, "in-doubt", 1)
        ]
        assert on_disk(journal, "SELECT business_id, was_absent FROM doubts") == [(1001, 1)]
        assert on_disk(journal, "SELECT write, at FROM calls") == [(1, NOW)]
        group.cancel_scope.cancel()


async def test_an_outcome_ends_the_doubt_in_the_same_commit(journal):
    """Created, owned and no longer in doubt become true together."""
    item = planned(journal)[0]
    async with anyio.create_task_group() as group:
        group.start_soon(journal.keep)
        await journal.sending(item, NOW)
        journal.ended(item, Outcome(Status.CREATED, 77), NOW + 1)
        assert on_disk(journal, "SELECT * FROM created") == []
        await journal.durable()
        assert on_disk(journal, "SELECT webhook_id, created_at FROM created") == [(77, NOW + 1)]
        assert on_disk(journal, "SELECT * FROM doubts") == []
        assert journal.unsaved == []
        group.cancel_scope.cancel()


@in_a_file
async def test_what_the_disk_does_not_take_stops_the_next_send_and_is_told(journal):
    """The outcome that came in is among ``unsaved``; no further request may leave."""
    first, second, _ = planned(journal)
    async with anyio.create_task_group() as group:
        group.start_soon(journal.keep)
        await journal.sending(first, NOW)
        journal.database.connection.exec_driver_sql(f"PRAGMA max_page_count = {_pages(journal)}")
        first.changes = "x" * 1_000_000
        journal.ended(first, Outcome(Status.CREATED, 77), NOW + 1)
        with pytest.raises(JournalError, match="takes no more"):
            await journal.sending(second, NOW + 2)
        with pytest.raises(JournalError, match="takes no more"):
            await journal.durable()
        journal.ended(second, Outcome(Status.CREATED, 78), NOW + 3)
        assert journal.unsaved == ["hooks.csv:2: created 77", "hooks.csv:3: created 78"]
        group.cancel_scope.cancel()
    assert on_disk(journal, "SELECT seq FROM doubts") == [(0,)]


def _pages(journal):
    return journal.database.connection.exec_driver_sql("PRAGMA page_count").fetchone()[0]


@pytest.mark.parametrize(("was_absent", "status", "owned"), [(True, "created", [(77,)]), (False, "exists", [])])
async def test_what_arrived_is_ours_only_where_it_was_seen_absent(journal, was_absent, status, owned):
    """A send whose run could not list may have met somebody else's webhook."""
    item = planned(journal)[0]
    item.was_absent = was_absent
    async with anyio.create_task_group() as group:
        group.start_soon(journal.keep)
        await journal.sending(item, NOW)
        journal.arrived(item.account_id, (1001, 6, URL), 77, NOW + 9)
        await journal.durable()
        group.cancel_scope.cancel()
    assert on_disk(journal, "SELECT status, verified FROM items WHERE seq = 0") == [(status, 1)]
    assert on_disk(journal, "SELECT webhook_id FROM created") == owned
    assert on_disk(journal, "SELECT * FROM doubts") == []


async def test_what_arrived_keeps_how_the_run_sent_it_and_names_the_run_that_found_it(journal):
    """Attempts and SentAt are that run's own; Error tells who found it, and is no error."""
    item = planned(journal)[0]
    async with anyio.create_task_group() as group:
        group.start_soon(journal.keep)
        for at in (NOW, NOW + 5):
            await journal.sending(item, at)
        journal.begin("run-2", command="run", job="", inputs=[], accounts=[item.account_id], at=NOW + 9)
        journal.arrived(item.account_id, (1001, 6, URL), 77, NOW + 9)
        await journal.durable()
        group.cancel_scope.cancel()
    ((status, attempts, sent_at, code, error),) = on_disk(
        journal, "SELECT status, attempts, sent_at, error_code, error FROM items WHERE seq = 0"
    )
    assert (status, attempts, sent_at, code) == ("created", 2, NOW + 5, "")
    assert "run run-2 found it" in error
    assert history.errors(journal, item.run) == []


async def test_what_was_not_processed_leaves_no_trace_but_its_reason(journal):
    """No call for the cap, no doubt, no attempt."""
    item = planned(journal)[0]
    async with anyio.create_task_group() as group:
        group.start_soon(journal.keep)
        await journal.sending(item, NOW)
        item.attempts -= 1
        journal.not_processed(item, "asked to wait")
        await journal.durable()
        group.cancel_scope.cancel()
    assert on_disk(journal, "SELECT * FROM calls") == on_disk(journal, "SELECT * FROM doubts") == []
    assert on_disk(journal, "SELECT error_code, error, attempts FROM items WHERE seq = 0") == [
        ("not-sent", "asked to wait", 0)
    ]


def test_two_processes_may_make_a_journal_at_once(place):
    """Opened twice, it is one journal with one set of tables."""
    with Journal(place) as one, Journal(place) as other:
        assert one.account("a|b", "x") == other.account("a|b", "x")


def test_no_secret_is_in_the_tables():
    """The account is its address and user, and nothing else names it."""
    columns = {column.name for table in tables.METADATA.sorted_tables for column in table.columns}
    assert not {name for name in columns if any(word in name for word in ("password", "secret", "authori"))}


# Signals


def test_a_signal_that_breaks_off_a_transaction_comes_out_as_it_is_and_nothing_of_it_is_written(place, capfd):
    """The toolkit closes the connection then."""

    def interrupt(cursor, statement, parameters, context):
        if statement.startswith("DELETE"):
            raise KeyboardInterrupt

    def change(journal):
        with journal.transaction() as connection:
            connection.execute(sa.update(tables.items).values(name="another"))
            connection.execute(sa.delete(tables.items))

    with Journal(place) as journal:
        planned(journal)
        sa.event.listen(journal.database.connection.engine, "do_execute", interrupt)
        with pytest.raises(KeyboardInterrupt):
            change(journal)
    with Journal(place) as journal:
        assert journal.query(sa.select(tables.items.c.name)) == [("name",)] * 3
    assert capfd.readouterr().err == ""


def test_a_second_signal_while_a_statement_is_being_made_comes_out_as_it_is(journal):
    """The toolkit wraps what is raised in it."""

    class Stopping(sa.types.TypeDecorator):
        impl, cache_ok = sa.Integer, True

        def process_bind_param(self, value, dialect):
            raise Aborted("stopped at once")

    with pytest.raises(Aborted, match="stopped at once"):
        journal.query(sa.select(sa.bindparam("number", 1, type_=Stopping)))


async def test_who_asks_does_not_wait_for_a_group_whose_writing_has_not_begun(place):
    """A thread that is to write it is started by the event loop, which must not stand still for it."""
    handed_over = anyio.Event()

    async def late(write):
        handed_over.set()
        await anyio.sleep(1)
        write()

    with Journal(place, late) as journal:
        account = journal.account("a", "a")
        async with anyio.create_task_group() as group:
            group.start_soon(journal.keep)
            journal.called(account, NOW)
            await handed_over.wait()
            journal.called(account, NOW + 1)
            assert journal.calls(account, write=False, since=0) == [NOW, NOW + 1]
            await journal.durable()
            group.cancel_scope.cancel()
