"""One HTTP/1.1 connection: a socket of anyio's, and h11 that knows the protocol.

httpcore, by which httpx does the same, takes three times as long for a request, most of it for what a connection that
serves one request at a time does not need. Failures are httpx's, told apart as httpx does: what is raised while the
connection is made was surely not sent, and everything later may have arrived.
"""

from __future__ import annotations

import select
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import anyio
import h11
import httpx
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSStream

_READ = 65_536
"""Bytes taken at a time."""
_LONGEST_HEAD = 100 * 1024
"""Bytes of an answer's head; what is longer is no answer."""


class Connection:
    """A connection that stands. Used for one request at a time, and again only while ``is_idle``."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 (no Django)
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)

    @classmethod
    async def to(cls, url: httpx.URL, verify: ssl.SSLContext | None, timeout: float | None) -> Connection:
        """Connect to the server of ``url``. Raises ``httpx.ConnectError`` and ``httpx.ConnectTimeout``."""
        is_secure = url.scheme == "https"
        with _step(timeout, httpx.ConnectTimeout, httpx.ConnectError):
            host = url.raw_host.decode("ascii")
            stream: ByteStream = await anyio.connect_tcp(host, url.port or (443 if is_secure else 80))
            if is_secure:
                try:
                    stream = await TLSStream.wrap(
                        stream, hostname=host, ssl_context=verify, server_side=False, standard_compatible=False
                    )
                except BaseException:
                    await anyio.aclose_forcefully(stream)
                    raise
        return cls(stream)

    async def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read its whole answer. After a ``httpx.TransportError`` the connection is to be closed."""
        timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
        message = self._encoded(request, await request.aread())
        try:
            with _step(timeouts.get("write"), httpx.WriteTimeout, httpx.WriteError):
                await self._stream.send(message)
        except httpx.WriteError:
            pass  # a server may turn a request away before it has read it to the end, and its answer counts
        head, content = await self._answer(timeouts.get("read"))
        if self._http.our_state is self._http.their_state is h11.DONE and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            content=content,
            extensions={"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason},
        )

    @property
    def is_idle(self) -> bool:
        """Whether another request may go over it."""
        return self._http.our_state is h11.IDLE

    @property
    def was_closed(self) -> bool:
        """Whether the server has closed it, or says what nobody has asked for."""
        descriptor = self._socket.fileno()
        if descriptor < 0:
            return True
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([descriptor], [], [], 0)[0])

    async def aclose(self) -> None:
        """Close it, whatever is going on."""
        with anyio.CancelScope(shield=True):
            await anyio.aclose_forcefully(self._stream)

    def _encoded(self, request: httpx.Request, content: bytes) -> bytes:
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        events = [head, h11.Data(data=content), h11.EndOfMessage()] if content else [head, h11.EndOfMessage()]
        try:
            return b"".join(filter(None, map(self._http.send, events)))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error

    async def _answer(self, timeout: float | None) -> tuple[h11.Response, bytes]:
        head: h11.Response | None = None
        pieces: list[bytes] = []
        while True:
            event = self._following()
            if event is h11.NEED_DATA:
                await self._receive(timeout)
            elif isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return head, b"".join(pieces)
            elif not isinstance(event, h11.InformationalResponse):
                raise httpx.RemoteProtocolError("the server closed the connection without an answer")

    def _following(self) -> object:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error

    async def _receive(self, timeout: float | None) -> None:
        with _step(timeout, httpx.ReadTimeout, httpx.ReadError):
            try:
                data = await self._stream.receive(_READ)
            except anyio.EndOfStream:
                data = b""
        self._http.receive_data(data)


@contextmanager
def _step(
    timeout: float | None, too_late: type[httpx.TransportError], broken: type[httpx.TransportError]
) -> Iterator[None]:
    """A step on the way, of which anyio's failures come out as httpx's. ``timeout`` in seconds."""
    try:
        with anyio.move_on_after(timeout) as scope:
            yield
    except TimeoutError as error:
        raise too_late(str(error)) from error
    except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream) as error:
        raise broken(str(error)) from error
    if scope.cancelled_caught:
        raise too_late("")
