"""Endpoints: cleaning and checking a URL, and showing it without what may be secret."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

from bulkhooks.redact import shown_url
from bulkhooks.sheets.strings import shown


class UrlCheck(NamedTuple):
    """The check of a URL. ``sentence`` says, after the URL itself, why it is none ('' where it is one).

    ``odd`` says likewise what in it looks as if it were not meant.
    """

    sentence: str
    is_insecure: bool = False
    is_private: bool = False
    odd: str = ""


NOTHING = UrlCheck("")

_INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_AROUND = "".join(re.findall(rf"[\s{_INVISIBLE}]", "".join(map(chr, range(0x10000))))) + '"“”„‟‘’‚‛«»‹›`´'
_PAIRED = {"'": "'", "<": ">"}


def clean(url: str) -> str:
    """``url`` without what word processors put around it: quotes of every kind, invisible characters, ``<…>``."""
    if url[:1].isalnum() and (url[-1].isalnum() or url[-1] in "/}"):
        return url
    url = url.strip(_AROUND)
    while len(url) > 1 and _PAIRED.get(url[0]) == url[-1]:
        url = url[1:-1].strip(_AROUND)
    return url


def check(url: str) -> UrlCheck:
    """Whether events can be delivered there: http or https, a host, nothing that does not belong into a URL."""
    if url.count("://") > 1 and _SECOND.search(url):
        return UrlCheck(_TWO)
    parts = _URL.fullmatch(url)
    if parts is None or not url.isprintable():
        return UrlCheck(_why(url))
    scheme, authority = parts.groups()
    fault, is_private = _host(authority)
    if fault:
        return UrlCheck(fault)
    verdict = _VERDICTS[len(scheme) == 4, is_private]
    return verdict._replace(odd=_odd(url)) if _MAYBE_ODD.search(url) else verdict


_URL = re.compile(r"(https?)://([^\s/?#\\]+)(?:[/?#][^ ]*)?", re.IGNORECASE)
_VERDICTS = {
    (insecure, private): UrlCheck("", insecure, private) for insecure in (False, True) for private in (False, True)
}


_SECOND = re.compile(r".[\s,;|，；｜]https?://", re.IGNORECASE | re.DOTALL)
"""A second address behind a separator. One that is part of the first stands behind ``=`` or ``/``."""
_TWO = (
    "holds more than one address, and a webhook has one. Use a row for each, or write a comma or semicolon that belongs"
    " to the address as %2C or %3B"
)

_LAST = re.compile(r"[,;.:!?)\]>}'…。，；、）]\Z")
_OPENING = {")": "(", "]": "["}
_BRACES = re.compile(r"\{[^{}]*\}|[{}]")
_ANGLES = re.compile(r"<[^<>]*>|[<>]")
_HTML = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
_PERCENT = re.compile(r"%(?![0-9a-f]{2}).{0,2}", re.IGNORECASE)
_MAYBE_ODD = re.compile(rf"[{{}}<>&%]|{_LAST.pattern}")
"""Most URLs have none of these, and are looked at no closer."""
_KINDS = {
    _BRACES: "with its braces. To have a column filled in, write its name in single braces",
    _ANGLES: "with its angle brackets. To have a column filled in, write its name in braces: {BusinessId}",
    _HTML: "as it stands: that is how HTML writes another character. Write the character itself, & for &amp;",
    _PERCENT: "as it stands. Behind a percent sign there are two hexadecimal digits; write %25 for the sign itself",
}


def _odd(url: str) -> str:
    """What in a URL would be sent as it stands and was hardly meant so; ``""`` where nothing is."""
    said = [f"{shown(found[0])} would be sent {words}" for kind, words in _KINDS.items() if (found := kind.search(url))]
    last = url[-1]
    opening = _OPENING.get(last)
    if _LAST.search(url) and last not in "}>" and not (opening and url.count(opening) >= url.count(last)):
        said.append(f"its last character {shown(last)} would be sent as part of it. Remove it if it is not")
    return f"looks odd: {'; '.join(said)}" if said else ""


@lru_cache(maxsize=4096)
def _host(authority: str) -> tuple[str, bool]:
    """What is wrong with ``user:password@host:port`` ('' if nothing), and whether the host is private."""
    address = authority.rpartition("@")[2]
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        if not address or address.startswith(":"):
            return "has no host. Write https://, the host, and the path", False
        return "has a host that is none. Look at what stands between // and the next /", False
    host, port = parts.groups()
    if port is not None and not (port and len(port) < 6 and 0 < int(port) < 65_536):
        return f"has the port {shown(port)}. Ports are numbers from 1 to 65535", False
    return _ip_address(host[1:-1].partition("%")[0]) if host.startswith("[") else _named(host)


def _named(host: str) -> tuple[str, bool]:
    name = host.rstrip(".").lower()
    last = name.rpartition(".")[2]
    if last.isdecimal() or re.fullmatch(r"0x[0-9a-f]*", last):
        return _ip_address(name)
    if len(host) > 253 or not all(map(_LABEL.fullmatch, name.split("."))):
        return f"has the host {shown(host)}, which is no host name. Look at its letters and dots", False
    return "", last in _PRIVATE_NAMES


_ADDRESS = re.compile(r"(\[[^\[\]]*\]|[^:\[\]@]+)(?::([0-9]*))?")
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_PRIVATE_NAMES = frozenset({"localhost", "local", "localdomain", "internal"})
"""Names, and ends of names, that stand for this machine or its own network (RFC 6761, RFC 6762, ICANN on .internal)."""
_PRIVATE_NETWORKS = [
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "0.0.0.0/8", "fc00::/7", "::/128")
]


def _ip_address(text: str) -> tuple[str, bool]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"has the address {shown(text)}, which is no IP address. Write it as 203.0.113.7 or [2001:db8::7]", False
    inner = getattr(address, "ipv4_mapped", None) or address
    return "", (
        inner.is_loopback
        or inner.is_link_local
        or any(inner in network for network in _PRIVATE_NETWORKS if network.version == inner.version)
    )


def _why(url: str) -> str:
    """Why a text is no URL, and what to write."""
    if " " in url or not url.isprintable():
        return f"has {_unfit(url)} inside. Remove it, or write it percent-encoded (%20 for a space)"
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() in {"http", "https"}:
        return f"has no host. Write {scheme[1].lower()}://, the host, and the path"
    if scheme and ("//" in url or "." not in scheme[1]):
        return f"begins with {shown(scheme[0])}, where only https:// (or http://) is delivered to"
    rest = _HALF_A_SCHEME.sub("", url)
    if _LIKE_A_HOST.match(rest) and not check(f"https://{rest}").sentence:
        return f"has no scheme. Did you mean {shown_url('https://' + rest)}?"
    return "is no URL. Write one that begins with https://, such as https://hooks.example.com/in"


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?!\d)")
_HALF_A_SCHEME = re.compile(r"^(?:https?)?[:/\\]+", re.IGNORECASE)
_LIKE_A_HOST = re.compile(r"[^/?#]*\.\w|localhost\b")


def _unfit(url: str) -> str:
    first = next(character for character in url if character == " " or not character.isprintable())
    if first in " \u00a0":
        return "a space"
    if first in "\r\n\u2028\u2029":
        return "a line break"
    if first == "\t":
        return "a tab"
    return f"an invisible character (U+{ord(first):04X})"
