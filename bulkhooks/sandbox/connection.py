"""A connection that can do what ASGI cannot say: its own words in the status line, and hanging up without an answer.

Nexudus throttles with ``409 You must wait before accessing this url again.``, where plain conflicts read ``409
Conflict``. The application finds the connection of a request under ``EXTENSION`` in the scope's extensions.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

EXTENSION = "bulkhooks.connection"


class _Worded(h11.Connection):
    """Puts ``reason`` into the next status line instead of the usual words."""

    reason = b""

    def send_with_data_passthrough(self, event: h11.Event) -> list[bytes] | None:
        if self.reason and isinstance(event, h11.Response):
            event = h11.Response(
                status_code=event.status_code, headers=list(event.headers.raw_items()), reason=self.reason
            )
            self.reason = b""
        return super().send_with_data_passthrough(event)


class Connection(H11Protocol):
    """One connection of a client."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._worded = self.conn = _Worded(h11.SERVER)
        self._answer = self.app
        self.app = self._answer_as_this

    def word(self, reason: str) -> None:
        """Use these words in the status line of the answer to come."""
        self._worded.reason = reason.encode("ascii")

    async def drop(self, receive: Receive) -> None:
        """Hang up without a byte of an answer. The request has to be read by then, or the client sees a reset."""
        self.transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _answer_as_this(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"] = {EXTENSION: self}
        await self._answer(scope, receive, send)


async def drain(receive: Receive) -> None:
    """Read what is left of a request."""
    while (await receive()).get("more_body", False):
        pass
