"""Addresses: which are fit to send credentials to."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from bulkhooks.errors import UsageError
from bulkhooks.redact import shown_url
from bulkhooks.webhook import url_key

_PORTS = {"http": 80, "https": 443}


def check_base_url(url: str, *, allow_http: bool = False) -> str:
    """The base URL without a slash at its end, scheme and host in lower case.

    Raises ``UsageError`` where it is no https address (plain http is for loopback, or for ``allow_http``), or where it
    carries a user name, a query or a fragment.
    """
    text = url.strip()
    parts = _split(text)
    shown = shown_url(text)
    if parts is None or parts.scheme not in {"https", "http"} or not parts.hostname:
        raise UsageError(f"--base-url {shown!r} is not an address such as https://spaces.nexudus.com")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"--base-url {shown!r} must not hold a user name or password; set NEXUDUS_USERNAME instead")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise UsageError(f"--base-url {shown!r} must end before the query: write it without what follows ? or #")
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname):
        raise UsageError(
            f"--base-url {shown!r} would send the credentials unencrypted: use https, or --allow-http if you must"
        )
    return url_key(text.rstrip("/"))


def server_key(url: str) -> str:
    """What all spellings of one server's address have in common.

    Scheme and host in lower case, no default port, no dot or slash at the end, a name in ASCII, and one name for this
    machine.
    """
    parts = _split(url.strip().rstrip("/"))
    if parts is None or not parts.hostname:
        return url.strip()
    host = "localhost" if is_loopback(parts.hostname) else _ascii(parts.hostname.rstrip("."))
    if ":" in host:
        host = f"[{host}]"
    port = f":{parts.port}" if parts.port not in {None, _PORTS.get(parts.scheme)} else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def account_key(base_url: str, user: str) -> str:
    """An account as the journal knows it: server and user, never a secret."""
    return f"{server_key(base_url)}|{user}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _ascii(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    if any(character.isspace() or not character.isprintable() for character in url):
        return None
    return parts
