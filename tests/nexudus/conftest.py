"""What the tests of the client share: clients with an injected transport, and a server that does as it is told."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trustme

from bulkhooks.nexudus.client import NexudusClient
from bulkhooks.nexudus.credentials import Authorization, authorization_from

BODY = {"BusinessId": 1001, "Name": "Soho - BookingCreate", "Action": 6, "URL": "https://hooks.example.com/in"}


def authorization(
    environment: dict[str, str],
    *,
    account: str = "default",
    token_env: str | None = None,
    username_env: str | None = None,
    password_env: str | None = None,
    basic: bool = False,
) -> Authorization:
    """The credentials that an environment holds."""
    return authorization_from(
        environment,
        account=account,
        token_env=token_env,
        username_env=username_env,
        password_env=password_env,
        basic=basic,
    )


def client_of(
    handler: Callable[[httpx.Request], object],
    environment: dict[str, str] | None = None,
    *,
    basic: bool = False,
    base_url: str = "https://spaces.example.com",
) -> NexudusClient:
    """A client whose requests are answered by a function."""
    return NexudusClient(
        base_url,
        authorization(environment or {"NEXUDUS_TOKEN": "token-of-tests"}, basic=basic),
        timeout=30,
        transport=httpx.MockTransport(handler),
    )


class RawServer:
    """A server on loopback that does with each connection what ``behave`` says; ``received`` is what came in."""

    def __init__(
        self,
        behave: Callable[[RawServer, socket.socket], None],
        tls: ssl.SSLContext | None = None,
        host: str = "",
        behind: RawServer | None = None,
    ) -> None:
        self.nearest = behind or self
        """What clients are connected to: the proxy before this server, or the server itself."""
        self.ended = threading.Semaphore(0)
        """Released for each connection whose end has been sent to its client, which finds it there from then on."""
        self._behave = behave
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self.address = f"{'https' if tls else 'http'}://{host or '127.0.0.1'}:{self.port}"
        self.received = b""
        self.connections = 0
        self.served: list[int] = []
        """The client's port of each whole request."""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            self._behave(self, connection)

    def read_request(self, connection: socket.socket) -> bool:
        """Read one whole request; False where the connection ends first."""
        request = b""
        while not _is_whole(request):
            piece = connection.recv(65_536)
            if not piece:
                return False
            request += piece
            self.received += piece
        self.served.append(connection.getpeername()[1])
        return True

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that waits in accept() is not woken by closing what it waits for.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()


def relay(proxy: RawServer, connection: socket.socket) -> None:
    """What a proxy does, whose every host is this machine: it opens a tunnel (CONNECT), or passes requests on."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and b"\r\n\r\n" not in head:
        piece = connection.recv(65_536)
        if not piece:
            return
        head += piece
    proxy.received += head
    method, target, _ = head.split(b" ", 2)
    with socket.create_connection(("127.0.0.1", int(re.findall(rb":([0-9]+)", target)[0]))) as onward:
        if method == b"CONNECT":
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            onward.sendall(head)
        back = threading.Thread(target=_pump_back, args=(proxy, onward, connection), daemon=True)
        back.start()
        _pump(connection, onward)
        back.join()


def _pump_back(proxy: RawServer, source: socket.socket, target: socket.socket) -> None:
    _pump(source, target)
    proxy.ended.release()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65_536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


HOST = "spaces.example.com"
"""A host that only the proxies of these tests know."""


class Authority:
    """A certificate authority of the tests' own: ``file`` is its certificate, ``server`` what a TLS server needs."""

    def __init__(self, folder: Path) -> None:
        made = trustme.CA()
        self.file = folder / "authority.pem"
        made.cert_pem.write_to_path(self.file)
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.issue_cert(HOST, "localhost", "127.0.0.1").configure_cert(self.server)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Nobody trusts it who is not told to."""
    return Authority(tmp_path_factory.mktemp("authority"))


def reset(connection: socket.socket) -> None:
    """Close a connection the hard way."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(body: bytes, *, status: str = "200 OK", head: bytes = b"") -> bytes:
    """An answer as it goes over the line."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n".encode() + head + b"\r\n" + body


CREATED = (
    b'{"Status": 200, "Message": "WebHook was successfully created.", "Value": {"Id": 87654321},'
    b' "Errors": null, "WasSuccessful": true}'
)


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return True


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
