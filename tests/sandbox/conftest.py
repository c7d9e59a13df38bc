"""A sandbox over real HTTP, and a client that talks to it."""

from __future__ import annotations

import contextlib

import httpx
import pytest

from bulkhooks.sandbox.server import Sandbox, SandboxOptions

WEBHOOKS = "/api/sys/webhooks"


class Clock:
    """Time that passes only when a test says so, in nanoseconds."""

    def __init__(self):
        self.now = 1_000_000_000

    def __call__(self):
        return self.now

    def go_on(self, seconds):
        self.now += round(seconds * 1_000_000_000)


def body(**changes):
    """A webhook that the sandbox takes, with changes; a change to None leaves the field out."""
    fields = {"BusinessId": 1001, "Name": "Bookings", "Action": 6, "URL": "https://hooks.example.com/in", **changes}
    return {name: value for name, value in fields.items() if value is not None}


@contextlib.contextmanager
def talking_to(sandbox, token="sandbox-token"):
    """A client that is signed in to a sandbox."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=sandbox.base_url, headers=headers, timeout=120, verify=False, trust_env=False) as client:
        yield client


@contextlib.contextmanager
def running(**options):
    """A sandbox with these options, as a client that is signed in to it."""
    with Sandbox(SandboxOptions(**options)) as sandbox, talking_to(sandbox) as client:
        yield client


def create(client, **changes):
    """Create a webhook; returns its id."""
    answer = client.post(WEBHOOKS, json=body(**changes))
    assert answer.status_code == 200, answer.text
    return answer.json()["Value"]["Id"]


def stats(client):
    """What the sandbox has counted."""
    return client.get("/sandbox/stats").json()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client():
    """A client of a sandbox with the default options."""
    with running() as client:
        yield client
