"""Who is at the page: people by their cookies, or as the proxy in front names them. One-time keys let them in."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

_KEY_HOLDS = 600.0
"""Seconds for which a one-time key is good."""
_MOST = 1000
"""Keys and people that are remembered; the oldest go first."""


@dataclass(slots=True)
class Person:
    """Somebody at the page. ``name`` is empty for the user of this computer; ``token`` was typed in, '' without one."""

    id: str
    name: str = ""
    token: str = field(default="", repr=False)


class People:
    """Everybody who was let in, for as long as the server runs. For any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._keys: dict[str, float] = {}
        self._people: dict[str, Person] = {}

    def new_key(self) -> str:
        """A key that lets somebody in once."""
        key = secrets.token_urlsafe(32)
        with self._guard:
            self._keys[_digest(key)] = time.monotonic() + _KEY_HOLDS
            _forget_oldest(self._keys)
        return key

    def let_in(self, key: str) -> str | None:
        """Take a key; the secret of a new person for their cookie, None where the key is used, old or none."""
        with self._guard:
            until = self._keys.pop(_digest(key), None)
            if until is None or time.monotonic() > until:
                return None
            secret = secrets.token_urlsafe(32)
            self._people[_digest(secret)] = Person(secrets.token_hex(8))
            _forget_oldest(self._people)
            return secret

    def by_cookie(self, secret: str) -> Person | None:
        """The person with that cookie."""
        with self._guard:
            return self._people.get(_digest(secret))

    def by_name(self, name: str) -> Person:
        """The person whom the proxy calls so."""
        with self._guard:
            person = self._people.setdefault(
                f"name {name}", Person(hashlib.sha256(name.encode()).hexdigest()[:16], name)
            )
            _forget_oldest(self._people)
            return person


def _digest(secret: str) -> str:
    # Looked up by a digest, so that how long that takes tells nothing of the secret.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _forget_oldest(known: dict[str, Any]) -> None:
    while len(known) > _MOST:
        del known[next(iter(known))]
