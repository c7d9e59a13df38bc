"""An API that is down, as against a row that fails."""

from __future__ import annotations

import random

import anyio
import httpx
import pytest

from bulkhooks.provision.limits.outage import GaveUp, Outage
from tests.provision.fake import (
    PAGE_OF_A_PROXY,
    Bench,
    FakeApi,
    Row,
    drop_after,
    drop_before,
    refuse_connection,
    rows_at,
    status,
    throttle,
)

pytestmark = pytest.mark.usefixtures("on_both_kinds")


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


def _down_between(api, begin, end, fate):
    api.judge = lambda request: fate if begin <= api.log[-1][0] < end else None


@pytest.mark.parametrize("settle", [1, 30])
@pytest.mark.parametrize("count", [1, 2, 3, 30])
@pytest.mark.parametrize("fate", [status(503), drop_before])
async def test_an_outage_uses_no_attempt_of_a_row_in_doubt(tmp_path, fate, count, settle):
    """Everything fails for six seconds: with ``--retries 0`` the rows are looked up, and sent again, also where the
    look-up comes long after the outage."""
    api = FakeApi(latency=0.1)
    _down_between(api, 0.15, 6, fate)
    ran = await Bench(tmp_path, api, retries=0, settle=settle).run(rows_at(*range(1001, 1001 + count)))
    assert ran.statuses == ["created"] * count
    assert len(set(api.stored())) == len(api.webhooks) == count


async def test_an_outage_in_the_middle_uses_no_attempt_of_a_row_in_doubt(tmp_path):
    """Also where it has ended long before the look-ups, and where answers come in that were sent before it began."""
    api = FakeApi(latency=1)
    _down_between(api, 5, 11, status(503))
    ran = await Bench(tmp_path, api, retries=0, settle=30).run(rows_at(*range(1001, 1061)))
    assert ran.statuses == ["created"] * 60
    assert len(set(api.stored())) == len(api.webhooks) == 60


@pytest.mark.parametrize("fate", [status(503), drop_before])
async def test_an_outage_uses_no_attempt_of_a_change(tmp_path, fate):
    """A PUT and a DELETE in doubt are read by id, and sent again."""
    api = FakeApi(latency=0.1)
    bench = Bench(tmp_path, api, retries=0)
    await bench.run(rows_at(*range(1001, 1011)))
    api.log.clear()
    begin = anyio.current_time() + 0.35
    _down_between(api, begin, begin + 6, fate)
    ran = await bench.run(rows_at(*range(1001, 1006), active=0), if_exists="update", prune=True)
    assert ran.statuses == ["updated"] * 5 + ["deleted"] * 5


@pytest.mark.parametrize("retries", [0, 2])
async def test_where_only_writes_fail_attempts_are_used_up(tmp_path, retries):
    """Reads are answered, so the API is not down: each row is sent so often, looked up each time, and then failed."""
    api = FakeApi(judge=lambda request: status(500) if request.method == "POST" else None, latency=0.1)
    ran = await Bench(tmp_path, api, retries=retries, settle=1).run(rows_at(*range(1001, 1021)))
    assert (ran.statuses, set(ran.told("ErrorCode"))) == (["failed"] * 20, {"in-doubt"})
    assert ran.told("Attempts") == [retries + 1] * 20


async def test_a_few_failures_do_not_hold_the_look_ups(tmp_path):
    """Five connections dropped in a row, on a server that is well: a read shows it, and the look-ups go as they fall
    due."""
    api = FakeApi([None, *[drop_after] * 5])
    ran = await Bench(tmp_path, api, settle=0.3).run(rows_at(*range(1001, 1009)))
    assert (ran.statuses, len(api.webhooks)) == (["created"] * 8, 8)
    assert ran.seconds < 2


async def test_no_write_is_sent_to_find_out_whether_an_api_is_back(tmp_path):
    """While nothing is answered only reads leave, so no further row gets in doubt."""
    api = FakeApi(latency=0.1)
    _down_between(api, 2, 60, drop_before)
    await Bench(tmp_path, api, rate=["5/s"]).run(rows_at(*range(1001, 1061)))
    methods = [method for at, method, *_ in api.log if 2 <= at < 60]
    assert set(methods[5:]) == {"GET"}
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


async def test_a_process_that_was_stopped_asks_once_more_before_it_gives_up():
    """A request that left before a SIGSTOP of an hour says nothing of the hour; the one after it does."""
    outage = Outage(300, random.Random(1))
    sent_at = anyio.current_time()
    await anyio.sleep(3600)
    for _ in range(8):  # all that were on their way
        assert outage.failed(sent_at, "broken", read=False) == 0
    with pytest.raises(GaveUp):
        outage.failed(anyio.current_time(), "refused", read=True)
    outage.useful(anyio.current_time())
    assert not outage.is_down
