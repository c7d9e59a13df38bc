"""What goes wrong on purpose."""

from __future__ import annotations

import httpx
import pytest

from bulkhooks.sandbox.faults import Fault, FaultInjector, Latency
from bulkhooks.sandbox.options import parse_faults
from tests.sandbox.conftest import WEBHOOKS, body, create, running, stats


@pytest.mark.parametrize(("kind", "stored"), [("drop-before", 0), ("drop-after", 1)])
def test_a_dropped_connection_gives_no_answer(kind, stored):
    """The connection closes without a byte; what is stored by then is what the fault's name says."""
    with running(fault=parse_faults([f"{kind}=1"])) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(WEBHOOKS, json=body(Name="x" * 200_000))
        assert stats(client)["webhooks"] == stored
        assert stats(client)["faults"] == {kind: 1}


def test_a_dropped_update_and_delete_are_done_or_not():
    """drop-after strikes PUT and DELETE too, and they are carried out."""
    with running(fault=(Fault("drop-after", 1.0),)) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(WEBHOOKS, json=body())
        [record] = client.get(WEBHOOKS).json()["Records"]
        with pytest.raises(httpx.RemoteProtocolError):
            client.put(WEBHOOKS, json=record | {"Name": "New"})
        assert client.get(f"{WEBHOOKS}/{record['Id']}").json()["Name"] == "New"
        with pytest.raises(httpx.RemoteProtocolError):
            client.delete(f"{WEBHOOKS}/{record['Id']}")
        assert client.get(f"{WEBHOOKS}/{record['Id']}").status_code == 404


def test_a_500_stores_nothing():
    """error-500 is answered 500 and nothing is stored; reads go on as ever."""
    with running(fault=(Fault("error-500", 1.0),)) as client:
        assert client.post(WEBHOOKS, json=body()).status_code == 500
        assert client.get(WEBHOOKS).json()["TotalItems"] == 0


def test_a_slow_answer_comes_late_but_is_stored_at_once():
    """A client that does not wait for a slow answer finds its webhook stored."""
    with running(fault=(Fault("slow", 1.0, seconds=60),)) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post(WEBHOOKS, json=body(), timeout=0.2)
        assert stats(client)["webhooks"] == 1


def test_a_slow_answer_is_an_ordinary_one_in_the_end():
    """A client that waits gets the answer it would have had."""
    with running(fault=(Fault("slow", 1.0, seconds=0.001),)) as client:
        assert create(client) == 1


def test_faults_do_not_strike_who_may_not_write():
    """A request that is turned away is answered so, whatever the faults."""
    with running(fault=(Fault("drop-before", 1.0),)) as client:
        assert client.post(WEBHOOKS, json=body(), headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_seed_repeats_the_faults():
    """The same seed strikes the same writes, whatever latencies were drawn between; the shares are those given."""
    faults = parse_faults(["error-500=0.2", "drop-after=0.3"])

    def drawn(latency, seed):
        misfortune = FaultInjector(faults, latency, seed)
        kinds = []
        for _ in range(2000):
            misfortune.one_way()
            fault = misfortune.fault()
            kinds.append(fault.kind if fault else "")
        return kinds

    first = drawn(Latency(), 7)
    assert first == drawn(Latency(0.1, 0.2), 7)
    assert first != drawn(Latency(), 8)
    assert 340 < first.count("error-500") < 460
    assert 530 < first.count("drop-after") < 670


def test_latency_is_drawn_from_its_range():
    """Each request takes its time, half of it on the way there, within the range."""
    misfortune = FaultInjector((), Latency(0.01, 0.16), 1)
    drawn = [2 * misfortune.one_way() for _ in range(500)]
    assert 0.01 <= min(drawn) < 0.03
    assert 0.14 < max(drawn) <= 0.16


def test_latency_delays_every_answer_and_changes_none():
    """With latency, answers are the same; those of the sandbox's own paths as well."""
    with running(latency=Latency(0.001, 0.002)) as client:
        assert create(client) == 1
        assert client.get(f"{WEBHOOKS}/2").status_code == 404
        assert stats(client)["requests"]["create"] == 1
