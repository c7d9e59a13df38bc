"""The token of a sign-in: when it is needed, and whether another one would help after a 401."""

from __future__ import annotations

import math

import anyio
from pydantic import SecretStr

from bulkhooks.errors import Unauthorized
from bulkhooks.nexudus.credentials import Authorization, redacted

REFRESH_LIFETIME = 15 * 86_400.0
"""Seconds for which a refresh token may be used (bulkhooks/docs/nexudus.md, Authentication)."""

QUIET = 60.0
"""Seconds in which no further 401 leads to a new token, after one has turned out to be a missing permission."""


MOST_RESENDS = 3
"""A request is sent again so often at most, even where others have renewed the token each time."""


class TokenRefused(Unauthorized):
    """401, with what is needed to tell an expired token from a missing permission: both are answered alike."""

    def __init__(self, message: str, *, token: int, method: str) -> None:
        super().__init__(message, 401)
        self.token = token
        self.method = method


class Tokens:
    """The token in use, and what is known of it. ``number`` counts the tokens, 0 is none so far."""

    def __init__(self, authorization: Authorization) -> None:
        self._authorization = authorization
        self._signs_in = authorization.has_to_sign_in
        self.header: SecretStr | None = authorization.header
        self.number = 0
        self._ends_at = -math.inf if self._signs_in else math.inf
        self._was_taken = False
        self._refresh: SecretStr | None = None
        self._refresh_ends_at = -math.inf
        self._quiet_until: dict[str, float] = {}

    @property
    def needed(self) -> bool:
        """Whether there is none, or it has expired, or will within moments."""
        return self._signs_in and anyio.current_time() >= self._ends_at

    @property
    def refresh(self) -> SecretStr | None:
        """The refresh token, while it can be good."""
        return self._refresh if anyio.current_time() < self._refresh_ends_at else None

    def forget_refresh(self) -> None:
        """It is not taken any more."""
        self._refresh = None

    def received(self, token: SecretStr, expires_in: float | None = None, refresh: SecretStr | None = None) -> None:
        """Use this token from now on. It ends in ``expires_in`` seconds, or, for None, nobody knows when."""
        now = anyio.current_time()
        self.header = SecretStr(f"Bearer {token.get_secret_value()}")
        self.number += 1
        self._was_taken = False
        lifetime = expires_in if expires_in is not None and expires_in > 0 else math.inf
        self._ends_at = now + lifetime - min(60.0, lifetime / 10)
        if refresh:
            self._refresh = refresh
            self._refresh_ends_at = now + REFRESH_LIFETIME

    def taken(self, number: int) -> None:
        """A request with that token was let in."""
        self._was_taken = self._was_taken or number == self.number

    def redacted(self, text: str) -> str:
        """Text from outside without tokens, and without what was given to get them."""
        header = self.header and SecretStr(self.header.get_secret_value().partition(" ")[2])
        return self._authorization.redacted(redacted(text, header, self._refresh))

    def should_resend(self, error: TokenRefused, *, resent: int) -> bool:
        """Whether to send again what was answered 401; where that takes a new token, ``needed`` says so from now on.

        Of many 401s to one token the first ends it, and the others wait for the same new one. No new one is asked for
        after a 401 to a token that no request has been let in with, or to a request that has been ``resent``: it is
        new, so the permission is missing. For a while that is then taken to be the reason for each 401 of the method.
        """
        if not self._signs_in or resent >= MOST_RESENDS:
            return False
        if error.token != self.number or self.needed:
            return True
        now = anyio.current_time()
        if resent or not self._was_taken:
            self._quiet_until[error.method] = now + QUIET
            return False
        if now < self._quiet_until.get(error.method, -math.inf):
            return False
        self._ends_at = now
        return True
