"""The accounts of a run that other processes send, on either kind of journal."""

from __future__ import annotations

import anyio
import pytest

from bulkhooks.provision.item import Operation, Outcome
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import ItemRow
from bulkhooks.webhook import Status

NOW = 1_800_000_000.0
URL = "https://hooks.example.com/in"


@pytest.fixture(params=["file", "shared"])
def place(request, tmp_path):
    return tmp_path / "journal.db" if request.param == "file" else request.getfixturevalue("shared_journal")


def planned(journal, operations=(Operation.CREATE,)):
    account = journal.account("https://spaces.example.com|admin", "default")
    assert journal.locks.take(account)
    run = journal.begin("run-1", command="run", job="", inputs=[], accounts=[account], at=NOW)
    rows = [
        ItemRow(seq, f"hooks.csv:{seq}", account, 1001 + seq, "Soho", 6, URL, URL, "name", operation, row=seq)
        for seq, operation in enumerate(operations)
    ]
    journal.plan(run, columns=[], facts={}, rows=[], items=rows)
    return run, account


def worker_of(place, run):
    journal = Journal(place)
    journal.locks.heir_of = run
    return journal


def test_an_account_that_is_handed_on_is_its_workers_and_nobody_elses(place):
    """One worker at a time; in between, and when all is over for them, no other run has it on a file."""
    with Journal(place) as run_of, Journal(place) as stranger:
        run, account = planned(run_of)
        run_of.locks.hand_on([account])
        assert not stranger.locks.take(account)
        with worker_of(place, run) as one:
            assert one.locks.take(account)
            assert not stranger.locks.take(account)
            run_of.locks.renew()
            assert run_of.locks.lost == {}
            one.locks.release(account)
        run_of.locks.release(account)
        assert stranger.locks.take(account)


def test_a_worker_that_outlives_its_run_keeps_others_from_the_account(place):
    """Until it has seen that it is alone."""
    with Journal(place) as stranger:
        run_of = Journal(place)
        run, account = planned(run_of)
        run_of.locks.hand_on([account])
        with worker_of(place, run) as one:
            assert one.locks.take(account)
            run_of.locks.release(account)
            run_of.close()
            assert not stranger.locks.take(account)
            one.locks.release(account)
        assert stranger.locks.take(account)


async def test_a_run_is_to_stop_when_it_is_asked_or_alone(place):
    with Journal(place) as journal:
        run, _ = planned(journal)
        assert not await journal.is_to_stop(run, NOW)
        await journal.seen(run, NOW, stops=False)
        assert [await journal.is_to_stop(run, NOW + ahead) for ahead in (-1, 1)] == [False, True]
        await journal.seen(run, NOW, stops=True)
        assert await journal.is_to_stop(run, NOW - 1)


async def test_who_comes_after_a_worker_goes_on_where_that_has_left_it(place):
    """What is done is left out, what is in doubt is looked up, what is to come is as it was."""
    with Journal(place) as journal:
        run, account = planned(journal, [Operation.CREATE] * 3 + [Operation.DELETE])
        done, doubtful, refused, _ = journal.to_do(run, account, after=-1, count=10)
        async with anyio.create_task_group() as group:
            group.start_soon(journal.keep)
            for item in (done, doubtful, refused):
                await journal.sending(item, NOW)
            journal.ended(done, Outcome(Status.CREATED, 77), NOW)
            journal.not_processed(refused, "held back")
            await journal.durable()
            group.cancel_scope.cancel()
        assert [(item.seq, item.operation) for item in journal.to_do(run, account, after=-1, count=10)] == [
            (1, Operation.LOOK_UP), (2, Operation.CREATE), (3, Operation.DELETE),
        ]  # fmt: skip
        assert sorted(await journal.standing(run)) == [(account, "created", False, 1), (account, "pending", False, 3)]
        journal.in_doubt(doubtful, "the connection was cut")
        journal.write_queued()
        assert (account, "pending", True, 1) in await journal.standing(run)
