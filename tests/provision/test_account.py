"""Throttling, permission, and the end of an account's work, under a clock that jumps."""

from __future__ import annotations

import anyio
import pytest

from bulkhooks.errors import CredentialsError
from tests.nexudus.conftest import authorization
from tests.provision.fake import (
    EPOCH,
    Bench,
    FakeApi,
    Row,
    drop_before,
    interrupt,
    refuse_connection,
    rows_at,
    status,
    throttle,
    wall,
)

pytestmark = pytest.mark.usefixtures("on_both_kinds")

THROTTLES = {
    "409 with Retry-After": (throttle(7), 7),
    "429 with Retry-After": (status(429, Retry_After="7"), 7),
    "503 with Retry-After": (status(503, Retry_After="7"), 7),
    "429 without": (status(429), 0),
}


@pytest.mark.parametrize(("fate", "wait"), THROTTLES.values(), ids=THROTTLES)
async def test_a_throttle_is_waited_out_and_uses_no_attempt(tmp_path, fate, wait):
    """Told to wait, the row is sent again after that time, without a look-up, and it counts as sent once."""
    api = FakeApi([fate])
    ran = await Bench(tmp_path, api, retries=0).run([Row()])
    assert (ran.statuses, ran.told("Attempts"), api.count("GET")) == (["created"], [1], 1)
    assert (ran.traffic.throttled, ran.traffic.writes, ran.traffic.retried) == (1, 1, 0)
    assert ran.seconds >= wait


async def test_a_throttle_holds_every_request_of_the_account(tmp_path):
    """Nothing leaves before the time that the API asked for is over."""
    api = FakeApi([None, throttle(20)], latency=0.5)
    ran = await Bench(tmp_path, api).run(rows_at(*range(1001, 1041)))
    assert ran.statuses == ["created"] * 40
    told_at = next(at for at, *_ in api.log[2:]) + 0.5
    later = [at for at, *_ in api.log if at > told_at]
    assert min(later) >= told_at + 20


async def test_what_was_ready_to_leave_when_the_api_asked_to_wait_is_sent_later(tmp_path):
    """A pause that comes while a record is made durable holds that request back; it is sent after the pause."""
    api = FakeApi([None, *[throttle(5)] * 3])
    ran = await Bench(tmp_path, api, concurrency=40).run(rows_at(*range(1001, 1101)))
    assert ran.statuses == ["created"] * 100
    assert ran.told("Attempts") == [1] * 100
    assert len(api.webhooks) == 100


async def test_one_account_that_is_throttled_does_not_hold_the_other(tmp_path):
    """Each account has its own limits and its own pauses."""
    slow, fast = FakeApi([throttle(600)]), FakeApi()
    bench = Bench(tmp_path, {"slow": slow, "fast": fast})
    await bench.run([Row(account="slow"), *rows_at(*range(1001, 1031), account="fast")])
    assert max(at for at, *_ in fast.log) < 1
    assert max(at for at, *_ in slow.log) >= 600


async def test_a_pause_longer_than_patience_ends_the_run(tmp_path):
    """Retry-After of an hour: the rest is ``pending``, and it is said when to go on."""
    api = FakeApi([None, None, throttle(3600)])
    ran = await Bench(tmp_path, api, concurrency=1).run(rows_at(1001, 1002, 1003, 1004))
    assert ran.statuses == ["created", "created", "pending", "pending"]
    assert ran.told("ErrorCode")[2:] == ["not-sent", "not-sent"]
    assert ran.resume_at == pytest.approx(EPOCH + 3600, abs=1)
    assert ran.seconds < 1


async def test_with_wait_a_long_pause_is_slept_through(tmp_path):
    """``--wait`` goes on after the hour."""
    api = FakeApi([None, throttle(3600)])
    ran = await Bench(tmp_path, api, concurrency=1, wait=True).run(rows_at(1001, 1002, 1003))
    assert (ran.statuses, ran.resume_at) == (["created"] * 3, None)
    assert ran.seconds >= 3600


# The cap


async def test_a_cap_ends_the_run_and_the_next_one_goes_on(tmp_path):
    """Under 10 a day, 25 webhooks take three days, one run a day, and none is sent twice."""
    api = FakeApi()
    bench = Bench(tmp_path, api, rate=["10/day"])
    rows = rows_at(*range(1001, 1026))
    start = EPOCH
    for created in (10, 20, 25):
        ran = await bench.run(rows)
        assert ran.statuses.count("pending") == 25 - created
        assert len(api.webhooks) == created
        if created == 25:
            assert ran.resume_at is None
            break
        assert ran.resume_at == pytest.approx(start + 86_400, rel=1e-9, abs=20)
        again = await bench.run(rows)
        assert (again.statuses.count("created"), len(api.webhooks)) == (0, created)
        assert again.resume_at == pytest.approx(ran.resume_at, abs=1)
        await _sleep_until(ran.resume_at)
        start = ran.resume_at
    assert ran.cap_left == [5]


async def test_what_fits_under_a_cap_is_the_beginning_of_the_sheet(tmp_path):
    """Rows are sent in their order, also by many workers."""
    ran = await Bench(tmp_path, FakeApi(latency=0.1), rate=["5/day"]).run(rows_at(*range(1001, 1021)))
    assert ran.statuses == ["created"] * 5 + ["pending"] * 15


async def _sleep_until(moment):
    await anyio.sleep(moment - EPOCH - anyio.current_time() + 1)


async def test_with_wait_one_run_takes_the_days(tmp_path):
    """``--wait`` sleeps until the cap opens again."""
    api = FakeApi()
    ran = await Bench(tmp_path, api, rate=["10/day"], wait=True).run(rows_at(*range(1001, 1026)))
    assert ran.statuses == ["created"] * 25
    assert 2 * 86_400 <= ran.seconds <= 2 * 86_400 + 60


@pytest.mark.parametrize("by", ["interrupt", "max-runtime"])
async def test_a_stop_while_waiting_for_the_cap_says_when_to_go_on(tmp_path, by):
    """``--wait`` sleeps for the day to end; whoever stops it is told when that is."""
    api = FakeApi()
    bench = Bench(tmp_path, api, rate=["10/day"], wait=True)

    async def stop():
        await anyio.sleep(3600)
        interrupt(bench.session)

    async with anyio.create_task_group() as group:
        if by == "interrupt":
            group.start_soon(stop)
        ran = await bench.run(rows_at(*range(1001, 1026)), max_runtime=3600 if by == "max-runtime" else None)
    assert ran.statuses == ["created"] * 10 + ["pending"] * 15
    assert ran.resume_at == pytest.approx(EPOCH + 86_400, abs=20)


async def test_an_account_that_has_nothing_left_names_no_time(tmp_path):
    """Of two accounts that are stopped, only the one with rows left says when it can go on."""
    full, free = FakeApi(), FakeApi(latency=20)
    bench = Bench(tmp_path, {"full": full, "free": free}, rate=["3/day"], concurrency=1, max_runtime=50)
    rows = [*rows_at(1001, 1002, 1003, account="full"), *rows_at(*range(1001, 1004), account="free")]
    ran = await bench.run(rows)
    assert ran.statuses == ["created"] * 5 + ["pending"]
    assert ran.resume_at is None


async def test_writes_in_doubt_count_for_the_cap_and_throttled_or_unsent_ones_do_not(tmp_path):
    """Of 10 a day: two in doubt and eight done fill it; a throttle and a refused connection cost nothing."""
    api = FakeApi([drop_before, None, throttle(1), None, refuse_connection])
    bench = Bench(tmp_path, api, rate=["10/day"], concurrency=1)
    ran = await bench.run(rows_at(*range(1001, 1021)))
    assert len(api.webhooks) == 9
    assert ran.statuses.count("created") == 9
    again = await bench.run(rows_at(*range(1001, 1021)))
    assert len(api.webhooks) == 9
    assert again.statuses.count("pending") == 11


async def test_requests_of_earlier_runs_count_in_the_order_they_were_answered(tmp_path):
    """Reads and writes of the last run lie in one window; none of it opens before its time."""
    api = FakeApi()
    bench = Bench(tmp_path, api, request_rate=["4/min"])
    await bench.run(rows_at(1001, 1002))
    await bench.run(rows_at(1001, 1002, 1003))
    moments = [at for at, *_ in api.log]
    assert all(later - earlier >= 60 for earlier, later in zip(moments, moments[4:], strict=False))


# Permission


@pytest.mark.parametrize("code", [401, 403])
async def test_the_first_write_refused_stops_the_account(tmp_path, code):
    """It went alone, so only one request was made of 50: exit 3, the rest ``pending``."""
    api = FakeApi([status(code)])
    ran = await Bench(tmp_path, api).run(rows_at(*range(1001, 1051)))
    assert (api.count("POST"), ran.halts["default"].exit_code) == (1, 3)
    assert ran.statuses == ["failed"] + ["pending"] * 49
    assert ran.told("ErrorCode")[:2] == ["api-auth" if code == 401 else "api-forbidden", "not-sent"]


async def test_the_first_write_is_alone_until_a_new_token_has_been_tried(tmp_path):
    """401, a new token, 401: both are the first row's, and nobody else has been let past in between."""
    api = FakeApi(judge=_signing_in_and(lambda request: status(401) if request.method == "POST" else None), latency=1)
    known = authorization({"NEXUDUS_USERNAME": "admin@example.com", "NEXUDUS_PASSWORD": "secret-word"})
    ran = await Bench(tmp_path, api, authorization=known).run(rows_at(*range(1001, 1021)))
    writes = [location for _, method, path, location in api.log if method == "POST" and "webhooks" in path]
    assert (writes, api.count("POST", "/api/token")) == ([1001, 1001], 2)
    assert ran.statuses == ["failed"] + ["pending"] * 19
    assert ran.told("Attempts") == [2] + [0] * 19
    assert ran.halts["default"].exit_code == 3


async def test_a_first_write_that_a_new_token_mends_lets_the_others_follow(tmp_path):
    """401, a new token, created: all follow under the new one."""
    fates = [status(401)]
    api = FakeApi(
        judge=_signing_in_and(lambda request: fates.pop() if request.method == "POST" and fates else None), latency=1
    )
    known = authorization({"NEXUDUS_USERNAME": "admin@example.com", "NEXUDUS_PASSWORD": "secret-word"})
    ran = await Bench(tmp_path, api, authorization=known).run(rows_at(*range(1001, 1021)))
    assert (ran.statuses, ran.told("Attempts")) == (["created"] * 20, [2] + [1] * 19)


def _signing_in_and(judge):
    """Give whatever token is asked for, and judge the other requests."""

    def judge_all(request):
        if request.url.path == "/api/token":
            return status(200, '{"access_token": "a-token", "expires_in": 604799}')
        return judge(request)

    return judge_all


async def test_a_refusal_elsewhere_fails_its_row_only(tmp_path):
    """An administrator of some locations: what is refused between successes does not stop the others."""
    refused = {1003, 1005, 1007, 1009}
    api = FakeApi(judge=_refusing(refused))
    ran = await Bench(tmp_path, api, concurrency=1).run(rows_at(*range(1001, 1011)))
    assert ran.statuses == ["failed" if number in refused else "created" for number in range(1001, 1011)]
    assert ran.halts["default"] is None


async def test_refused_on_three_locations_in_a_row_stops_the_account(tmp_path):
    """No success between them: the credentials are the reason. Events of one location count once."""
    api = FakeApi(judge=_refusing({1002, 1003, 1004}))
    rows = [Row(1001), *rows_at(1002, 1002, 1002, url="https://b.example.com"), *rows_at(1003, 1004, 1005, 1006)]
    rows[1:4] = [Row(1002, action) for action in (6, 7, 8)]
    ran = await Bench(tmp_path, api, concurrency=1).run(rows)
    assert ran.statuses == ["created"] + ["failed"] * 5 + ["pending"] * 2
    assert ran.halts["default"].exit_code == 3


def _refusing(locations):
    def judge(request):
        body = request.content
        return status(401) if any(b'"BusinessId": %d' % each in body for each in locations) else None

    return judge


async def test_one_account_that_is_turned_away_does_not_stop_the_other(tmp_path):
    """Its own rows stay pending; those of the other account are created."""
    shut, open_ = FakeApi([status(401)]), FakeApi()
    bench = Bench(tmp_path, {"shut": shut, "open": open_})
    ran = await bench.run([*rows_at(1001, 1002, account="shut"), *rows_at(1001, 1002, account="open")])
    assert ran.statuses == ["failed", "pending", "created", "created"]


async def test_a_401_is_mended_by_a_new_token(tmp_path):
    """A token that has ended is fetched anew, and the write sent again, once."""
    api = _SigningIn(FakeApi())
    known = authorization({"NEXUDUS_USERNAME": "admin@example.com", "NEXUDUS_PASSWORD": "secret-word"})
    ran = await Bench(tmp_path, api, authorization=known).run(rows_at(*range(1001, 1021)))
    assert (ran.statuses, len(api.inner.webhooks), api.tokens) == (["created"] * 20, 20, 2)


class _SigningIn:
    """Gives tokens, and forgets the first one after ten requests."""

    def __init__(self, inner):
        self.inner, self.tokens, self.seen = inner, 0, 0

    async def handle_async_request(self, request):
        import httpx

        if request.url.path == "/api/token":
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "expires_in": 604799})
        self.seen += 1
        if request.headers["Authorization"] == "Bearer token-1" and self.seen > 10:
            return httpx.Response(401, json={"Message": "Authorization has been denied for this request."})
        return await self.inner.handle_async_request(request)


async def test_credentials_that_are_not_taken_stop_before_anything_is_sent(tmp_path):
    """The sign-in fails: exit 3, every row ``pending``."""
    api = FakeApi(
        judge=lambda request: status(400, '{"error": "invalid_grant"}') if "token" in request.url.path else None
    )
    known = authorization({"NEXUDUS_USERNAME": "admin@example.com", "NEXUDUS_PASSWORD": "secret-word"})
    ran = await Bench(tmp_path, api, authorization=known).run(rows_at(1001, 1002))
    assert (ran.statuses, ran.halts["default"].exit_code) == (["pending"] * 2, CredentialsError.exit_code)
    assert api.count("POST", "/api/sys") == 0


# Stopping


async def test_the_first_write_goes_alone(tmp_path):
    """The second leaves only when the first is answered."""
    api = FakeApi(latency=2)
    await Bench(tmp_path, api).run(rows_at(*range(1001, 1011)))
    posts = [at for at, method, *_ in api.log if method == "POST"]
    assert posts[1:] == [posts[0] + 2] * 8 + [posts[0] + 4]


async def test_limit_counts_writes_and_the_next_run_goes_on(tmp_path):
    """``--limit 5`` of 12: five, five, two. A write that never left is none."""
    api = FakeApi([refuse_connection, throttle(1)])
    bench = Bench(tmp_path, api, limit=5)
    rows = rows_at(*range(1001, 1013))
    for done in (5, 10, 12):
        ran = await bench.run(rows)
        assert (len(api.webhooks), ran.statuses.count("pending")) == (done, 12 - done)
    assert ran.resume_at is None


async def test_limit_holds_over_all_accounts(tmp_path):
    """Five writes in the run, however many accounts it has; an account that halts takes none from the others."""
    apis = {"one": FakeApi([status(401)], latency=1), "two": FakeApi(latency=10)}
    rows = [*rows_at(*range(1001, 1031), account="one"), *rows_at(*range(1001, 1031), account="two")]
    ran = await Bench(tmp_path, apis, limit=20).run(rows)
    assert ran.statuses.count("created") == len(apis["two"].webhooks) == 20


async def test_what_is_in_doubt_at_the_limit_is_still_looked_up(tmp_path):
    """A look-up is no write: the row that used the last one is settled all the same."""
    api = FakeApi([drop_before, None])
    ran = await Bench(tmp_path, api, limit=2, concurrency=1).run(rows_at(1001, 1002, 1003))
    assert ran.statuses == ["pending", "created", "pending"]
    assert ran.told("ErrorCode") == ["in-doubt", None, "not-sent"]
    ran = await Bench(tmp_path, api).run(rows_at(1001, 1002, 1003))
    assert (ran.statuses, len(api.webhooks)) == (["created", "exists", "created"], 3)


async def test_an_interrupt_finishes_what_is_in_flight_and_starts_nothing(tmp_path):
    """What was on its way gets its outcome; what would have to wait for a look-up stays ``pending``, in doubt."""
    api = FakeApi([drop_before], latency=2)
    bench = Bench(tmp_path, api, settle=600)
    ran = await bench.run(rows_at(*range(1001, 1031)), when_open=_interrupting(api, after=9, bench=bench))
    assert ran.statuses.count("created") == len(api.webhooks) == api.count("POST") - 1
    assert ran.told("ErrorCode").count("in-doubt") == 1
    assert ran.seconds < 60
    api.judge = None
    ran = await bench.run(rows_at(*range(1001, 1031)))
    assert set(ran.statuses) == {"created", "exists"}
    assert len(api.webhooks) == len(set(api.stored())) == 30


def _interrupting(api, *, after, bench):
    """Interrupt once so many requests have come."""

    def judge(request):
        if len(api.log) >= after:
            interrupt(bench.session)

    api.judge = judge
    return lambda session: None


async def test_max_runtime_starts_no_new_request(tmp_path):
    """After that many seconds the rest stays ``pending``."""
    api = FakeApi(latency=2)
    ran = await Bench(tmp_path, api, max_runtime=9, concurrency=1).run(rows_at(*range(1001, 1031)))
    assert max(at for at, *_ in api.log) <= 9
    assert ran.statuses.count("created") == len(api.webhooks) == 4
    assert "--max-runtime" in ran.told("Error")[-1]


async def test_a_clock_that_was_ahead_once_blocks_a_cap_for_one_period(tmp_path):
    """What it dated a month ahead counts as of the next run, once: a day later the cap is free."""
    bench = Bench(tmp_path, FakeApi(latency=0.1), rate=["5/day"])
    ran = await bench.run(rows_at(*range(1001, 1006)), wall=lambda: wall() + 30 * 86_400)
    assert ran.statuses == ["created"] * 5
    for _ in range(2):  # not anew at every run
        ran = await bench.run(rows_at(*range(1001, 1011)))
        assert ran.statuses == ["exists"] * 5 + ["pending"] * 5
        assert ran.resume_at == pytest.approx(EPOCH + 86_400, rel=1e-9, abs=30)
        await anyio.sleep(1)
    await _sleep_until(ran.resume_at)
    assert (await bench.run(rows_at(*range(1001, 1011)))).statuses == ["exists"] * 5 + ["created"] * 5


async def test_a_run_whose_clock_is_ahead_forgets_nothing_that_counts(tmp_path):
    """The writes of an hour ago look a month old to it, and count all the same once the clock is right again."""
    bench = Bench(tmp_path, FakeApi(latency=0.1), rate=["5/day"])
    await bench.run(rows_at(1001, 1002, 1003))
    await bench.run(rows_at(1004), wall=lambda: wall() + 30 * 86_400)
    ran = await bench.run(rows_at(*range(1005, 1008)))
    assert sorted(ran.statuses) == ["created", "pending", "pending"]


async def test_a_clock_that_jumps_back_in_the_middle_of_a_run_changes_no_limit(tmp_path):
    """The run's own limits go by the clock that only goes on."""
    began = wall()
    bench = Bench(tmp_path, FakeApi(latency=0.1), rate=["3/min"])
    ran = await bench.run(rows_at(*range(1001, 1008)), wall=lambda: wall() - (86_400 if wall() - began > 30 else 0))
    assert ran.statuses == ["created"] * 7
    assert 120 <= ran.seconds < 150
