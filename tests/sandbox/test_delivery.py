"""Delivery, to a small receiver that can be broken and repaired."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import pytest

from tests.receiver import receiving
from tests.sandbox.conftest import WEBHOOKS, create, running, stats

QUICK = (0.001,)
EVENT = {"BusinessId": 1001, "Action": 6, "Record": {"Id": 5, "Name": "Zürich"}}


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def read(client, id_):
    return client.get(f"{WEBHOOKS}/{id_}").json()


def settle(client):
    """Wait until no delivery is under way."""
    deadline = time.monotonic() + 120
    while stats(client)["delivery"]["waiting"]:
        assert time.monotonic() < deadline, "a delivery does not end"
        time.sleep(0.002)


def fire(client, **changes):
    """Fire an event and wait until nothing is under way; returns the ids of the webhooks it fired."""
    answer = client.post("/sandbox/events", json=EVENT | changes)
    assert answer.status_code == 200, answer.text
    settle(client)
    return answer.json()["Webhooks"]


def test_an_event_arrives_signed_as_an_array(receiver):
    """The receiver gets a JSON array with the record, and the HMAC-SHA256 of its bytes in upper-case hex."""
    with running(secret="hush") as client:
        id_ = create(client, URL=receiver.url)
        assert fire(client) == [id_]
        headers, content = receiver.got.get(timeout=120)
        record = read(client, id_)
    assert json.loads(content) == [EVENT["Record"]]
    expected = hmac.new(b"hush", content, hashlib.sha256).hexdigest().upper()
    assert headers["X-Nexudus-Hook-Signature"] == expected
    assert headers["Content-Type"] == "application/json"
    assert record["LastTrigger"]
    assert (record["ErrorCount"], record["LastError"]) == (0, None)


def test_without_a_secret_nothing_is_signed(receiver):
    """The signature is there only where a secret is set."""
    with running() as client:
        create(client, URL=receiver.url)
        fire(client)
    headers, _ = receiver.got.get(timeout=120)
    assert "X-Nexudus-Hook-Signature" not in headers


def test_only_matching_active_webhooks_fire(receiver):
    """Location and action must match and the webhook be active; event names do as well as numbers, None never fires."""
    with running() as client:
        right = [create(client, URL=receiver.url), create(client, URL=receiver.url)]
        create(client, URL=receiver.url, BusinessId=1002)
        create(client, URL=receiver.url, Action=7)
        create(client, URL=receiver.url, Active=False)
        create(client, URL=receiver.url, Action=1)
        assert fire(client, Action="booking create") == right
        assert fire(client, Action=1) == []
        assert fire(client, BusinessId=4040) == []
        assert stats(client)["delivery"] == {"events": 3, "fired": 2, "delivered": 2, "failed": 0, "waiting": 0}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"Action": "Booking*"}, "Action"),
        ({"Action": 91}, "Action"),
        ({"BusinessId": "x"}, "BusinessId"),
        ({"Record": [1]}, "Record"),
    ],
)
def test_an_event_that_makes_no_sense_is_rejected(client, changes, field):
    """An event that names no single action, no location or no record is a 400 that names the field."""
    answer = client.post("/sandbox/events", json=EVENT | changes)
    assert (answer.status_code, answer.json()["Errors"][0]["PropertyName"]) == (400, field)


def test_a_failed_delivery_is_tried_again(receiver):
    """Non-2xx answers, a redirect among them, are counted and tried again; the success after them ends the row."""
    receiver.statuses = [500, 302, 404, 204]
    with running(retry_delays=QUICK) as client:
        id_ = create(client, URL=receiver.url)
        fire(client)
        record = read(client, id_)
        assert receiver.got.qsize() == 4
        assert (record["ErrorCount"], record["LastError"], record["Active"]) == (3, "404 Not Found", True)
        receiver.statuses = [500] * 9 + [200]
        fire(client)
        record = read(client, id_)
        assert (record["ErrorCount"], record["Active"]) == (12, True)


def test_ten_failures_in_a_row_switch_it_off(receiver):
    """After 10 consecutive failures the webhook is inactive and fires no more; switching it on wipes the count."""
    receiver.statuses = [503]
    with running(retry_delays=QUICK) as client:
        id_ = create(client, URL=receiver.url)
        fire(client)
        record = read(client, id_)
        assert receiver.got.qsize() == 10
        assert (record["Active"], record["ErrorCount"]) == (False, 10)
        assert record["LastError"] == "503 Service Unavailable"
        assert fire(client) == []
        client.put(WEBHOOKS, json=record | {"Active": True})
        switched_on = read(client, id_)
        assert (switched_on["Active"], switched_on["ErrorCount"]) == (True, 0)
        receiver.statuses = [200]
        assert fire(client) == [id_]
        assert read(client, id_)["ErrorCount"] == 0


def test_nothing_leaves_this_machine(receiver):
    """Addresses that are not loopback are not contacted; LastError says so, and it counts as a failure."""
    with running(retry_delays=QUICK) as client:
        ids = [
            create(client, URL=url)
            for url in (
                "https://hooks.example.com/in",
                "http://192.0.2.1/",
                f"http://127.0.0.1@192.0.2.1/{receiver.url}",
            )
        ]
        fire(client)
        for id_ in ids:
            record = read(client, id_)
            assert (record["Active"], record["ErrorCount"]) == (False, 10)
            assert "loopback" in record["LastError"]


def test_nobody_listening_is_an_error_too(receiver):
    """A refused connection is written to LastError like a bad answer."""
    receiver.server_close()
    with running(retry_delays=QUICK) as client:
        id_ = create(client, URL=receiver.url)
        fire(client)
        assert read(client, id_)["LastError"].startswith("ConnectError")


def test_a_stop_does_not_wait_for_tries_to_come(receiver):
    """The server stops although deliveries wait for their next try; what has happened is in the state."""
    receiver.statuses = [500]
    with running(retry_delays=(3600.0,)) as client:
        create(client, URL=receiver.url)
        client.post("/sandbox/events", json=EVENT)
        receiver.got.get(timeout=120)


def test_failures_in_a_row_survive_a_restart(receiver, tmp_path):
    """Nine failures before a restart and one after it make ten in a row."""
    receiver.statuses = [500] * 9 + [200]
    state = tmp_path / "state"
    with running(state=state, retry_delays=(*[0.001] * 8, 3600.0)) as client:
        id_ = create(client, URL=receiver.url)
        client.post("/sandbox/events", json=EVENT)
        deadline = time.monotonic() + 120
        while read(client, id_)["ErrorCount"] < 9:
            assert time.monotonic() < deadline
            time.sleep(0.002)
    receiver.statuses = [500]
    with running(state=state, retry_delays=QUICK) as client:
        fire(client)
        assert (read(client, id_)["Active"], read(client, id_)["ErrorCount"]) == (False, 10)


def test_a_webhook_deleted_meanwhile_is_not_tried_again(receiver):
    """Who deletes a webhook while it is being delivered has the last word."""
    receiver.statuses = [500]
    receiver.may_answer.clear()
    with running(retry_delays=QUICK) as client:
        id_ = create(client, URL=receiver.url)
        client.post("/sandbox/events", json=EVENT)
        receiver.got.get(timeout=120)
        client.delete(f"{WEBHOOKS}/{id_}")
        receiver.may_answer.set()
        settle(client)
        assert receiver.got.empty()
        assert stats(client)["webhooks"] == 0
