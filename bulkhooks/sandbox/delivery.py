"""Delivery: posting events to webhooks as Nexudus does (bulkhooks/docs/nexudus.md, Delivery), only to this machine."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bulkhooks.actions import NEVER_FIRES
from bulkhooks.sandbox.loopback import is_loopback
from bulkhooks.sandbox.store import Store, timestamp

if TYPE_CHECKING:
    import httpx

SIGNATURE = "X-Nexudus-Hook-Signature"
RETRIES = 10
"""How often one delivery is tried again."""

DISABLED_AFTER = 10
"""Failures in a row after which a webhook is switched off."""

TIMEOUT = 10.0
"""Seconds that a receiver has to answer."""

LONGEST_ERROR = 500
"""Characters of ``LastError``."""


class Delivery:
    """Posts events to the active webhooks of a location and records each attempt in the store.

    ``LastTrigger`` is the time of the last attempt (UTC). ``ErrorCount`` goes up with every failed attempt; switching
    the webhook on sets it to 0, a success does not. ``retry_delays`` are seconds before each further attempt, the last
    one repeats. ``secret`` signs the body (HMAC-SHA256, upper-case hex); None sends no signature. Attempts that are
    still waiting are dropped when the server stops. ``counts``: events, fired, delivered, failed.
    """

    def __init__(self, store: Store, secret: str | None, retry_delays: Sequence[float]) -> None:
        self._store = store
        self._secret = secret
        self._delays = retry_delays
        self._under_way: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self.counts = Counter(events=0, fired=0, delivered=0, failed=0)

    def fire(self, business_id: int, action: int, record: Mapping[str, object]) -> list[int]:
        """Start delivering an event in the background; returns the ids of the webhooks it fires.

        ``action`` is the number of the event; the event None (1) fires nothing. Call it on the event loop.
        """
        body = json.dumps([record]).encode()
        ids = [
            webhook["Id"]
            for webhook in self._store.at(business_id)
            if webhook["Active"] and webhook["Action"] == action != NEVER_FIRES
        ]
        for webhook_id in ids:
            task = asyncio.get_running_loop().create_task(self._deliver(webhook_id, body))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        self.counts.update(events=1, fired=len(ids))
        return ids

    @property
    def waiting(self) -> int:
        """Deliveries under way, or waiting for another attempt."""
        return len(self._under_way)

    async def stop(self) -> None:
        """Cancel every delivery and close the client."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._client:
            await self._client.aclose()

    async def _deliver(self, webhook_id: int, body: bytes) -> None:
        for attempt in range(1 + RETRIES):
            if attempt:
                await asyncio.sleep(self._delays[min(attempt, len(self._delays)) - 1])
            webhook = self._store.get(webhook_id)
            if webhook is None or not webhook["Active"]:
                return
            self._store.update(webhook_id, {"LastTrigger": timestamp()})
            error = await self._post(webhook["URL"], body)
            if self._store.get(webhook_id) is None:
                return
            if not error:
                self.counts["delivered"] += 1
                self._store.succeeded(webhook_id)
                return
            self.counts["failed"] += 1
            self._store.failed(webhook_id, error, DISABLED_AFTER)

    async def _post(self, url: str, body: bytes) -> str:
        """Send once; returns what went wrong, '' where nothing did."""
        import httpx  # only here, for most sandboxes never deliver

        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers[SIGNATURE] = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest().upper()
        if self._client is None:
            # Without the environment's proxies, or a delivery could leave this machine after all.
            self._client = httpx.AsyncClient(timeout=httpx.Timeout(TIMEOUT, pool=None), trust_env=False)
        try:
            target = httpx.URL(url)
            if not is_loopback(target.host):
                return f"The sandbox delivers only to loopback addresses, and {target.host} is not one."
            async with self._client.stream("POST", target, content=body, headers=headers) as answer:
                if answer.is_success:
                    return ""
                return f"{answer.status_code} {answer.reason_phrase}".strip()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return f"{type(error).__name__}: {error}".strip(": ")[:LONGEST_ERROR]
