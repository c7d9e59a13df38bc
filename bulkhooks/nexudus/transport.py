"""Connections: few, the most recently used first, and none that has been idle for long.

A POST on a connection that the server has closed while it was idle fails after sending, and is then in doubt. So the
connection that was used last is taken first, those left over are closed after seconds, and one that the server has
closed already is seen before anything is sent on it. httpx's own pool goes through all its connections for every
request; here a connection costs what it costs.
"""

from __future__ import annotations

import functools
import os
import ssl
import urllib.request
from collections import deque
from types import TracebackType

import anyio
import httpx

from bulkhooks.errors import UsageError
from bulkhooks.nexudus.address import is_loopback
from bulkhooks.nexudus.connection import Connection

IDLE_SECONDS = 3.0
"""A connection idle for longer is not used again: servers close theirs after five seconds or more."""


def open_transport(base_url: httpx.URL, *, concurrency: int) -> httpx.AsyncBaseTransport:
    """The way to the API: straight, or through the proxy that the environment names (never for this machine itself).

    Raises ``UsageError`` where that proxy cannot be used.
    """
    proxy = _proxy_for(base_url)
    if proxy is None:
        return RecentFirst(base_url, verify=_verify(base_url))
    limits = httpx.Limits(
        max_connections=concurrency, max_keepalive_connections=concurrency, keepalive_expiry=IDLE_SECONDS
    )
    try:
        return httpx.AsyncHTTPTransport(verify=_verify(base_url), proxy=proxy, limits=limits)
    except (ImportError, ValueError, httpx.InvalidURL):
        name = f"{base_url.scheme.upper()}_PROXY or ALL_PROXY"
        raise UsageError(f"{name} names a proxy that cannot be used: give it as http://host:port") from None


def _proxy_for(base_url: httpx.URL) -> str | None:
    proxies = urllib.request.getproxies()
    proxy = proxies.get(base_url.scheme) or proxies.get("all")
    if not proxy or is_loopback(base_url.host) or urllib.request.proxy_bypass(base_url.netloc.decode("ascii")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _verify(base_url: httpx.URL) -> ssl.SSLContext:
    """Certificates are always verified; reading the list of authorities is spared where there is nothing to verify."""
    if base_url.scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, folder = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
    try:
        return _authorities(file, folder)
    except OSError as error:
        name = f"SSL_CERT_FILE names {file}" if file else f"SSL_CERT_DIR names {folder}"
        raise UsageError(f"{name}, which holds no certificates: {error.strerror or error.args[-1]}") from None


@functools.cache
def _authorities(file: str, folder: str) -> ssl.SSLContext:
    """The authorities that are trusted; read once for all accounts, for they are many."""
    if file or folder:
        context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    else:
        context = httpx.create_ssl_context(trust_env=False)
    context.set_alpn_protocols(["http/1.1"])
    return context


class RecentFirst(httpx.AsyncBaseTransport):
    """Connections to one server. Its failures are httpx's; the answer is read whole before it is handed over.

    A connection that has been idle for ``idle`` seconds is not used again.
    """

    def __init__(
        self, base_url: httpx.URL, *, verify: ssl.SSLContext | None = None, idle: float = IDLE_SECONDS
    ) -> None:
        self._base_url = base_url
        self._verify = verify
        self._longest_idle = idle
        self._idle: deque[tuple[Connection, float]] = deque()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        connection = await self._take(request)
        try:
            answer = await connection.exchange(request)
        except BaseException:
            await connection.aclose()
            raise
        if connection.is_idle:
            self._idle.append((connection, anyio.current_time()))
        else:
            await connection.aclose()
        return answer

    async def _take(self, request: httpx.Request) -> Connection:
        while self._idle and self._idle[0][1] + self._longest_idle <= anyio.current_time():
            await self._idle.popleft()[0].aclose()
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.was_closed:
                return connection
            await connection.aclose()
        timeout = request.extensions.get("timeout", {}).get("connect")
        return await Connection.to(self._base_url, self._verify, timeout)

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop()[0].aclose()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()
