"""A shard in the journal: who has been replaced does not touch what is its successor's."""

from __future__ import annotations

import pytest

from bulkhooks.errors import LeaseLost
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.listed import runs
from bulkhooks.provision.journal.parts import Part
from bulkhooks.provision.journal.rows import ItemRow
from bulkhooks.provision.shard import Shard

NOW = 1_800_000_000.0
URL = "https://hooks.example.com/in"


def begun(journal, account):
    return journal.begin(
        "night", command="run", job="", inputs=["a.csv"], accounts=[account], at=NOW, part=Part(Shard(0, 1), 1, "x")
    )


def planned(journal, run, items):
    journal.plan(run, columns=[], facts={}, rows=[], items=items)


def test_who_was_replaced_neither_plans_nor_ends_the_shard(shared_journal):
    """It wakes up between its begin and its plan, when its successor has done the work."""
    with Journal(shared_journal) as first, Journal(shared_journal) as second:
        account = first.account("https://a.example.com|acme", "acme")
        first.locks.seconds = 0.0
        assert first.locks.take(account)
        run = begun(first, account)
        assert second.locks.take(account)
        assert begun(second, account) == run
        item = ItemRow(0, "a.csv:2", account, 1001, "Soho", 6, URL, URL, "name", "", status="exists", webhook_id=7)
        planned(second, run, [item])
        with pytest.raises(LeaseLost):
            planned(first, run, [item._replace(status="pending", operation="create")])
        first.finish(run, {"status": "incomplete"}, NOW + 1)
        first.forget(run, NOW + 1)
        assert history.counts(second, run) == {"exists": 1}
        (listed,) = runs(second.database.read)
        assert listed["shards"]["unfinished"] == [0]
        second.finish(run, {"status": "ok"}, NOW + 2)
        (listed,) = runs(second.database.read)
        assert (listed["shards"]["done"], listed["status"]) == ([0], "ok")
