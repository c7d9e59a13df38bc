"""The first few, which have to succeed before the others follow."""

from __future__ import annotations

import pytest

from tests.provision.fake import Bench, FakeApi, drop_after, refuse_connection, rows_at, status, throttle

pytestmark = pytest.mark.usefixtures("on_both_kinds")


async def test_the_others_follow_once_all_of_the_first_have_succeeded(tmp_path):
    """None of the rest leaves before; a canary in doubt is waited for."""
    api = FakeApi([drop_after, throttle(3), refuse_connection])
    ran = await Bench(tmp_path, api, canary=3).run(rows_at(*range(1001, 1021)))
    assert ran.statuses == ["created"] * 20
    settled_at = next(at for at, method, *_ in api.log if method == "GET" and at > 0)
    assert all(at >= settled_at for at, method, _, location in api.log if method == "POST" and location > 1003)


async def test_one_that_fails_leaves_the_rest_pending(tmp_path):
    """Three of 20 were sent, and the reason is told."""
    api = FakeApi([None, status(400, '{"Message": "URL: no"}'), None])
    ran = await Bench(tmp_path, api, canary=3).run(rows_at(*range(1001, 1021)))
    assert sorted(ran.statuses[:3]) == ["created", "created", "failed"]
    assert ran.statuses[3:] == ["pending"] * 17
    assert "--canary" in ran.told("Error")[-1]


async def test_a_canary_is_that_of_all_accounts(tmp_path):
    """Where an account is stopped with a canary on its hands, the others do not wait for ever: nothing follows."""
    shut, open_ = FakeApi([status(401)], latency=1), FakeApi(latency=2)
    bench = Bench(tmp_path, {"shut": shut, "open": open_}, canary=10)
    ran = await bench.run([*rows_at(1001, 1002, account="shut"), *rows_at(*range(1001, 1021), account="open")])
    assert ran.statuses.count("created") == len(open_.webhooks) == 8
    assert ran.statuses.count("pending") == 13


async def test_an_account_that_could_not_begin_holds_no_canary(tmp_path):
    """Given up while its webhooks were listed, it has sent nothing; the others pass their own canaries."""
    down, up = FakeApi(judge=lambda request: refuse_connection), FakeApi()
    bench = Bench(tmp_path, {"down": down, "up": up}, canary=2, give_up_after=30)
    ran = await bench.run([*rows_at(1001, 1002, account="down"), *rows_at(*range(1001, 1011), account="up")])
    assert ran.statuses == ["pending"] * 2 + ["created"] * 10


async def test_fewer_rows_than_canaries_end(tmp_path):
    """A run smaller than its canary is over when its rows are."""
    ran = await Bench(tmp_path, FakeApi(), canary=50).run(rows_at(1001, 1002))
    assert ran.statuses == ["created"] * 2


async def test_a_limit_below_the_canary_ends(tmp_path):
    """The limit is the reason told."""
    ran = await Bench(tmp_path, FakeApi(), canary=5, limit=2).run(rows_at(*range(1001, 1011)))
    assert ran.statuses == ["created"] * 2 + ["pending"] * 8
    assert "limit" in ran.told("Error")[-1]
