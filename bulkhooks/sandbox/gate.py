"""The ASGI application around the calls: host check, latency, limits, authentication, roles and injected faults.

Paths below ``/sandbox/`` are the sandbox's own: only the host is checked for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import cast

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bulkhooks.sandbox.app import BUSINESSES, TOKEN, WEBHOOKS, answer, failure
from bulkhooks.sandbox.connection import EXTENSION, Connection, drain
from bulkhooks.sandbox.faults import Fault, FaultInjector
from bulkhooks.sandbox.limits import Limits
from bulkhooks.sandbox.loopback import is_own_host
from bulkhooks.sandbox.tokens import Tokens
from bulkhooks.sandbox.validation import Rejected

THROTTLED = "You must wait before accessing this url again."
"""The reason phrase of the status line when a limit is hit (bulkhooks/docs/nexudus.md, Limits)."""

_KINDS = {
    ("POST", WEBHOOKS): "create",
    ("GET", WEBHOOKS): "search",
    ("PUT", WEBHOOKS): "update",
    ("GET", WEBHOOKS + "/"): "read",
    ("DELETE", WEBHOOKS + "/"): "delete",
    ("GET", BUSINESSES): "locations",
    ("POST", TOKEN): "token",
}
_WRITES = frozenset({"create", "update", "delete"})

_log = logging.getLogger(__name__)


class Gate:
    """The whole server as an ASGI application around ``calls``.

    ``role``: one of ``ROLES`` of the options. ``requests`` counts requests by kind (create, search, …, other),
    ``counts`` those that were throttled or unauthorized.
    """

    def __init__(self, calls: ASGIApp, limits: Limits, tokens: Tokens, faults: FaultInjector, role: str) -> None:
        self._calls = calls
        self._limits = limits
        self._tokens = tokens
        self._faults = faults
        self._role = role
        self.requests = Counter(dict.fromkeys((*_KINDS.values(), "other"), 0))
        self.counts = Counter(throttled=0, unauthorized=0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._calls(scope, receive, send)
        elif not is_own_host(host := Headers(scope=scope).get("host", "")):
            refusal = failure(403, f"The sandbox answers only to localhost and loopback addresses, not to {host}.")
            await refusal(scope, receive, send)
        elif scope["path"].startswith("/sandbox/"):
            await self._call(scope, receive, send)
        else:
            await self._let_in(scope, receive, send)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Latency, limits, authorisation and only then faults: were refused requests struck too, a client's retries
        # would move the faults of a seed to other writes.
        one_way = self._faults.one_way()
        if one_way:
            await asyncio.sleep(one_way)
            send = _later(send, one_way)
        kind = _kind(scope)
        self.requests[kind] += 1
        if turned_away := self._turn_away(kind, scope):
            await turned_away(scope, receive, send)
        elif kind in _WRITES and (fault := self._faults.fault()):
            await self._strike(fault, scope, receive, send)
        else:
            await self._call(scope, receive, send)

    def _turn_away(self, kind: str, scope: Scope) -> Response | None:
        """The answer to a request that is not let in; None where it is."""
        if wait := self._limits.arrive(write=kind in _WRITES):
            self.counts["throttled"] += 1
            _connection(scope).word(THROTTLED)
            return Response(status_code=409, headers={"Retry-After": str(wait)})
        if kind == "token":
            return None
        known = self._tokens.accepts(Headers(scope=scope).get("authorization", ""))
        if known and (self._role == "full" or kind == "create"):
            return None
        self.counts["unauthorized"] += 1
        return failure(401, "Authorization has been denied for this request.")

    async def _strike(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        match fault.kind:
            case "error-500":
                await drain(receive)
                await failure(500, "An error has occurred.")(scope, receive, send)
            case "drop-before":
                await drain(receive)  # unread bytes would make the system reset the connection, not close it
                await _connection(scope).drop(receive)
            case "drop-after":
                await self._call(scope, receive, _discard)
                await _connection(scope).drop(receive)
            case _:
                await self._call(scope, receive, _later(send, fault.seconds))

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._calls(scope, receive, send)
        except Rejected as rejected:
            await answer(rejected.answer(), 400)(scope, receive, send)
        except ClientDisconnect:
            pass  # a client that went away in the middle of its request: nobody is there to be answered
        except OSError as error:
            _log.error("the sandbox cannot write its state file: %s", error.strerror or error)
            await failure(500, "The state file cannot be written.")(scope, receive, send)
        except Exception:  # noqa: BLE001 (one request must not end the server)
            _log.exception("a request could not be answered")
            await failure(500, "An error has occurred.")(scope, receive, send)


def _kind(scope: Scope) -> str:
    method, path = scope["method"], scope["path"]
    if path.startswith(WEBHOOKS + "/"):
        path = WEBHOOKS + "/"
    return _KINDS.get((method, path), "other")


def _connection(scope: Scope) -> Connection:
    return cast(Connection, scope["extensions"][EXTENSION])


def _later(send: Send, seconds: float) -> Send:
    """``send`` with the start of the response delayed by so many seconds."""

    async def send_later(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(seconds)
        await send(message)

    return send_later


async def _discard(message: Message) -> None:
    """A ``send`` that throws the response away."""
    del message
