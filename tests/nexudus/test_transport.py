"""The table of failures, connections: what became of a request when no whole answer comes, against real sockets."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time

import anyio
import anyio.to_thread
import httpx
import pytest

from bulkhooks.errors import InDoubt, NotSent, UsageError
from bulkhooks.nexudus.client import NexudusClient
from bulkhooks.nexudus.transport import RecentFirst
from tests.nexudus.conftest import BODY, CREATED, RawServer, answer, authorization, client_of, reset

pytestmark = pytest.mark.anyio

LARGE = {**BODY, "Description": "x" * 20_000_000}
"""More than the buffers on the way hold, so that the other end can cut while it is being sent."""


@pytest.fixture
def anyio_backend():
    """Real sockets need real time."""
    return "asyncio"


def client_to(address: str, *, timeout: float = 5.0) -> NexudusClient:
    """A client with a connection of its own."""
    token = authorization({"NEXUDUS_TOKEN": "token-of-tests"})
    return NexudusClient(address, token, timeout=timeout, transport=None, concurrency=4)


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
async def test_without_a_whole_answer_it_is_in_doubt(behave):
    """Whatever cuts or spoils the answer on a connection that stood, the create may have been processed."""
    with RawServer(behave) as server:
        await failure(InDoubt, f"http://127.0.0.1:{server.port}")
        assert server.connections == 1, "nothing is sent again by itself"


async def test_a_reset_before_anything_was_read_is_one_of_the_two():
    """A connection that is reset as it comes about is either not one, or in doubt; nothing is sent again by itself."""
    with RawServer(reset_at_once) as server:
        async with client_to(f"http://127.0.0.1:{server.port}") as client:
            with pytest.raises((NotSent, InDoubt)):
                await client.create(BODY)
        assert server.connections == 1


@pytest.mark.parametrize("behave", [cut_while_reading, cut_at_once])
async def test_cut_while_it_is_sent_is_in_doubt(behave):
    """A request that is cut halfway is in doubt too."""
    with RawServer(behave) as server:
        await failure(InDoubt, f"http://127.0.0.1:{server.port}", LARGE)


async def test_an_answer_before_the_whole_request_is_read_counts():
    """A server that refuses a body while it is being sent is heard."""

    def refuse(server, connection):
        connection.recv(100)
        connection.sendall(answer(b"", status="413 Payload Too Large", head=b"Connection: close\r\n"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    with RawServer(refuse) as server:
        async with client_to(f"http://127.0.0.1:{server.port}") as client:
            with pytest.raises(Exception, match="413"):
                await client.create(LARGE)


async def test_silence_is_in_doubt():
    """No answer within the timeout says nothing of what was done."""

    def silent(server, connection):
        server.read_request(connection)

    with RawServer(silent) as server:
        error = await failure(InDoubt, f"http://127.0.0.1:{server.port}", timeout=0.2)
    assert str(error) == "the API gave no whole answer within 0.2 s"


async def test_nobody_reading_is_in_doubt():
    """A request that cannot be written to its end within the timeout is in doubt."""
    with RawServer(lambda server, connection: None) as server:
        await failure(InDoubt, f"http://127.0.0.1:{server.port}", LARGE, timeout=0.2)


async def test_an_answer_that_never_ends_is_in_doubt():
    """A server that sends a byte at a time does not hold a request for ever."""

    def drip(server, connection):
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            time.sleep(0.05)
            connection.sendall(b" ")

    with RawServer(drip) as server:
        await failure(InDoubt, f"http://127.0.0.1:{server.port}", timeout=0.2)


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


@pytest.fixture
def nobodys_certificate(tmp_path):
    """A TLS server's settings with a certificate that nobody has signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    made += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*made, "-keyout", "key.pem", "-out", "cert.pem"], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


async def test_a_certificate_that_is_not_trusted_is_not_sent(nobodys_certificate):
    """A certificate of nobody's is refused before anything is sent, and said so."""

    def secure(server, connection):
        with nobodys_certificate.wrap_socket(connection, server_side=True) as wrapped:
            server.received += wrapped.recv(65_536)

    with RawServer(secure) as server:
        error = await failure(NotSent, f"https://127.0.0.1:{server.port}")
        assert server.received == b""
    assert "certificate is not valid" in str(error)


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


async def test_authorities_that_cannot_be_read_are_a_usage_error(monkeypatch, tmp_path):
    """SSL_CERT_FILE that is missing or no certificate is named, with its path."""
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("missing.pem", "empty.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / name))
        with pytest.raises(UsageError, match=f"SSL_CERT_FILE names .*{name}"):
            async with client_to("https://127.0.0.1:1"):
                pass


async def test_a_certificate_of_ones_own_authority_is_taken(nobodys_certificate, monkeypatch, tmp_path):
    """SSL_CERT_FILE adds the authority that a company's server is signed by."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))

    def secure(server, connection):
        with nobodys_certificate.wrap_socket(connection, server_side=True) as wrapped:
            serve(server, wrapped)

    with RawServer(secure) as server:
        async with client_to(f"https://localhost:{server.port}") as client:
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
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{closed_port}")
    await failure(NotSent, "https://spaces.example.com")


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
    with pytest.raises(UsageError, match="HTTPS_PROXY") as caught:
        async with client_to("https://spaces.example.com"):
            pass
    assert "s3cret" not in str(caught.value)


# Connections are kept, but not for long


def serve(server, connection):
    while server.read_request(connection):
        connection.sendall(answer(CREATED))


async def test_one_after_the_other_goes_over_one_connection():
    """Requests that follow each other share a connection."""
    with RawServer(serve) as server:
        async with client_to(f"http://127.0.0.1:{server.port}") as client:
            for _ in range(5):
                await client.create(BODY)
        assert server.connections == 1


async def test_the_connection_used_last_is_taken_first():
    """After a burst the others are left to idle, and what follows goes over one connection."""
    with RawServer(serve) as server:
        async with client_to(f"http://127.0.0.1:{server.port}") as client:
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
        async with RecentFirst(httpx.URL(address), idle=0.0) as transport:
            token = authorization({"NEXUDUS_TOKEN": "token-of-tests"})
            client = NexudusClient(address, token, timeout=5, transport=transport, concurrency=4)
            for count in range(1, 4):
                await client.create(BODY)
                assert server.connections == count


async def test_a_connection_that_the_server_has_closed_is_not_used_again():
    """A keep-alive connection that was closed while idle is noticed before anything is sent on it."""
    closed = threading.Event()

    def once(server, connection):
        server.read_request(connection)
        connection.sendall(answer(CREATED))
        connection.close()
        closed.set()

    with RawServer(once) as server:
        async with client_to(f"http://127.0.0.1:{server.port}") as client:
            for count in range(1, 4):
                closed.clear()
                await client.create(BODY)
                await anyio.to_thread.run_sync(closed.wait)
                assert server.connections == count


async def test_failures_leave_no_connection_behind():
    """After a failure the next request goes over a new connection."""

    def fail_first(server, connection):
        (half_a_body if server.connections == 1 else serve)(server, connection)

    with RawServer(fail_first) as server:
        async with client_to(f"http://127.0.0.1:{server.port}") as client:
            with pytest.raises(InDoubt):
                await client.create(BODY)
            assert await client.create(BODY) == 87654321
        assert server.connections == 2
