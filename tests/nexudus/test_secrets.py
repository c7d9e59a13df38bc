"""No secret in what a failure leaves behind: its sentence, its traceback with all variables, and the log."""

from __future__ import annotations

import base64
import logging
import traceback
from urllib.parse import quote_plus

import httpx
import pytest

from bulkhooks.errors import BulkhooksError
from bulkhooks.nexudus.client import NexudusClient
from tests.nexudus.conftest import BODY, RawServer, answer, authorization, client_of, reset

pytestmark = pytest.mark.anyio

TOKEN = "eyJhbGciOi.s3cret-t0ken"
NAME, PASSWORD, CODE = "admin@example.com", "pa55 word&", "483920"
PAIR = {"NEXUDUS_USERNAME": NAME, "NEXUDUS_PASSWORD": PASSWORD, "NEXUDUS_TOTP": CODE}
BASIC = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
SECRETS = [TOKEN, NAME, PASSWORD, CODE, BASIC, quote_plus(NAME), quote_plus(PASSWORD), "refresh-me"]


@pytest.fixture
def anyio_backend():
    """Real sockets need real time."""
    return "asyncio"


def assert_shows_no_secret(error: BaseException, log: pytest.LogCaptureFixture) -> None:
    """Search everything that an error and the log would show."""
    # The frames of this test and of the client's callers hold what they were given; those of the client must not.
    frames = error.__traceback__.tb_next
    shown = [
        str(error),
        repr(error),
        repr(error.args),
        "".join(traceback.format_exception(error)),
        "".join(traceback.TracebackException(type(error), error, frames, capture_locals=True).format()),
        log.text,
        *(f"{record.__dict__}" for record in log.records),
    ]
    for secret in SECRETS:
        for text in shown:
            assert secret not in text, secret


def cut(server, connection):
    server.read_request(connection)
    reset(connection)


def echo(status):
    """A server that repeats all that it was sent in its answer."""

    def behave(server, connection):
        server.read_request(connection)
        said = " ".join(server.received.decode().split()).replace('"', "'")
        body = f'{{"Message": "{said}", "error_description": "{said}", "Value": null, "WasSuccessful": false}}'
        connection.sendall(answer(body.encode(), status=status))

    return behave


@pytest.mark.parametrize(
    "behave", [cut, echo("200 OK"), echo("302 Found"), echo("400 No"), echo("401 No"), echo("500 No")]
)
@pytest.mark.parametrize(("environment", "basic"), [({"NEXUDUS_TOKEN": TOKEN}, False), (PAIR, True), (PAIR, False)])
async def test_failures_show_no_secret(behave, environment, basic, caplog):
    """Whatever a server does with the credentials, they are not seen again; not even what it repeats of them."""
    caplog.set_level(logging.DEBUG)
    with RawServer(behave) as server:
        address = f"http://127.0.0.1:{server.port}"
        known = authorization(environment, basic=basic)
        async with NexudusClient(address, known, timeout=5) as client:
            with pytest.raises(BulkhooksError) as caught:
                await (client.fetch_token() if client.needs_token else client.create(BODY))
        assert server.received, "the credentials were sent"
        assert_shows_no_secret(caught.value, caplog)


async def test_tokens_that_were_received_show_nowhere(caplog):
    """A token that came from a sign-in is as secret as one that was given."""
    caplog.set_level(logging.DEBUG)

    def api(request):
        if request.url.path == "/api/token":
            return httpx.Response(200, json={"access_token": TOKEN, "refresh_token": "refresh-me", "expires_in": 0.001})
        return httpx.Response(401, json={"Message": f"{request.headers['Authorization']} refresh-me"})

    async with client_of(api, PAIR) as client:
        await client.fetch_token()
        with pytest.raises(BulkhooksError) as caught:
            await client.create(BODY)
        assert TOKEN not in f"{client!r} {vars(client)} {vars(client._tokens)}"
        assert_shows_no_secret(caught.value, caplog)
