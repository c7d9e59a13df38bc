"""The one way to the network: every request to the API, to whoever is notified and to an endpoint leaves from here.

This is the only module that imports httpx: a package with the same interface is put in its place here. What the rest
of the program needs of it are ``Request``, ``URL`` and the type of a transport.

The most recently used connection is taken first, and none that has been idle for long: a POST on a connection that the
server has closed while it was idle fails after sending, and is then in doubt. bulkhooks/docs/decisions/transport.md
says why the connections are those of httpx, and how they are kept.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx

from bulkhooks.errors import InDoubt, NotSent, UsageError
from bulkhooks.nexudus.certificates import trusted
from bulkhooks.nexudus.messages import no_connection, one_line, without_frames
from bulkhooks.nexudus.proxies import Proxy, proxy_for

URL = httpx.URL
Request = httpx.Request
Transport = httpx.AsyncBaseTransport
BeforeSend = Callable[[], Awaitable[None]]
"""Awaited when the connection stands, right before the first byte of a request leaves; what it raises sends nothing."""

IDLE_SECONDS = 3.0
"""A connection idle for longer is not used again: servers close theirs after five seconds or more."""

_NONE_TRUSTED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE_SECONDS)

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Raised before the first byte of a request leaves, whatever the transport."""

_BROKEN = (
    httpx.TransportError,
    httpx.DecodingError,
    httpx.StreamError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    OSError,
)
"""All that is raised where there is no answer; a total time that is over is an ``OSError`` too."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. Names of ``headers`` are found in any case; ``content`` is unpacked."""

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


def url_of(text: str) -> URL:
    """A text as an http or https URL. Raises ``ValueError`` where it is none."""
    try:
        url = httpx.URL(text)
        host = url.host  # a host that cannot be one is found when it is asked for
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError("not an address") from error
    if url.scheme not in {"http", "https"} or not host:
        raise ValueError("neither http nor https, or no host")
    return url


class Route:
    """The way to one server: connections, and the proxy that they go through. Close it with ``aclose``."""

    def __init__(self, transport: Transport, proxy: Proxy | None = None) -> None:
        self._transport = transport
        self._proxy = proxy

    async def __aenter__(self) -> Route:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection, whatever goes on."""
        with anyio.CancelScope(shield=True):
            await self._transport.aclose()

    async def exchange(
        self,
        request: Request,
        *,
        timeout: float,
        total: float,
        longest: int,
        peer: str = "the API",
        before_send: BeforeSend | None = None,
    ) -> Response:
        """Send a request once and read its whole answer, whatever it says.

        ``timeout`` is in seconds for each step (connect, write, read), ``total`` for all of them: a server that sends a
        byte at a time must end as well. ``longest`` is in bytes of the unpacked answer. ``peer`` is what sentences call
        the other end. Raises ``NotSent`` where the first byte did not leave, ``InDoubt`` where no whole answer came,
        and what ``before_send`` raises.
        """
        progress = _Progress(before_send)
        request.extensions = {"timeout": httpx.Timeout(timeout).as_dict(), "trace": progress}
        try:
            with anyio.fail_after(total):
                answer = await self._transport.handle_async_request(request)
                try:
                    content = await _read(answer, longest)
                finally:
                    await answer.aclose()
        except _BROKEN as error:
            waited = total if isinstance(error, TimeoutError) else timeout
            raise self._failure(error, progress, waited, peer) from without_frames(error)
        if content is None:
            raise InDoubt(f"{peer} gave an answer of more than {longest:,} bytes", answer.status_code)
        return Response(answer.status_code, answer.headers, content)

    def _failure(self, error: Exception, progress: _Progress, timeout: float, peer: str) -> NotSent | InDoubt:
        """What an exception means that was raised instead of an answer."""
        if progress.is_unsent(error):
            return NotSent(self._no_connection(error, progress, timeout, peer))
        if isinstance(error, httpx.TimeoutException | TimeoutError):
            return InDoubt(f"{peer} gave no whole answer within {timeout:g} s")
        if isinstance(error, httpx.DecodingError):
            return InDoubt("the answer cannot be unpacked")
        if isinstance(error, httpx.RemoteProtocolError):
            return InDoubt("the connection was closed before the whole answer came, or the answer is not HTTP")
        return InDoubt("the connection broke before the whole answer came")

    def _no_connection(self, error: Exception, progress: _Progress, timeout: float, peer: str) -> str:
        """Which part of the way failed, and why."""
        proxy = f"the proxy that {self._proxy.variable} names" if self._proxy else "the proxy"
        if isinstance(error, httpx.ProxyError):
            reason = one_line(str(error))
            if reason.startswith("407"):
                return f"{proxy} asks for a user name and password ({reason}): put them into its address"
            return f"{proxy} does not let it through to {peer} ({reason})"
        timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
        reason = no_connection(error, timeout if timed_out else None)
        if self._proxy is not None and not progress.is_past_proxy:
            return f"no connection to {proxy}: {reason}"
        return f"no connection to {peer}: {reason}"


def open_route(url: URL) -> Route:
    """The way to the server of a URL: directly, or through the proxy that the environment names.

    Raises ``UsageError`` where that proxy cannot be used, or where a variable names authorities that cannot be read.
    """
    proxy = proxy_for(url.scheme, url.host, url.port)
    # Reading the authorities takes a while: it is spared where there is nothing to verify.
    verify = trusted() if url.scheme == "https" else _NONE_TRUSTED
    through = None if proxy is None else _usable(proxy)

    def connection() -> Transport:
        return httpx.AsyncHTTPTransport(verify=verify, proxy=through, limits=_ONE)

    return Route(Connections(connection), proxy)


def _usable(proxy: Proxy) -> httpx.Proxy:
    try:
        url = httpx.URL(proxy.url)
        if not url.host:
            raise ValueError("no host")
        through = httpx.Proxy(url, ssl_context=trusted() if url.scheme == "https" else None)
        httpx.AsyncHTTPTransport(verify=_NONE_TRUSTED, proxy=through)
    except ImportError:
        raise UsageError(f"{proxy.variable} names a SOCKS proxy, which needs: pip install 'bulkhooks[socks]'") from None
    except (ValueError, httpx.InvalidURL):
        raise UsageError(f"{proxy.variable} names a proxy that cannot be used: give it as http://host:port") from None
    return through


class Connections(httpx.AsyncBaseTransport):
    """Connections to one server, the most recently used first; each is a transport of httpx's with one connection.

    Such a transport looks before every request whether its connection has been closed by the server or has been idle
    for ``IDLE_SECONDS``, and then makes a new one. httpx's own pool goes through all connections for every request.
    """

    def __init__(self, connection: Callable[[], Transport], *, idle: float = IDLE_SECONDS) -> None:
        self._connection = connection
        self._longest_idle = idle
        self._idle: deque[tuple[Transport, float]] = deque()

    async def handle_async_request(self, request: Request) -> httpx.Response:
        connection = await self._take()
        try:
            answer = await connection.handle_async_request(request)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await connection.aclose()
            raise
        answer.stream = _Lent(answer.stream, lambda: self._idle.append((connection, anyio.current_time())))
        return answer

    async def _take(self) -> Transport:
        # What was used last stands at the right end; what has been idle for too long can only be at the left.
        while self._idle and self._idle[0][1] + self._longest_idle <= anyio.current_time():
            await self._idle.popleft()[0].aclose()
        return self._idle.pop()[0] if self._idle else self._connection()

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop()[0].aclose()


class _Lent(httpx.AsyncByteStream):
    """The content of an answer; when it is closed, its connection is free again (or closed, if it was not read)."""

    def __init__(self, stream: Any, give_back: Callable[[], None]) -> None:
        self._stream = stream
        self._give_back: Callable[[], None] | None = give_back

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._stream.aclose()
        if self._give_back is not None:
            self._give_back()
            self._give_back = None


class _Progress:
    """How far a request has come, as the request extension ``trace`` tells it while the request is made.

    The request that asks a proxy for a tunnel (CONNECT) is told of as well, and is not the request itself.
    """

    def __init__(self, before_send: BeforeSend | None) -> None:
        self._before_send = before_send
        self._is_traced = False
        self._has_left = False
        self.is_past_proxy = False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        self._is_traced = True
        if event == "http11.send_request_headers.started" and info["request"].method != b"CONNECT":
            if self._before_send is not None:
                await self._before_send()
            self._has_left = True
        elif event in _BEHIND_PROXY and not self._has_left:
            self.is_past_proxy = True

    def is_unsent(self, error: Exception) -> bool:
        """Whether a request that ended with this error sent nothing. A transport that tells nothing is believed."""
        return not self._has_left and (self._is_traced or isinstance(error, _NOT_SENT))


_BEHIND_PROXY = frozenset({"http11.receive_response_headers.complete", "socks.setup_socks5_connection.complete"})
"""After these, and before the request itself, what fails is the way from the proxy to the server."""


async def _read(answer: httpx.Response, longest: int) -> bytes | None:
    """The content of an answer; None where it is longer than so many bytes. No more than those are kept."""
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > longest:
            return None
    return bytes(content)
