"""The table of failures, connections: what became of a request when no whole answer comes, against real sockets."""

from __future__ import annotations

import functools
import socket
import time

import anyio
import anyio.to_thread
import httpx
import pytest

from bulkhooks.errors import InDoubt, NotSent, UsageError
from bulkhooks.nexudus.client import NexudusClient
from bulkhooks.nexudus.transport import Connections, Request, open_route, url_of
from tests.nexudus.conftest import BODY, CREATED, HOST, RawServer, answer, authorization, client_of, relay, reset

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("bare_environment")]

LARGE = {**BODY, "Description": "x" * 20_000_000}
"""More than the buffers on the way hold, so that the other end can cut while it is being sent."""


@pytest.fixture
def anyio_backend():
    """Real sockets need real time."""
    return "asyncio"


@pytest.fixture(params=["directly", "HTTP proxy", "CONNECT proxy"])
def server_at_the_end(request, monkeypatch, authority):
    """Makes a server that is reached in each of the ways that there are."""
    if request.param == "directly":
        yield RawServer
        return
    with RawServer(relay) as proxy:
        is_tunnel = request.param == "CONNECT proxy"
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        monkeypatch.setenv("https_proxy" if is_tunnel else "http_proxy", f"http://127.0.0.1:{proxy.port}")
        yield functools.partial(RawServer, tls=authority.server if is_tunnel else None, host=HOST, behind=proxy)
        assert proxy.connections
        assert proxy.received.startswith(b"CONNECT " if is_tunnel else b"POST http://")


def client_to(address: str, *, timeout: float = 5.0) -> NexudusClient:
    """A client with a connection of its own."""
    token = authorization({"NEXUDUS_TOKEN": "token-of-tests"})
    return NexudusClient(address, token, timeout=timeout)


async def failure(kind, address, body=BODY, *, timeout=5.0):
    """The failure of a create, which has to be of this kind."""
    async with client_to(address, timeout=timeout) as client:
        with pytest.raises((NotSent, InDoubt)) as caught:
            await client.create(body)
    assert type(caught.value) is kind, repr(caught.value)
    assert str(caught.value).strip()
    return caught.value


# In doubt: the connection stood, so something may have left


def cut_at_once(server, connection):
    connection.close()


def reset_at_once(server, connection):
    reset(connection)


def cut_while_reading(server, connection):
    connection.recv(100)
    reset(connection)


def cut_after_reading(server, connection):
    server.read_request(connection)
    connection.close()


def reset_after_reading(server, connection):
    server.read_request(connection)
    reset(connection)


def half_a_head(server, connection):
    server.read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
    connection.close()


def half_a_body(server, connection):
    server.read_request(connection)
    connection.sendall(answer(CREATED)[:-5])
    connection.close()


def half_a_chunk(server, connection):
    server.read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{")
    connection.close()


def garbage(server, connection):
    server.read_request(connection)
    connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46 what is this\r\n\r\n")
    connection.close()


def broken_gzip(server, connection):
    server.read_request(connection)
    connection.sendall(answer(b"not packed at all", head=b"Content-Encoding: gzip\r\n"))


def a_page(server, connection):
    server.read_request(connection)
    connection.sendall(answer(b"<html><title>Blocked</title></html>"))


def switched(server, connection):
    server.read_request(connection)
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
    connection.close()


@pytest.mark.parametrize(
    "behave",
    [
        cut_at_once,
        cut_after_reading,
        reset_after_reading,
        half_a_head,
        half_a_body,
        half_a_chunk,
        garbage,
        broken_gzip,
        a_page,
        switched,
    ],
)
async def test_without_a_whole_answer_it_is_in_doubt(server_at_the_end, behave):
    """Whatever cuts or spoils the answer on a connection that stood, the create may have been processed."""
    with server_at_the_end(behave) as server:
        await failure(InDoubt, server.address)
        assert server.connections == 1, "nothing is sent again by itself"


async def test_a_reset_before_anything_was_read_is_one_of_the_two(server_at_the_end):
    """A connection that is reset as it comes about is either not one, or in doubt; nothing is sent again by itself."""
    with server_at_the_end(reset_at_once) as server:
        async with client_to(server.address) as client:
            with pytest.raises((NotSent, InDoubt)):
                await client.create(BODY)
        assert server.connections == 1


@pytest.mark.parametrize("behave", [cut_while_reading, cut_at_once])
async def test_cut_while_it_is_sent_is_in_doubt(server_at_the_end, behave):
    """A request that is cut halfway is in doubt too."""
    with server_at_the_end(behave) as server:
        await failure(InDoubt, server.address, LARGE)


async def test_an_answer_before_the_whole_request_is_read_counts(server_at_the_end):
    """A server that refuses a body while it is being sent is heard."""

    def refuse(server, connection):
        connection.recv(100)
        connection.sendall(answer(b"", status="413 Payload Too Large", head=b"Connection: close\r\n"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    with server_at_the_end(refuse) as server:
        async with client_to(server.address) as client:
            with pytest.raises(Exception, match="413"):
                await client.create(LARGE)


def then(behave):
    """Answers the first request of a connection, and does something else with the second."""

    def both(server, connection):
        server.read_request(connection)
        connection.sendall(answer(CREATED))
        behave(server, connection)

    return both


async def second(server, body=b"x", *, timeout=0.2, total=60.0, longest=100_000):
    """The failure of a request on a connection that stands, so that a slow machine is not taken for a slow server."""
    url = url_of(server.address)
    async with open_route(url) as route:
        await route.exchange(Request("POST", url, content=b"x"), timeout=60, total=60, longest=longest)
        request = Request("POST", url, content=body)
        with pytest.raises((NotSent, InDoubt)) as caught:
            await route.exchange(request, timeout=timeout, total=total, longest=longest)
    assert server.connections == 1
    return caught.value


async def test_silence_is_in_doubt(server_at_the_end):
    """No answer within the timeout says nothing of what was done."""
    with server_at_the_end(then(lambda server, connection: server.read_request(connection))) as server:
        error = await second(server)
    assert (type(error), str(error)) == (InDoubt, "the API gave no whole answer within 0.2 s")


async def test_nobody_reading_is_in_doubt(server_at_the_end):
    """A request that cannot be written to its end within the timeout is in doubt."""
    with server_at_the_end(then(lambda server, connection: None)) as server:
        assert type(await second(server, b"x" * 20_000_000)) is InDoubt


async def test_an_answer_that_drips_is_in_doubt(server_at_the_end):
    """A server that sends a byte at a time does not hold a request for ever."""

    def drip(server, connection):
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            time.sleep(0.05)
            connection.sendall(b" ")

    with server_at_the_end(then(drip)) as server:
        error = await second(server, timeout=60, total=0.5)
    assert (type(error), str(error)) == (InDoubt, "the API gave no whole answer within 0.5 s")


@pytest.mark.parametrize("head", [b"Content-Length: 1000000000000\r\n", b""])
async def test_an_answer_without_end_is_in_doubt(server_at_the_end, head):
    """It is read up to a size, and not kept beyond that."""

    def gush(server, connection):
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    with server_at_the_end(then(gush)) as server:
        error = await second(server, timeout=60)
    assert (type(error), str(error)) == (InDoubt, "the API gave an answer of more than 100,000 bytes")


async def test_what_is_raised_before_the_first_byte_sends_nothing(server_at_the_end):
    """The last word before a request leaves; afterwards the route serves the next request."""

    class TooLate(Exception):
        pass

    asked = []

    async def refuse():
        asked.append("refused")
        raise TooLate

    async def allow():
        asked.append("allowed")

    with server_at_the_end(serve) as server:
        async with client_to(server.address) as client:
            with pytest.raises(TooLate):
                await client.create(BODY, before_send=refuse)
            assert b"POST /api" not in server.received
            assert server.served == []
            for _ in range(2):
                assert await client.create(BODY, before_send=allow) == 87654321
        assert len(server.served) == 2
    assert asked == ["refused", "allowed", "allowed"]


# Not sent


async def test_a_refused_connection_is_not_sent(closed_port):
    """Where nobody listens, nothing left."""
    error = await failure(NotSent, f"http://127.0.0.1:{closed_port}")
    assert "refused" in str(error)


async def test_a_name_with_several_addresses_is_told_alike(closed_port):
    """A refusal by each of a host's addresses is told as a refusal."""
    error = await failure(NotSent, f"http://localhost:{closed_port}")
    assert "refused" in str(error)


@pytest.mark.parametrize(
    "behave",
    [
        cut_at_once,
        reset_at_once,
        lambda server, connection: (connection.recv(9), connection.sendall(b"HTTP/1.1 400\r\n")),
    ],
)
async def test_tls_to_what_speaks_none_is_not_sent(behave):
    """Where no TLS comes about, no request is sent."""
    with RawServer(behave) as server:
        await failure(NotSent, f"https://127.0.0.1:{server.port}")


async def test_tls_that_never_comes_about_is_not_sent():
    """A handshake that is not answered in time is no request."""

    def silent(server, connection):
        server.received += connection.recv(65_536)

    with RawServer(silent) as server:
        error = await failure(NotSent, f"https://127.0.0.1:{server.port}", timeout=0.2)
        assert b"POST" not in server.received
    assert str(error) == "no connection to the API: none within 0.2 s"


async def test_a_certificate_that_is_not_trusted_is_not_sent(authority):
    """A certificate of nobody's is refused before anything is sent, and the sentence names what to set."""

    def secure(server, connection):
        server.received += connection.recv(65_536)

    with RawServer(secure, authority.server) as server:
        error = await failure(NotSent, server.address)
        assert server.received == b""
    assert "certificate is not valid" in str(error)
    assert "SSL_CERT_FILE" in str(error)


async def test_a_certificate_of_another_host_is_not_sent(authority, monkeypatch):
    """A name that is not in the certificate is refused, and no other authority would help."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with RawServer(serve, authority.server) as server, RawServer(relay) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        error = await failure(NotSent, f"https://elsewhere.example.com:{server.port}")
    assert "certificate is not valid" in str(error)
    assert "SSL_CERT_FILE" not in str(error)


async def test_a_host_that_is_not_known_is_told_plainly():
    """A name that does not resolve is not sent, and told in plain words."""

    def unknown(request):
        raise httpx.ConnectError("[Errno -2]") from socket.gaierror(-2, "Name or service not known")

    async with client_of(unknown) as client:
        with pytest.raises(NotSent, match="its host name is not known"):
            await client.create(BODY)


async def test_an_address_that_is_none_is_a_usage_error():
    """A base URL whose host cannot be one is said so before anything is opened."""
    for address in ("http://xn--zzzz.example", "http://[::1"):
        with pytest.raises(UsageError, match="--base-url"):
            client_to(address)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("name", ["missing.pem", "empty.pem"])
async def test_authorities_that_cannot_be_read_are_a_usage_error(variable, name, monkeypatch, tmp_path):
    """A variable that names a file which is missing or no certificate is named, with the path."""
    (tmp_path / "empty.pem").write_text("nothing")
    monkeypatch.setenv(variable, str(tmp_path / name))
    with pytest.raises(UsageError, match=f"{variable} names .*{name}, which holds no certificates"):
        async with client_to("https://127.0.0.1:1"):
            pass


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
async def test_a_certificate_of_ones_own_authority_is_taken(variable, authority, monkeypatch):
    """The variables name the authority that a company's server is signed by."""
    monkeypatch.setenv(variable, str(authority.file))
    with RawServer(serve, authority.server, "localhost") as server:
        async with client_to(server.address) as client:
            assert [await client.create(BODY) for _ in range(2)] == [87654321] * 2
        assert server.connections == 1


# Through a proxy


async def test_a_proxy_that_lets_nothing_through_is_not_sent(monkeypatch):
    """A CONNECT that is refused leaves the request unsent; the proxy of the environment is the one asked."""

    def refuse(server, connection):
        server.read_request(connection)
        connection.sendall(answer(b"", status="403 Not Today"))

    with RawServer(refuse) as server:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{server.port}")
        error = await failure(NotSent, "https://spaces.example.com")
        assert server.received.startswith(b"CONNECT spaces.example.com:443")
        assert b"token-of-tests" not in server.received
    assert "proxy" in str(error)


async def test_a_dead_proxy_is_not_sent(monkeypatch, closed_port):
    """A proxy that cannot be reached leaves the request unsent."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port}")
    error = await failure(NotSent, "https://spaces.example.com")
    assert str(error).startswith("no connection to the proxy that HTTPS_PROXY names: it is refused")


async def test_an_api_that_is_dead_behind_a_proxy_is_told_from_a_dead_proxy(monkeypatch, authority):
    """Where the tunnel stands and TLS does not come about, it is the API that does not answer."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with RawServer(relay) as proxy, RawServer(cut_at_once) as server:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        error = await failure(NotSent, f"https://{HOST}:{server.port}")
    assert str(error).startswith("no connection to the API: ")


@pytest.mark.parametrize("behave", [cut_at_once, reset_at_once, garbage, half_a_head])
async def test_a_tunnel_that_is_not_opened_is_not_sent(behave, monkeypatch):
    """Whatever a proxy does with CONNECT, the request itself has not left; the sentence names the variable."""
    with RawServer(behave) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        error = await failure(NotSent, f"https://{HOST}")
        assert b"token-of-tests" not in proxy.received
    assert "HTTPS_PROXY" in str(error)


async def test_a_proxy_that_asks_for_a_password_is_told_so(monkeypatch):
    """407 names the variable; a password that is wrong shows nowhere."""

    def ask(server, connection):
        server.read_request(connection)
        connection.sendall(answer(b"", status="407 Proxy Authentication Required"))

    with RawServer(ask) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:s3cret@127.0.0.1:{proxy.port}")
        error = await failure(NotSent, f"https://{HOST}")
        assert b"Proxy-Authorization: Basic " in proxy.received
    assert "the proxy that HTTPS_PROXY names asks for a user name and password" in str(error)
    assert "s3cret" not in str(error)


async def test_this_machine_is_never_asked_for_through_a_proxy(monkeypatch, closed_port):
    """Loopback is reached straight, whatever proxy the environment names."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("all_proxy", f"http://127.0.0.1:{closed_port}")
    with RawServer(serve) as server:
        async with client_to(f"http://127.0.0.1:{server.port}") as client:
            assert await client.create(BODY) == 87654321


async def test_a_proxy_that_cannot_be_one_is_a_usage_error(monkeypatch):
    """A proxy address that makes no sense names the variable, and not what it holds."""
    monkeypatch.setenv("https_proxy", "gopher://user:s3cret@127.0.0.1")
    with pytest.raises(UsageError, match="https_proxy names a proxy") as caught:
        async with client_to("https://spaces.example.com"):
            pass
    assert "s3cret" not in str(caught.value)


# Connections are kept, but not for long


def serve(server, connection):
    while server.read_request(connection):
        connection.sendall(answer(CREATED))


async def test_one_after_the_other_goes_over_one_connection(server_at_the_end):
    """Requests that follow each other share a connection."""
    with server_at_the_end(serve) as server:
        async with client_to(server.address) as client:
            for _ in range(5):
                await client.create(BODY)
        assert server.connections == 1


async def test_the_connection_used_last_is_taken_first(server_at_the_end):
    """After a burst the others are left to idle, and what follows goes over one connection."""
    with server_at_the_end(serve) as server:
        async with client_to(server.address) as client:
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(client.create, BODY)
            for _ in range(4):
                await client.create(BODY)
        assert len(set(server.served[3:])) == 1
        assert server.connections <= 3


async def test_a_connection_that_has_been_idle_is_not_used_again():
    """What has been idle for too long is closed, before the server closes it at the wrong moment."""
    with RawServer(serve) as server:
        address = f"http://127.0.0.1:{server.port}"
        async with Connections(httpx.AsyncHTTPTransport, idle=0.0) as transport:
            token = authorization({"NEXUDUS_TOKEN": "token-of-tests"})
            client = NexudusClient(address, token, timeout=5, transport=transport)
            for count in range(1, 4):
                await client.create(BODY)
                assert server.connections == count


async def test_a_connection_that_the_server_has_closed_is_not_used_again(server_at_the_end):
    """A keep-alive connection that was closed while idle is noticed before anything is sent on it."""

    def once(server, connection):
        server.read_request(connection)
        connection.sendall(answer(CREATED))
        connection.close()
        server.ended.release()

    with server_at_the_end(once) as server:
        async with client_to(server.address) as client:
            for count in range(1, 4):
                await client.create(BODY)
                # A proxy learns of the end before it passes it on: the client has it once the nearest one has sent it.
                await anyio.to_thread.run_sync(server.nearest.ended.acquire)
                assert server.connections == count


async def test_failures_leave_no_connection_behind(server_at_the_end):
    """After a failure the next request goes over a new connection."""

    def fail_first(server, connection):
        (half_a_body if server.connections == 1 else serve)(server, connection)

    with server_at_the_end(fail_first) as server:
        async with client_to(server.address) as client:
            with pytest.raises(InDoubt):
                await client.create(BODY)
            assert await client.create(BODY) == 87654321
        assert server.connections == 2
