"""Takes secrets out of text: the one place that decides which part of a URL may be shown.

Of a URL, scheme, host, port and path are shown. User name and password are not, nor is anything behind the path: query
and fragment carry keys. Every function here takes a time that grows with the length of its input and no faster, for
the input may be an answer that a stranger has written.
"""

from __future__ import annotations

import re

SHORTEST_HIDDEN = 4
"""Characters: a value shorter than this is found in any sentence, so hiding it would spoil them all."""

_URL = re.compile(r"://\S+")
_AUTHORITY_ENDS = re.compile(r"[/?#\\]")
_PATH_ENDS = re.compile(r"[?#]")
_HOST_AND_PORT = re.compile(r"(?:\[[^\]]*\]|[^:]*)(?::[0-9]*)?")
_CLOSING = "\"'`)>]},.;:!"
"""What a sentence puts behind a URL."""


def without_secrets(text: str) -> str:
    """``text`` with every URL in it cut down to what may be shown. A URL ends at white space."""
    return _URL.sub(_cut_in_sentence, text)


def shown_url(url: str) -> str:
    """One URL, which may lack the scheme, cut down to what may be shown; on one line, without control characters."""
    url = "".join(character if character.isprintable() else "\ufffd" for character in url)
    scheme, mark, rest = url.partition("://")
    if mark and not _PATH_ENDS.search(scheme):
        return scheme + mark + _cut(rest)
    if url.startswith("//"):
        return "//" + _cut(url[2:])
    return _PATH_ENDS.split(url, maxsplit=1)[0]


def hide(text: str, *secrets: str) -> str:
    """``text`` with ``***`` in the place of each secret."""
    for secret in secrets:
        if len(secret) >= SHORTEST_HIDDEN:
            text = text.replace(secret, "***")
    return text


def _cut_in_sentence(match: re.Match[str]) -> str:
    rest = match[0].removeprefix("://")
    url = rest.rstrip(_CLOSING)
    return "://" + _cut(url) + rest[len(url) :]


def _cut(rest: str) -> str:
    """What may be shown of a URL behind ``://``. Several may stand in a row (``https://a/,https://b/``)."""
    shown = []
    for piece in rest.split("://"):
        end = _AUTHORITY_ENDS.search(piece)
        at = end.start() if end else len(piece)
        # A password may hold an @ itself: the host stands behind the last one.
        host = piece[:at].rpartition("@")[2]
        path = _PATH_ENDS.split(piece[at:], maxsplit=1)[0]
        if "@" in piece[at:] and not _HOST_AND_PORT.fullmatch(host):
            # ``user:pass/word@host``: what looks like a host with a port is a user name and half a password.
            shown.append("…")
            break
        shown.append(host + path)
        if len(path) < len(piece) - at:
            break
    return "://".join(shown)
