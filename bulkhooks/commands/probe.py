"""``check --probe``: whether the endpoints of a sheet are there."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import httpx

from bulkhooks.nexudus.messages import no_connection
from bulkhooks.redact import shown_url
from bulkhooks.version import VERSION

TIMEOUT = 10.0
"""Seconds for an endpoint to answer."""

AT_ONCE = 8
_GONE = frozenset({404, 410})
_HEADERS = {"User-Agent": f"bulkhooks/{VERSION}"}


async def probe(urls: Sequence[str], transport: httpx.AsyncBaseTransport | None = None) -> dict[str, str]:
    """Connect to each URL once (TLS, HEAD, no event) and say of those that do not answer well what they answer."""
    findings: dict[str, str] = {}
    limit = anyio.CapacityLimiter(AT_ONCE)
    async with httpx.AsyncClient(transport=transport, timeout=TIMEOUT, headers=_HEADERS) as client:

        async def look(url: str) -> None:
            async with limit:
                finding = await _answer(client, url)
            if finding:
                findings[url] = f"{shown_url(url)}: {finding}"

        async with anyio.create_task_group() as group:
            for url in dict.fromkeys(urls):
                group.start_soon(look, url)
    return {url: findings[url] for url in urls if url in findings}


async def _answer(client: httpx.AsyncClient, url: str) -> str:
    try:
        answer = await client.head(url)
    except (httpx.TransportError, httpx.InvalidURL, ValueError) as error:
        return f"does not answer: {no_connection(error, TIMEOUT)}"
    if answer.is_redirect:
        return f"redirects to {shown_url(answer.headers.get('Location', ''))}; webhooks are not redirected"
    if answer.status_code in _GONE or answer.status_code >= 500:
        return f"answers {answer.status_code}"
    return ""
