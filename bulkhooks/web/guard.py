"""Who may ask what: Host, Origin, cookie or proxy, the size of what is sent; and the headers of every answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from ipaddress import ip_address
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bulkhooks.web.people import People, Person
from bulkhooks.web.serve import FRESH

MOST_UPLOADED = 50_000_000
"""Bytes of an uploaded file."""
_MOST_SENT = 1_000_000
"""Bytes of any other form."""
_FORM = 100_000
"""Bytes of what a form has around its file."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A sign-in in front of the page: the address that it asks from, and its header with the user's name."""

    address: str
    user_header: str


@dataclass(frozen=True, slots=True)
class Door:
    """What is right here: ``hosts`` as in the header Host, ``scheme`` of the origin, ``cookie`` the cookie's name,
    ``secret`` what another ``serve`` of the same user shows."""

    hosts: frozenset[str]
    scheme: str
    cookie: str
    secret: str
    proxy: Proxy | None = None


class TooLarge(Exception):
    """More was sent than is taken."""


class Guard:
    """Stands in front of the application, and turns away who is not let in."""

    def __init__(self, application: ASGIApp, people: People, door: Door, fresh: Callable[[], str]) -> None:
        self._application = application
        self._people = people
        self._door = door
        self._fresh = fresh

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        answer = self._answer(scope, headers)
        if isinstance(answer, Response):
            await answer(scope, receive, dressed)
            return
        most = MOST_UPLOADED + _FORM if scope["path"] == "/sheets" else _MOST_SENT
        if _length(headers) > most:
            await _too_large(scope["path"])(scope, receive, dressed)
            return
        scope["person"] = answer
        await self._application(scope, _counted(receive, most), dressed)

    def _answer(self, scope: Scope, headers: Headers) -> Response | Person:
        door = self._door
        if len(headers.getlist("host")) != 1 or headers["host"].lower() not in door.hosts:
            return refused("This address is not the page's own: use the one that `bulkhooks serve` printed.")
        origins = headers.getlist("origin")
        is_elsewhere = any(origin.lower() != f"{door.scheme}://{headers['host'].lower()}" for origin in origins)
        is_sent = scope["method"] not in {"GET", "HEAD"}
        if is_elsewhere or (is_sent and headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}):
            return refused("This came from another page than this one.")
        if scope["path"] == FRESH:
            return self._fresh_address(scope, headers)
        if door.proxy is not None:
            return self._behind_proxy(scope, headers, door.proxy)
        return self._by_cookie(scope, headers)

    def _fresh_address(self, scope: Scope, headers: Headers) -> Response:
        shown = headers.get("authorization", "").encode()
        if scope["method"] == "POST" and secrets.compare_digest(shown, f"Bearer {self._door.secret}".encode()):
            return JSONResponse({"address": self._fresh()})
        return refused("Only another `bulkhooks serve` of the same user may ask this.")

    def _behind_proxy(self, scope: Scope, headers: Headers, proxy: Proxy) -> Response | Person:
        names = headers.getlist(proxy.user_header)
        if _client(scope) != proxy.address or len(names) != 1 or not names[0].strip():
            return refused("The page is reached through the sign-in in front of it only.")
        name = names[0].strip()
        with suppress(UnicodeError):  # headers are read as Latin-1, and proxies write UTF-8
            name = name.encode("latin-1").decode("utf-8")
        return self._people.by_name("".join(letter for letter in name if letter.isprintable())[:200])

    def _by_cookie(self, scope: Scope, headers: Headers) -> Response | Person:
        keys = parse_qs(scope["query_string"].decode("ascii", "replace")).get("key")
        if keys and scope["path"] == "/":
            secret = self._people.let_in(keys[0]) if scope["method"] == "GET" and len(keys) == 1 else None
            if secret is None:
                return refused("This address was used already, or is too old: `bulkhooks serve` prints a new one.")
            entered = RedirectResponse("/", 303)
            known = self._person(headers)
            if known is None:
                entered.set_cookie(self._door.cookie, secret, path="/", httponly=True, samesite="strict")
            return entered
        return self._person(headers) or refused(
            "You are not let in: open the address that `bulkhooks serve` printed, or run it again for a new one."
        )

    def _person(self, headers: Headers) -> Person | None:
        found = cookie_parser(headers.get("cookie", "")).get(self._door.cookie)
        return self._people.by_cookie(found) if found is not None else None


def refused(sentence: str, status: int = 403) -> Response:
    """A page that says why there is nothing to see."""
    return HTMLResponse(
        "<!doctype html><html lang=en><meta charset=utf-8><title>bulkhooks</title>"
        f"<main><h1>bulkhooks</h1><p>{escape(sentence)}</p></main></html>",
        status,
    )


def _too_large(path: str) -> Response:
    if path == "/sheets":
        return refused(too_large(), 413)
    return refused("This is more than a form of the page sends.", 413)


def too_large() -> str:
    """What to say of a file that is too large."""
    return (
        f"The file has more than {MOST_UPLOADED // 1_000_000} MB, too much for the page: split it, or use the command"
        " line, which takes any size (`bulkhooks run FILE`)."
    )


def _client(scope: Scope) -> str:
    """The address of who asks; one of IPv4 on a socket of IPv6 as what it is."""
    try:
        address = ip_address((scope.get("client") or ("",))[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def _length(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _counted(receive: Receive, most: int) -> Receive:
    came = 0

    async def counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise TooLarge
        return message

    return counted
