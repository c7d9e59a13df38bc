"""``check --probe``: whether the endpoints of a sheet are there."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhooks.errors import InDoubt, NotSent
from bulkhooks.nexudus.transport import Request, Route, open_route, url_of
from bulkhooks.provision.tasks import each
from bulkhooks.redact import shown_url
from bulkhooks.version import VERSION

TIMEOUT = 10.0
"""Seconds for an endpoint to answer, from the first byte of the connection to the last of the answer."""

LONGEST_ANSWER = 65_536
"""Bytes; a HEAD is answered without content."""

AT_ONCE = 8
_GONE = frozenset({404, 410})
_HEADERS = {"User-Agent": f"bulkhooks/{VERSION}"}


async def probe(urls: Sequence[str], timeout: float = TIMEOUT) -> dict[str, str]:
    """Connect to each URL once (TLS, HEAD, no event) and say of those that do not answer well what they answer.

    ``timeout`` is in seconds for one URL.

    Raises ``UsageError`` where the environment names a proxy or authorities that cannot be used.
    """
    findings: dict[str, str] = {}
    distinct = dict.fromkeys(urls)
    routes = {url: _route(url) for url in distinct}

    async def look(url: str) -> None:
        route = routes[url]
        finding = "is no http or https address" if route is None else await _answer(url, route, timeout)
        if finding:
            findings[url] = f"{shown_url(url)}: {finding}"

    await each(distinct, look, AT_ONCE)
    return {url: findings[url] for url in urls if url in findings}


def _route(url: str) -> Route | None:
    try:
        return open_route(url_of(url))
    except ValueError:
        return None


async def _answer(url: str, route: Route, timeout: float) -> str:
    request = Request("HEAD", url, headers=_HEADERS)
    async with route:
        try:
            answer = await route.exchange(
                request, timeout=timeout, total=timeout, longest=LONGEST_ANSWER, peer="the endpoint"
            )
        except (NotSent, InDoubt) as error:
            return f"does not answer: {error}"
    if 300 <= answer.status_code < 400:
        return f"redirects to {shown_url(answer.headers.get('Location', ''))}; webhooks are not redirected"
    if answer.status_code in _GONE or answer.status_code >= 500:
        return f"answers {answer.status_code}"
    return ""
