"""The limits as the sandbox keeps them, with time that a test moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bulkhooks.sandbox.limits import SECOND, Limits, Rate
from bulkhooks.sandbox.options import parse_rates
from tests.sandbox.conftest import WEBHOOKS, Clock, body, create, running, stats

rates = st.lists(st.builds(Rate, st.integers(1, 5), st.integers(1, 5 * SECOND)), min_size=1, max_size=3)


@given(rates, st.lists(st.integers(0, 3 * SECOND), max_size=60))
def test_no_window_ever_holds_more_than_its_count(limits, gaps):
    """Whenever requests come, those taken never exceed N in any PERIOD, and one is turned away only where it would."""
    clock = Clock()
    kept = Limits(limits, (), clock)
    taken = []
    for gap in gaps:
        clock.now += gap
        wait = kept.arrive(write=True)
        full = any(sum(at > clock.now - rate.period for at in taken) >= rate.count for rate in limits)
        assert (wait > 0) == full
        if not wait:
            taken.append(clock.now)
    for rate in limits:
        for at in taken:
            assert sum(at <= other < at + rate.period for other in taken) <= rate.count


@given(rates, rates, st.lists(st.integers(0, SECOND), min_size=1, max_size=40))
def test_a_request_at_the_promised_second_is_taken(writes, requests, gaps):
    """Who comes again after exactly the seconds told is let in, and has not been told to wait a second too long."""
    clock = Clock()
    kept = Limits(writes, requests, clock)
    for gap in gaps:
        clock.now += gap
        wait = kept.arrive(write=True)
        if wait:
            clock.now += (wait - 1) * SECOND
            early = kept.arrive(write=True) if wait > 1 else 1
            assert early == 1
            clock.now += SECOND
            assert kept.arrive(write=True) == 0


def test_throttling_is_said_the_way_nexudus_says_it(clock):
    """Over the limit: 409 with its own reason phrase, Retry-After in whole seconds, and no body."""
    with running(rate=parse_rates(["2/1.5s"]), clock=clock) as client:
        create(client)
        clock.go_on(0.1)
        create(client)
        answer = client.post(WEBHOOKS, json=body())
        assert (answer.status_code, answer.reason_phrase) == (409, "You must wait before accessing this url again.")
        assert (answer.headers["retry-after"], answer.content) == ("2", b"")
        clock.go_on(1.39)
        assert client.post(WEBHOOKS, json=body()).headers["retry-after"] == "1"
        clock.go_on(0.01)
        assert client.post(WEBHOOKS, json=body()).reason_phrase == "OK"
        assert (stats(client)["throttled"], stats(client)["webhooks"]) == (2, 3)


def test_limits_on_writes_leave_reads_alone(clock):
    """A limit on writes counts POST, PUT and DELETE together and no read."""
    with running(rate=parse_rates(["3/min"]), clock=clock) as client:
        id_ = create(client)
        assert client.put(WEBHOOKS, json=body(Id=id_)).status_code == 200
        assert client.delete(f"{WEBHOOKS}/{id_}").status_code == 200
        assert client.post(WEBHOOKS, json=body()).headers["retry-after"] == "60"
        assert client.get(WEBHOOKS).status_code == 200
        assert client.get("/api/sys/businesses").status_code == 200


def test_limits_on_requests_count_everything_but_the_sandboxs_own(clock):
    """A limit on requests counts reads, writes, sign-ins and failures; paths below /sandbox/ are exempt."""
    with running(request_rate=parse_rates(["4/min"]), clock=clock) as client:
        create(client)
        client.get(WEBHOOKS)
        client.get("/api/sys/nothing")
        client.post("/api/token", data={"grant_type": "x"})
        assert client.get(WEBHOOKS).status_code == 409
        assert client.post("/api/token").status_code == 409
        assert stats(client)["throttled"] == 2
        clock.go_on(60)
        assert client.get(WEBHOOKS).status_code == 200


def test_a_throttled_connection_goes_on(clock):
    """After a 409 the same connection answers the next request in the ordinary words."""
    with running(rate=parse_rates(["1/min"]), clock=clock) as client:
        create(client)
        for _ in range(3):
            assert client.post(WEBHOOKS, json=body(Name="x" * 100_000)).status_code == 409
        answer = client.get(WEBHOOKS)
        assert (answer.status_code, answer.reason_phrase) == (200, "OK")


def test_there_is_no_limit_unless_one_is_given(client):
    """By default nothing is throttled."""
    for _ in range(200):
        create(client)
    assert stats(client)["throttled"] == 0
