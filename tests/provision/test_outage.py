"""An API that is down, as against a row that fails."""

from __future__ import annotations

import httpx
import pytest

from tests.provision.fake import (
    PAGE_OF_A_PROXY,
    Bench,
    FakeApi,
    Row,
    drop_before,
    refuse_connection,
    rows_at,
    status,
    throttle,
)


def unknown_host(api, request):
    """No such host."""
    raise httpx.ConnectError("[Errno -2] Name or service not known", request=request)


DOWN = {
    "refused": refuse_connection,
    "no such host": unknown_host,
    "500": status(500),
    "503 with Retry-After": status(503, Retry_After="10"),
    "hung up": drop_before,
    "a web page": PAGE_OF_A_PROXY,
}


@pytest.mark.parametrize("fate", DOWN.values(), ids=DOWN)
async def test_an_api_that_is_down_from_the_start_is_given_up(tmp_path, fate):
    """After ``--give-up-after``: everything ``pending``, exit 4, nothing sent blindly."""
    api = FakeApi(judge=lambda request: fate)
    ran = await Bench(tmp_path, api, give_up_after=120, retries=0).run(rows_at(1001, 1002))
    assert (ran.statuses, ran.told("ErrorCode")) == (["pending"] * 2, ["not-sent"] * 2)
    assert ran.halts["default"].exit_code == 4
    assert 110 <= ran.seconds <= 135
    assert len(api.log) < 60


@pytest.mark.parametrize("retries", [0, 1, 5])
@pytest.mark.parametrize("fate", [refuse_connection, unknown_host, status(503, Retry_After="5")])
async def test_an_outage_uses_no_attempt_of_any_row(tmp_path, fate, retries):
    """Down for a while in the middle: afterwards every row is created, whatever ``--retries`` says."""
    api = FakeApi(latency=1)

    def judge(request):
        return fate if api.log[-1][0] >= 5 and sum(at >= 5 for at, *_ in api.log) < 60 else None

    api.judge = judge
    ran = await Bench(tmp_path, api, retries=retries, give_up_after=3600).run(rows_at(*range(1001, 1061)))
    assert ran.statuses == ["created"] * 60
    assert len(set(api.stored())) == len(api.webhooks) == 60


async def test_an_api_that_goes_down_leaves_the_rest_pending(tmp_path):
    """What was created stays so, what is in doubt says so, the rest was not sent; the next run finishes."""
    api = FakeApi(latency=1)
    api.judge = lambda request: drop_before if api.log[-1][0] >= 5 else None
    bench = Bench(tmp_path, api, give_up_after=60)
    ran = await bench.run(rows_at(*range(1001, 1061)))
    assert set(ran.statuses) == {"created", "pending"}
    assert set(ran.told("ErrorCode")) == {None, "in-doubt", "not-sent"}
    api.judge = None
    again = await bench.run(rows_at(*range(1001, 1061)))
    assert set(again.statuses) == {"created", "exists"}
    assert len(set(api.stored())) == len(api.webhooks) == 60


async def test_while_nothing_is_answered_requests_go_one_at_a_time(tmp_path):
    """No hammering: an API that is down gets a request now and then, not eight at a time."""
    api = FakeApi(latency=1)
    api.judge = lambda request: refuse_connection if api.log[-1][0] >= 5 else None
    await Bench(tmp_path, api, give_up_after=300).run(rows_at(*range(1001, 1061)))
    down = [at for at, *_ in api.log if at >= 8]
    assert len(down) == len(set(down)) < 60


async def test_a_throttle_is_a_sign_of_life(tmp_path):
    """An API that throttles for longer than ``--give-up-after`` is not given up."""
    api = FakeApi([throttle(60)] * 10)
    ran = await Bench(tmp_path, api, give_up_after=120).run([Row()])
    assert ran.statuses == ["created"]
    assert ran.seconds >= 600


async def test_a_503_is_no_sign_of_life(tmp_path):
    """It is waited for as long as it asks, and given up like silence."""
    api = FakeApi([status(503, Retry_After="60")] * 10)
    ran = await Bench(tmp_path, api, give_up_after=120).run([Row()])
    assert (ran.statuses, ran.told("Attempts")) == (["pending"], [0])
    assert ran.halts["default"].exit_code == 4
    assert ran.seconds < 200


async def test_one_account_that_is_down_does_not_stop_the_other(tmp_path):
    """Each is given up by itself."""
    down, up = FakeApi(judge=lambda request: refuse_connection), FakeApi()
    bench = Bench(tmp_path, {"down": down, "up": up}, give_up_after=60)
    ran = await bench.run([*rows_at(1001, 1002, account="down"), *rows_at(1001, 1002, account="up")])
    assert ran.statuses == ["pending", "pending", "created", "created"]
