"""Which hosts and origins are this machine's own: the sandbox answers no other, and delivers to no other.

A page in a browser reaches a local server through a name that its owner points at 127.0.0.1, or with a form that it
sends across origins. The headers ``Host`` and ``Origin`` tell these from the sandbox's own user.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address (without port and brackets) is this machine: ``localhost`` or loopback."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_own_host(header: str) -> bool:
    """Whether a ``Host`` header names this machine. A request without one (HTTP/1.0) comes from no browser."""
    if not header:
        return True
    try:
        return is_loopback(urlsplit(f"http://{header}").hostname or "")
    except ValueError:
        return False


def is_own_origin(origin: str, host: str) -> bool:
    """Whether an ``Origin`` header is the server that ``Host`` names, or absent, as from any program but a browser."""
    return not origin or origin.lower() == f"http://{host}".lower()
