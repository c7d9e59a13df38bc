"""Who may do what: tokens, Basic authentication and roles (bulkhooks/docs/nexudus.md)."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from bulkhooks.sandbox.limits import SECOND
from bulkhooks.sandbox.store import USER

PASSWORD = "sandbox"  # noqa: S105 (published: the sandbox guards nothing)
FIXED_TOKEN = "sandbox-token"  # noqa: S105 (likewise)
REFRESH_LIFETIME = 15 * 86400 * SECOND


class Refused(Exception):
    """A sign-in that is answered 400: ``error`` as OAuth 2 names it, the message its description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class Tokens:
    """The tokens given out. The fixed one never expires; the others live for ``lifetime`` seconds."""

    def __init__(self, lifetime: float, clock: Callable[[], int]) -> None:
        self._lifetime = lifetime
        self._clock = clock
        self._expiry: dict[str, int] = {}
        self._refresh: dict[str, tuple[str, int]] = {}

    def accepts(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header is somebody's: a living bearer token, or the user's name and password."""
        scheme, _, credentials = authorization.strip().partition(" ")
        credentials = credentials.strip()
        match scheme.lower():
            case "bearer":
                return credentials == FIXED_TOKEN or self._expiry.get(credentials, 0) > self._clock()
            case "basic":
                return _is_user(*_basic(credentials))
            case _:
                return False

    def sign_in(self, content_type: str, body: bytes, client_id: str) -> dict[str, object]:
        """The answer to ``POST /api/token``; ``Refused`` where it is none to give a token to."""
        form: Mapping[str, list[str]] = {}
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        fields = {name: values[-1] for name, values in form.items()}
        match fields.get("grant_type"):
            case "password":
                if not _is_user(fields.get("username", ""), fields.get("password", "")):
                    raise Refused("invalid_grant", "The user name or password is incorrect.")
                return self._give(client_id or USER)
            case "refresh_token":
                client, expires = self._refresh.get(fields.get("refresh_token", ""), ("", 0))
                if not client or client != client_id or expires <= self._clock():
                    raise Refused(
                        "invalid_grant", "The refresh token is not valid for this client_id, or not any more."
                    )
                self._refresh = {token: of for token, of in self._refresh.items() if of[0] != client}
                return self._give(client)
            case _:
                raise Refused("unsupported_grant_type", "Send grant_type password or refresh_token, form-encoded.")

    def _give(self, client: str) -> dict[str, object]:
        now = self._clock()
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._expiry = {token: end for token, end in self._expiry.items() if end > now}
        self._expiry[access] = now + round(self._lifetime * SECOND)
        self._refresh[refresh] = (client, now + REFRESH_LIFETIME)
        return {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": int(self._lifetime),
            "refresh_token": refresh,
        }


def _basic(credentials: str) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return name, password


def _is_user(name: str, password: str) -> bool:
    return name.casefold() == USER and password == PASSWORD
