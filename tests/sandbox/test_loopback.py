"""Whom the sandbox answers: programs of this machine, and no page that a browser has open."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import WEBHOOKS, stats

EVENT = {"BusinessId": 1001, "Action": 6, "Record": {}}


@pytest.mark.parametrize(
    "host", ["rebound.example.com", "10.0.0.1:8899", "localhost.example.com", "[fe80::1]:80", "[x"]
)
@pytest.mark.parametrize("path", [WEBHOOKS, "/sandbox/stats"])
def test_a_host_that_is_not_loopback_is_refused(client, host, path):
    """A name that somebody points at 127.0.0.1 does not open the sandbox to their page."""
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert host in answer.json()["Message"]
    assert stats(client)["total"] == 0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:8899", "127.8.8.8", "[::1]:8899"])
def test_every_name_of_this_machine_is_taken(client, host):
    """Whatever port it names, for a tunnel may have another."""
    assert client.get(WEBHOOKS, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "http://127.0.0.1:1"])
def test_an_event_from_another_origin_is_refused(client, origin):
    """Also where it is JSON."""
    answer = client.post("/sandbox/events", json=EVENT, headers={"Origin": origin})
    assert answer.status_code == 403
    assert stats(client)["delivery"]["events"] == 0


def test_an_event_of_its_own_origin_is_taken(client):
    """A page that the sandbox's own address serves may fire events."""
    own = str(client.base_url).rstrip("/")
    assert client.post("/sandbox/events", json=EVENT, headers={"Origin": own}).status_code == 200


def test_an_event_that_is_not_json_is_refused(client):
    """Forms and plain text are what a page may send anywhere without asking."""
    for content_type in ("application/x-www-form-urlencoded", "text/plain", ""):
        answer = client.post("/sandbox/events", content=b"{}", headers={"Content-Type": content_type})
        assert answer.status_code == 415
    assert stats(client)["delivery"]["events"] == 0
