"""Which proxy a request goes through: the variables of the environment, or the settings of macOS and Windows.

======================================  ==============================================================================
``HTTPS_PROXY``, ``HTTP_PROXY``         the proxy for addresses of that scheme; a name in lower case comes first
``ALL_PROXY``                           the proxy where neither of them is set for the scheme
``NO_PROXY``                            what is reached directly: names (``example.com`` and ``.example.com`` are that
                                        host and all below it), addresses, networks (``10.0.0.0/8``, ``::1/128``), each
                                        with a port or without, separated by commas or spaces; ``*`` is everything
======================================  ==============================================================================

This machine itself (loopback) is never asked for through a proxy.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
import urllib.request
from dataclasses import dataclass, field

from bulkhooks.nexudus.address import is_loopback

_PORTS = {"http": 80, "https": 443}
_OF_THE_SYSTEM = "the system's settings"


@dataclass(frozen=True, slots=True)
class Proxy:
    """``variable`` says where ``url`` was found; the URL may hold a user name and a password."""

    variable: str
    url: str = field(repr=False)


def proxy_for(scheme: str, host: str, port: int | None) -> Proxy | None:
    """The proxy for an address; None where it is reached directly. ``port`` None is the scheme's own."""
    if is_loopback(host):
        return None
    proxy = _from_environment(scheme)
    if proxy is not None:
        return None if _is_exempt(host, port or _PORTS.get(scheme), _variable("no_proxy")[1]) else proxy
    return _from_system(scheme, host) if sys.platform in {"darwin", "win32"} else None


def _from_environment(scheme: str) -> Proxy | None:
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable, value = _variable(name)
        if value:
            return Proxy(variable, _with_scheme(value))
    return None


def _variable(name: str) -> tuple[str, str]:
    """The variable and its value. An empty one in lower case switches off the one in upper case."""
    variable = name if name in os.environ else name.upper()
    return variable, os.environ.get(variable, "").strip()


def _with_scheme(value: str) -> str:
    return value if "://" in value else f"http://{value}"


def _from_system(scheme: str, host: str) -> Proxy | None:
    found = urllib.request.getproxies().get(scheme, "")
    if not found or urllib.request.proxy_bypass(host):
        return None
    return Proxy(_OF_THE_SYSTEM, _with_scheme(found))


def _is_exempt(host: str, port: int | None, no_proxy: str) -> bool:
    name = host.rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        address = None
    return any(_matches(entry, name, address, port) for entry in re.split(r"[\s,]+", no_proxy.lower()) if entry)


def _matches(
    entry: str, name: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, port: int | None
) -> bool:
    """Whether an entry of NO_PROXY means this host and port."""
    if entry == "*":
        return True
    entry = entry.partition("://")[2] or entry
    network = _network(entry)
    if network is None:
        entry, its_port = _split_port(entry)
        if its_port is not None and its_port != port:
            return False
        network = _network(entry)
    if network is not None:
        return address is not None and address.version == network.version and address in network
    suffix = entry.lstrip("*").strip(".")
    return bool(suffix) and address is None and (name == suffix or name.endswith("." + suffix))


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None


def _split_port(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.rpartition(":")
    return (host, int(port)) if colon and port.isdecimal() and port.isascii() else (entry, None)
