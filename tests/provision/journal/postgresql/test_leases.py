"""Who has an account where several machines share the journal, and what those may write who have it no more."""

from __future__ import annotations

import subprocess
import sys
import time

import anyio
import pytest

from bulkhooks.errors import LeaseLost, LockedError
from bulkhooks.provision.item import Operation, Outcome
from bulkhooks.provision.journal.holding import hold
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import ItemRow
from bulkhooks.webhook import Status
from tests.cut import Line
from tests.provision.journal.conftest import asked

NOW = 1_800_000_000.0
URL = "https://hooks.example.com/in"


@pytest.fixture
def two(shared_journal):
    """Two journals of one database, as two machines have them."""
    with Journal(shared_journal) as one, Journal(shared_journal) as other:
        yield one, other


def account_of(journal):
    return journal.account("https://spaces.example.com|admin", "default")


def planned(journal, run_id="run-1"):
    """A run of one create, whose account is taken; returns its item."""
    account = account_of(journal)
    assert journal.locks.take(account)
    run = journal.begin(run_id, command="run", job="", inputs=[], accounts=[account], at=NOW)
    row = ItemRow(0, "hooks.csv:2", account, 1001, "Soho", 6, URL, URL, "name", Operation.CREATE, row=0)
    journal.plan(run, columns=[], facts={}, rows=[], items=[row])
    (item,) = journal.to_do(run, account, after=-1, count=10)
    return item


def run_out(journal):
    """Let time pass by until nobody has renewed any lease."""
    asked(journal.opened, "UPDATE leases SET expires_at = 0")


def tokens(journal):
    return asked(journal.opened, "SELECT token FROM leases ORDER BY account")


def until_true(happens):
    """What another process has to do first may take it a while."""
    give_up = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_an_account_that_is_taken_is_not_taken_twice(two):
    """Once it is given back the other has it, under a token of its own."""
    one, other = two
    account = account_of(one)
    assert [one.locks.take(account), other.locks.take(account)] == [True, False]
    assert other.locks.take(other.account("https://spaces.example.com|anna", "anna"))
    one.locks.release(account)
    assert [other.locks.take(account), one.locks.take(account)] == [True, False]
    assert tokens(one) == [(2,), (1,)]


def test_who_has_an_account_and_asks_again_has_it(two):
    """The answer may have been lost on its way."""
    one, other = two
    account = account_of(one)
    assert [one.locks.take(account), one.locks.take(account), other.locks.take(account)] == [True, True, False]


async def test_the_sentence_names_the_run_that_has_it(two):
    """Its process and since when; before its run has begun, only these."""
    one, other = two
    account = account_of(one)
    one.locks.take(account)
    with pytest.raises(LockedError, match=r"run that has just begun \(process \d+ on .+\) has held account 'default'"):
        await hold(other, account, "default", 0)
    planned(one)
    with pytest.raises(LockedError, match=r"run run-1 \(process"):
        await hold(other, account, "default", 0)


def test_closing_a_journal_gives_back_what_it_has(two):
    one, other = two
    account = account_of(one)
    one.locks.take(account)
    one.close()
    assert other.locks.take(account)


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_holder_that_is_killed_is_replaced_at_once(shared_journal, end):
    """Although its lease has hours to go."""
    program = (
        "import sys, time; from bulkhooks.provision.journal.journal import Journal\n"
        "journal = Journal(sys.argv[1]); journal.locks.seconds = 10_000\n"
        "print(journal.locks.take(journal.account('a|b', 'x')), flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, shared_journal], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "True\n"
        with Journal(shared_journal) as journal:
            account = journal.account("a|b", "x")
            assert not journal.locks.take(account)
            getattr(holder, end)()
            until_true(lambda: journal.locks.take(account))
            assert tokens(journal) == [(2,)]
    finally:
        holder.kill()
        holder.communicate()


def test_a_pooler_that_gives_two_processes_one_session_gives_neither_the_others_account(two):
    """A session may take its own advisory lock again, so that alone would say that nobody has it."""
    one, _ = two
    account = account_of(one)
    one.locks.take(account)
    taken = one.database.connection.exec_driver_sql(
        f"SELECT bulkhooks.take_lease({account}, 'another', 12345, 30, NULL)"
    )
    assert taken.scalar_one() is None


async def test_a_lease_that_ran_out_is_taken_over_and_its_first_holder_writes_nothing_more(two):
    """``sending`` raises ``LeaseLost`` under the old token; the successor's are on the disk."""
    one, other = two
    item = planned(one)
    run_out(one)
    assert other.locks.take(item.account_id)
    assert tokens(one) == [(2,)]
    async with anyio.create_task_group() as group:
        group.start_soon(one.keep)
        with pytest.raises(LeaseLost, match="taken the account over"):
            await one.sending(item, NOW)
        one.ended(item, Outcome(Status.CREATED, 77), NOW)
        await one.durable()
        group.cancel_scope.cancel()
    with pytest.raises(LeaseLost):
        one.locks.not_after(item.account_id)
    one.give_up(item.run, item.account_id, "stopped")
    assert [asked(one.opened, f"SELECT * FROM {table}") for table in ("doubts", "calls", "created")] == [[], [], []]
    assert asked(one.opened, "SELECT status, error_code, attempts FROM items") == [("pending", "", 0)]
    one.locks.release(item.account_id)
    assert not one.locks.take(item.account_id)


async def test_one_account_that_is_lost_does_not_cost_the_others(two):
    """Their records are in the same group."""
    one, other = two
    item = planned(one)
    second = one.account("https://spaces.example.com|anna", "anna")
    assert one.locks.take(second)
    asked(one.opened, f"UPDATE leases SET expires_at = 0 WHERE account = {item.account_id}")
    assert other.locks.take(item.account_id)
    one.called(second, NOW)
    one.called(item.account_id, NOW)
    one.write_queued()
    assert asked(one.opened, "SELECT account FROM calls") == [(second,)]
    assert [*one.locks.lost] == [item.account_id]


async def test_a_holder_that_slept_and_was_not_replaced_goes_on(two):
    """What is compared is the token: the end of a lease alone costs nothing."""
    one, other = two
    item = planned(one)
    run_out(one)
    async with anyio.create_task_group() as group:
        group.start_soon(one.keep)
        await one.sending(item, NOW)
        group.cancel_scope.cancel()
    one.locks.renew()
    assert (one.locks.lost, other.locks.take(item.account_id)) == ({}, False)


def test_a_sign_of_life_prolongs_the_trust_and_finds_what_is_lost(two):
    """Trust ends a second before the lease does."""
    one, other = two
    first, second = planned(one).account_id, one.account("https://spaces.example.com|anna", "anna")
    one.locks.take(second)
    asked(one.opened, f"UPDATE leases SET expires_at = 0 WHERE account = {second}")
    other.locks.take(second)
    one.locks.seconds = 1000
    one.locks.renew()
    assert 990 < one.locks.not_after(first) - one.locks.now() <= 999
    with pytest.raises(LeaseLost):
        one.locks.not_after(second)
    asked(one.opened, "UPDATE runs SET stop_requested_at = 1")
    one.locks.renew()
    assert one.locks.stopped == {first}


def test_a_holder_whom_the_network_has_cut_off_and_who_comes_back_has_what_nobody_has_taken(postgres, shared_journal):
    """The server does not know that the first connection is no more; the second ends it, and is the sign of life."""
    with Line(postgres.port) as line, Journal(line.through(shared_journal)) as one, Journal(shared_journal) as other:
        account = account_of(one)
        one.locks.take(account)
        line.forget()
        one.called(account, NOW)
        one.write_queued()
        assert asked(shared_journal, "SELECT account FROM calls") == [(account,)]
        assert not other.locks.take(account)
        line.forget()
        line.refuse()
        until_true(lambda: other.locks.take(account))
