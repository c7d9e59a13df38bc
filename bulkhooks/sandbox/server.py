"""The server: in a thread of this process (``Sandbox``), or until a signal ends it (``serve``)."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self

import uvicorn

from bulkhooks.sandbox.app import Calls
from bulkhooks.sandbox.connection import Connection
from bulkhooks.sandbox.delivery import Delivery
from bulkhooks.sandbox.faults import FaultInjector
from bulkhooks.sandbox.gate import Gate
from bulkhooks.sandbox.limits import Limits
from bulkhooks.sandbox.locations import Locations
from bulkhooks.sandbox.options import SandboxOptions
from bulkhooks.sandbox.store import SandboxError, Store
from bulkhooks.sandbox.tokens import FIXED_TOKEN, Tokens

__all__ = ["Sandbox", "SandboxError", "SandboxOptions", "serve"]

BACKLOG = 2048

_DEFAULTS = SandboxOptions()


class Sandbox:
    """A local Nexudus, running in a thread from entering to leaving the context::

        with Sandbox() as sandbox:
            httpx.get(sandbox.base_url + "/api/sys/webhooks", headers={"Authorization": f"Bearer {sandbox.token}"})

    It listens on loopback only, on a free port unless one is named. Entering raises ``SandboxError`` where the port is
    taken, the host is not loopback or the state file cannot be used.
    """

    token = FIXED_TOKEN

    def __init__(self, options: SandboxOptions = _DEFAULTS, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._options = options
        self._host = host
        self._port = port
        self._locations = Locations(options.locations, options.network, options.suspended)
        self.base_url = ""
        """``http://127.0.0.1:PORT``, once entered."""

    def know(self, ids: Iterable[int]) -> None:
        """Add locations by id, each with a name; also while the server runs, from any thread."""
        self._locations.know(ids)

    def __enter__(self) -> Self:
        listening = _listen(self._host, self._port)
        try:
            self._store = Store(self._options.state, self._options.ids_from)
        except SandboxError:
            listening.close()
            raise
        self._locations.know({record["BusinessId"] for record in self._store.all()})
        host, port = listening.getsockname()[:2]
        self.base_url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._server = _Server(_application(self._options, self._store, self._locations))
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="sandbox", daemon=True)
        self._thread.start()
        self._server.settled.wait()
        if not self._server.started:
            self._store.close()
            raise SandboxError("the sandbox did not start: its server ended at once")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()
        self._store.close()


def serve(
    options: SandboxOptions, host: str = "127.0.0.1", port: int = 8899, announce: Callable[[str], None] = print
) -> None:
    """Run until SIGINT or SIGTERM, then return. ``announce`` gets the address once it answers.

    For the main thread, for it takes the signals. Raises ``SandboxError`` as ``Sandbox`` does.
    """
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Sandbox(options, host=host, port=port) as sandbox:
            announce(sandbox.base_url)
            # In short waits: where a wait has no end, some systems do not let signals through.
            while not stop.wait(0.5):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """uvicorn on a socket that listens already. ``settled`` is set once it answers requests, or never will.

    uvicorn looks ten times a second whether to stop, and then waits for clients; this one stops at once.
    """

    def __init__(self, application: Gate) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=Connection,
                loop="asyncio",
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=30,
            )
        )
        self.settled = threading.Event()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            self.settled.set()

    def stop(self) -> None:
        """End the server; for other threads, once it is settled."""
        self._loop.call_soon_threadsafe(self._ending.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)
        self.settled.set()

    async def main_loop(self) -> None:
        while not self._ending.is_set():
            await self.on_tick(0)  # sets the clock of the Date header
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every connection at once, whatever is under way."""
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        under_way = list(self.server_state.tasks)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self.lifespan.shutdown()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if not ipaddress.ip_address(address[0]).is_loopback:
            raise SandboxError(f"the sandbox listens on loopback only, and {host} is not: use 127.0.0.1")
        # Where TCP is not named, asyncio leaves the kernel waiting for more to send: 40 ms an answer.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except (OSError, OverflowError, UnicodeError) as error:
        raise SandboxError(f"the sandbox cannot listen on {host} port {port}: {error}") from None
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or error
        raise SandboxError(
            f"the sandbox cannot listen on {host} port {port}: {reason}; end what uses the port, or name another"
        ) from None
    return listening


def _application(options: SandboxOptions, store: Store, locations: Locations) -> Gate:
    tokens = Tokens(options.token_lifetime, options.clock)
    delivery = Delivery(store, options.secret, options.retry_delays)
    faults = FaultInjector(options.fault, options.latency, options.seed)

    def stats() -> dict[str, object]:
        return {
            "requests": dict(gate.requests),
            "total": gate.requests.total(),
            **gate.counts,
            "webhooks": len(store),
            "duplicates": store.repeats(),
            "faults": dict(faults.struck),
            "delivery": {**delivery.counts, "waiting": delivery.waiting},
        }

    calls = Calls(store, locations, tokens, delivery, stats)
    gate = Gate(calls.router, Limits(options.rate, options.request_rate, options.clock), tokens, faults, options.role)
    return gate
