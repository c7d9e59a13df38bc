"""``check --probe``: what it says of endpoints, and that none of them can hold it."""

from __future__ import annotations

import socket
import time

import pytest

from bulkhooks.commands.probe import probe
from bulkhooks.errors import UsageError
from tests.nexudus.conftest import RawServer, answer, authority  # noqa: F401  # a fixture

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("bare_environment")]


@pytest.fixture
def anyio_backend():
    """Real sockets need real time."""
    return "asyncio"


def answering(status, head=b""):
    def behave(server, connection):
        server.read_request(connection)
        connection.sendall(answer(b"", status=status, head=head))

    return behave


@pytest.mark.parametrize(
    ("status", "finding"),
    [
        ("200 OK", None),
        ("405 Method Not Allowed", None),
        ("404 Not Found", "answers 404"),
        ("503 Service Unavailable", "answers 503"),
        ("301 Moved", "redirects to https://b.example/in; webhooks are not redirected"),
    ],
)
async def test_what_an_endpoint_answers(status, finding):
    """HEAD, once for each distinct URL; only what a webhook could not live with is told, without keys."""
    with RawServer(answering(status, b"Location: https://u:hush@b.example/in?hush\r\n")) as server:
        url = f"{server.address}/in?key=hush"
        found = await probe([url, url])
        assert server.received.startswith(b"HEAD /in?key=hush ")
        assert server.connections == 1
    assert found == ({} if finding is None else {url: f"{server.address}/in: {finding}"})


async def test_an_endpoint_that_is_not_there_is_told():
    """Nobody listens, and what is no address at all."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    found = await probe([closed, "https://xn--zzzz.example/"])
    assert "does not answer: no connection to the endpoint: it is refused" in found[closed]
    assert "is no http or https address" in found["https://xn--zzzz.example/"]


async def test_a_certificate_of_nobodys_names_the_variable(authority):  # noqa: F811
    """TLS is part of what is tried."""
    with RawServer(answering("200 OK"), authority.server, "localhost") as server:
        (finding,) = (await probe([server.address])).values()
    assert "SSL_CERT_FILE" in finding


async def test_authorities_that_are_missing_are_a_usage_error(monkeypatch, tmp_path):
    """As for the API: one sentence, and not one for each URL."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(UsageError, match=r"SSL_CERT_FILE names .*missing\.pem"):
        await probe(["https://a.example/", "https://b.example/"])


async def test_a_proxy_that_is_dead_is_told_as_such(monkeypatch):
    """The endpoint may be well."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("HTTPS_PROXY", f"http://u:hush@127.0.0.1:{listener.getsockname()[1]}")
    (finding,) = (await probe(["https://a.example/"])).values()
    assert "no connection to the proxy that HTTPS_PROXY names: it is refused" in finding
    assert "hush" not in finding


async def test_an_endpoint_that_drips_ends_at_a_total_time():
    """A head that comes a byte at a time is given up."""

    def drip(server, connection):
        server.read_request(connection)
        while True:
            time.sleep(0.02)
            connection.sendall(b"H")

    with RawServer(drip) as server:
        (finding,) = (await probe([server.address], timeout=0.5)).values()
    assert finding.endswith("the endpoint gave no whole answer within 0.5 s")
