"""Signing in, and who may do what."""

from __future__ import annotations

import httpx
import pytest

from bulkhooks.sandbox.server import Sandbox, SandboxOptions
from tests.sandbox.conftest import WEBHOOKS, body, running, stats, talking_to

SIGN_IN = {"grant_type": "password", "username": "admin@example.com", "password": "sandbox"}


@pytest.fixture
def stranger():
    """A client of a sandbox that has not signed in."""
    with Sandbox() as sandbox, talking_to(sandbox, token="") as client:
        yield client


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def refresh(client, token, client_id="admin@example.com"):
    headers = {"client_id": client_id} if client_id else {}
    return client.post("/api/token", data={"grant_type": "refresh_token", "refresh_token": token}, headers=headers)


def test_a_password_is_worth_a_token(stranger):
    """Signing in by form gives a token that works, with a lifetime in seconds and a refresh token; totp is taken."""
    answer = stranger.post("/api/token", data=SIGN_IN | {"totp": "123456"})
    said = answer.json()
    assert answer.status_code == 200
    assert (said["token_type"], said["expires_in"]) == ("bearer", 604799)
    assert stranger.get(WEBHOOKS, headers=bearer(said["access_token"])).status_code == 200
    assert said["refresh_token"]


def test_a_json_body_is_not_a_sign_in(stranger):
    """A sign-in as JSON is answered unsupported_grant_type."""
    answer = stranger.post("/api/token", json=SIGN_IN)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("changes", [{"password": "wrong"}, {"username": "you@example.com"}, {"password": ""}])
def test_a_wrong_password_is_refused(stranger, changes):
    """Wrong credentials are 400 invalid_grant with a description."""
    answer = stranger.post("/api/token", data=SIGN_IN | changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert answer.json()["error_description"]


def test_a_refresh_ends_earlier_refresh_tokens(stranger):
    """A refresh gives a new pair and makes every earlier refresh token of that client worthless."""
    first = stranger.post("/api/token", data=SIGN_IN).json()
    second = stranger.post("/api/token", data=SIGN_IN).json()
    third = refresh(stranger, second["refresh_token"])
    assert third.status_code == 200
    assert refresh(stranger, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(stranger, second["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(stranger, third.json()["refresh_token"]).status_code == 200


def test_a_refresh_needs_the_same_client_id(stranger):
    """The header client_id must be what was sent at first, or the user's email where nothing was."""
    plain = stranger.post("/api/token", data=SIGN_IN).json()["refresh_token"]
    named = stranger.post("/api/token", data=SIGN_IN, headers={"client_id": "robot"}).json()["refresh_token"]
    assert refresh(stranger, plain, client_id="").status_code == 400
    assert refresh(stranger, plain, client_id="robot").status_code == 400
    assert refresh(stranger, named, client_id="robot").status_code == 200
    assert refresh(stranger, plain).status_code == 200


def test_a_token_ends_with_its_lifetime(clock):
    """A token given for 5 seconds is refused from then on; the fixed one never, and a refresh gives a new one."""
    with running(token_lifetime=5.0, clock=clock) as client:
        given = client.post("/api/token", data=SIGN_IN).json()
        assert given["expires_in"] == 5
        clock.go_on(4.9)
        assert client.get(WEBHOOKS, headers=bearer(given["access_token"])).status_code == 200
        clock.go_on(0.1)
        assert client.get(WEBHOOKS, headers=bearer(given["access_token"])).status_code == 401
        assert client.get(WEBHOOKS).status_code == 200
        anew = refresh(client, given["refresh_token"]).json()
        assert client.get(WEBHOOKS, headers=bearer(anew["access_token"])).status_code == 200
        clock.go_on(15 * 86400)
        assert refresh(client, anew["refresh_token"]).status_code == 400


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer x", "Bearer sandbox-tokens", "Basic !!", "Basic eA==", "Digest x", "sandbox-token"],
)
def test_anybody_else_is_turned_away(stranger, header):
    """Without valid credentials every call is 401, and nothing is stored."""
    headers = {} if header is None else {"Authorization": header}
    for answer in (stranger.get(WEBHOOKS, headers=headers), stranger.post(WEBHOOKS, json=body(), headers=headers)):
        assert answer.status_code == 401
    assert stats(stranger)["webhooks"] == 0


def test_basic_authentication_is_taken(stranger):
    """User name and password are accepted as Basic as well."""
    assert stranger.get(WEBHOOKS, auth=httpx.BasicAuth("admin@example.com", "sandbox")).status_code == 200
    assert stranger.get(WEBHOOKS, auth=httpx.BasicAuth("admin@example.com", "x")).status_code == 401


def test_who_may_only_create_can_do_nothing_else():
    """With the role create-only a webhook can be created; list, read, edit, delete and locations are 401."""
    with Sandbox(SandboxOptions(role="create-only")) as sandbox, talking_to(sandbox) as client:
        id_ = client.post(WEBHOOKS, json=body()).json()["Value"]["Id"]
        assert client.get(WEBHOOKS).status_code == 401
        assert client.get(f"{WEBHOOKS}/{id_}").status_code == 401
        assert client.put(WEBHOOKS, json=body(Id=id_)).status_code == 401
        assert client.delete(f"{WEBHOOKS}/{id_}").status_code == 401
        assert client.get("/api/sys/businesses").status_code == 401
        assert client.post("/api/token", data=SIGN_IN).status_code == 200
        assert (stats(client)["webhooks"], stats(client)["unauthorized"]) == (1, 5)
