"""``bulkhooks serve``: where it listens, and whether it serves there already. It loads little until it does."""

from __future__ import annotations

import errno
import http.client
import ipaddress
import json
import os
import socket
import sys
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from bulkhooks.config.job import Job
from bulkhooks.config.places import journal_place
from bulkhooks.errors import UsageError
from bulkhooks.provision.journal.opening import shown
from bulkhooks.redact import shown_url
from bulkhooks.report import REHEARSAL

FRESH = "/fresh"
"""Where another ``bulkhooks serve`` of the same user asks for an address."""

Say = Callable[[str], None]


def serve(job: Job, options: Mapping[str, Any], *, say: Say, remark: Say) -> None:
    """Serve the page until SIGINT or SIGTERM. ``say`` gets the address once it answers, ``remark`` what goes on.

    Where the same user serves at this port already, ``say`` gets a fresh address of that one. Raises ``UsageError``
    where the options do not go together or the port is taken by something else.
    """
    check_proxy(options)
    bind, port = str(options["bind"]), int(options["port"])
    state = _state_folder()
    listening = _listen(bind, port)
    if listening is None:
        other = _of_the_other(state, port)
        if other is None:
            raise UsageError(f"port {port} is taken by another program; end that, or choose another with --port")
        address, theirs = other
        if theirs != (ours := where(job)):
            remark(
                f"bulkhooks: warning: what serves there already is of {theirs}, and not of {ours}; end it first, or"
                " choose another --port"
            )
        _announce(address, options, say)
        return
    from bulkhooks.web.server import serve_on

    with listening:
        serve_on(
            listening, job, options, state, announce=lambda address: _announce(address, options, say), remark=remark
        )


def check_proxy(options: Mapping[str, Any]) -> None:
    """Raise ``UsageError`` where the options of a sign-in in front of the page do not go together."""
    if not options["behind_proxy"]:
        for name in ("public_url", "proxy_address"):
            if options[name]:
                raise UsageError(f"--{name.replace('_', '-')} is for a page behind a sign-in: give --behind-proxy too")
        if options["bind"] != "127.0.0.1":
            raise UsageError(
                f"--bind {options['bind']}: without --behind-proxy the page listens on loopback only; leave --bind out"
            )
        return
    url = urlsplit(str(options["public_url"] or ""))
    try:
        is_address = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        is_address = False
    if not is_address or url.path not in {"", "/"} or url.query or url.fragment or "@" in url.netloc:
        given = f"--public-url {options['public_url']!r}" if options["public_url"] else "--behind-proxy"
        raise UsageError(
            f"{given}: say with --public-url where people find the page, such as https://hooks.example.com"
        )
    try:
        ipaddress.ip_address(str(options["proxy_address"] or ""))
    except ValueError:
        given = f"--proxy-address {options['proxy_address']!r}" if options["proxy_address"] else "--behind-proxy"
        raise UsageError(f"{given}: say with --proxy-address from which IP address the proxy asks") from None
    header = str(options["user_header"])
    if not header or not all(letter.isalnum() or letter in "-_" for letter in header) or not header.isascii():
        raise UsageError(f"--user-header {header!r} is no name of a header, such as X-Forwarded-User")


def _state_folder() -> Path:
    return platformdirs.user_state_path("bulkhooks") / "page"


def _listen(bind: str, port: int) -> socket.socket | None:
    """A socket that listens there; None where the port is taken. Raises ``UsageError`` where it cannot be."""
    try:
        address = ipaddress.ip_address(bind)
    except ValueError:
        raise UsageError(f"--bind {bind!r} is no IP address") from None
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((bind, port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        if isinstance(error, OSError) and error.errno in {errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", -1)}:
            return None
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"the page cannot listen on {bind} port {port}: {reason}; choose another with --port"
        ) from None
    return listening


def where(job: Job) -> str:
    """Where a page sends to, as a person is told: a rehearsal, or the server and the journal."""
    return REHEARSAL if job.sandbox else f"{shown_url(job.base_url)} with the journal {shown(journal_place(job))}"


def _of_the_other(state: Path, port: int) -> tuple[str, str] | None:
    """A fresh address of the same user's server at this port, and where its page sends to; None where there is none."""
    try:
        note = json.loads((state / str(port) / "serve.json").read_text(encoding="utf-8"))
        connection = http.client.HTTPConnection(str(note["bind"]), port, timeout=10)
        try:
            headers = {"Host": str(note["host"]), "Authorization": f"Bearer {note['secret']}"}
            connection.request("POST", FRESH, headers=headers)
            answer = connection.getresponse()
            found = json.loads(answer.read(100_000))
        finally:
            connection.close()
        return (str(found["address"]), str(note["where"])) if answer.status == 200 else None
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return None


def _announce(address: str, options: Mapping[str, Any], say: Say) -> None:
    say(address)
    if not options["no_open"] and not options["behind_proxy"] and _has_screen():
        with suppress(webbrowser.Error):
            webbrowser.open(address)


def _has_screen() -> bool:
    """Whether a browser has a window, and would not take over the terminal."""
    return sys.platform in {"win32", "darwin"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
