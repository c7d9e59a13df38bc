"""Credentials: read from the environment, held so that nothing shows them.

==========================================  =====================================================================
``NEXUDUS_TOKEN``                           a bearer token, sent as it is
``NEXUDUS_TOKEN_COMMAND``                   a command that prints one; run again when the token has expired
``NEXUDUS_USERNAME``, ``NEXUDUS_PASSWORD``  sign in for a token (with ``NEXUDUS_TOTP`` or ``NEXUDUS_TOTP_SECRET`` where
                                            two-factor is on), or Basic
==========================================  =====================================================================

The first that is set counts; an empty variable is one that is not set. For each, ``…_FILE`` may name a file that holds
the value. An account of a job file names variables of its own, and those alone count for it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, quote_plus

import pyotp
from pydantic import SecretStr

from bulkhooks.errors import CredentialsError
from bulkhooks.redact import hide

LARGEST_SECRET = 65_536
"""Bytes: a file longer than this holds something else."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """As whom requests are sent. ``variables`` says in words where it comes from; ``user`` is '' for a token alone."""

    variables: str
    user: str = field(default="", repr=False)
    token: SecretStr | None = field(default=None, repr=False)
    command: SecretStr | None = field(default=None, repr=False)
    username: SecretStr | None = field(default=None, repr=False)
    password: SecretStr | None = field(default=None, repr=False)
    totp: SecretStr | None = field(default=None, repr=False)
    totp_secret: SecretStr | None = field(default=None, repr=False)
    is_basic: bool = False

    @property
    def has_to_sign_in(self) -> bool:
        """Whether a token has to be asked for, and may be asked for again when it has expired."""
        return self.token is None and not self.is_basic

    @property
    def header(self) -> SecretStr | None:
        """What the Authorization header always is; None where that takes a sign-in."""
        if self.token is not None:
            return SecretStr(f"Bearer {self.token.get_secret_value()}")
        if self.is_basic and self.username is not None and self.password is not None:
            pair = f"{self.username.get_secret_value()}:{self.password.get_secret_value()}"
            return SecretStr(f"Basic {base64.b64encode(pair.encode()).decode()}")
        return None

    def code(self) -> SecretStr | None:
        """The second factor at this moment; None where none is set."""
        if self.totp_secret is not None:
            return SecretStr(_SecondFactor(self.totp_secret.get_secret_value()).now())
        return self.totp

    def redacted(self, text: str) -> str:
        """Text from outside without these credentials, should they be in it."""
        return redacted(text, self.token, self.password, self.username, self.totp, self.totp_secret)

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled or copied")


def authorization_from(
    environment: Mapping[str, str],
    *,
    account: str,
    token_env: str | None,
    username_env: str | None,
    password_env: str | None,
    basic: bool,
) -> Authorization:
    """The credentials of an account; ``basic`` sends user name and password with every request.

    Raises ``CredentialsError`` with a sentence that names the variable where one is missing, half given, or cannot be
    what it should be.
    """
    variables = _Variables(environment, account)
    # Tracebacks with local variables must not show the environment, which holds the secrets.
    del environment
    if token_env or username_env or password_env:
        return _own(variables, token_env, username_env, password_env, basic=basic)
    if not basic:
        if token := variables.token("NEXUDUS_TOKEN"):
            return Authorization("NEXUDUS_TOKEN", variables.user("NEXUDUS_USERNAME"), token)
        if command := variables.secret("NEXUDUS_TOKEN_COMMAND"):
            return Authorization("NEXUDUS_TOKEN_COMMAND", variables.user("NEXUDUS_USERNAME"), command=command)
    known = _pair(variables, "NEXUDUS_USERNAME", "NEXUDUS_PASSWORD", basic=basic)
    if known is not None:
        return known
    if basic:
        raise variables.error(
            "--auth basic takes NEXUDUS_USERNAME and NEXUDUS_PASSWORD, which are not set (NEXUDUS_TOKEN is for bearer)"
        )
    raise variables.error("no credentials: set NEXUDUS_TOKEN, or NEXUDUS_USERNAME and NEXUDUS_PASSWORD")


def _own(
    variables: _Variables, token_env: str | None, username_env: str | None, password_env: str | None, *, basic: bool
) -> Authorization:
    """What the variables hold that the account's settings name."""
    if token_env and not basic and (token := variables.token(token_env)):
        return Authorization(token_env, variables.user(username_env) if username_env else "", token)
    if username_env and password_env:
        known = _pair(variables, username_env, password_env, basic=basic)
        if known is not None:
            return known
        wanted = f"{username_env} and {password_env}"
    elif username_env or password_env:
        lacking = "password_env" if username_env else "username_env"
        raise variables.error(f"{username_env or password_env} is not enough: its settings lack {lacking}")
    elif basic:
        raise variables.error(f"--auth basic takes username_env and password_env in its settings, not {token_env}")
    else:
        wanted = ""
    names = " or ".join(filter(None, (None if basic else token_env, wanted)))
    raise variables.error(f"no credentials: its settings name {names}, which is not set")


def _pair(variables: _Variables, username_env: str, password_env: str, *, basic: bool) -> Authorization | None:
    """User name and password, or None where neither is given."""
    username = variables.secret(username_env)
    password = variables.secret(password_env)
    if username is None and password is None:
        return None
    if username is None:
        raise variables.error(f"{username_env} is not set, but {password_env} is: set both")
    if password is None:
        raise variables.error(f"{password_env} is not set, but {username_env} is: set both")
    if not username.get_secret_value().isprintable():
        raise variables.error(f"{username_env} holds a line break or another character that no user name has")
    if basic and ":" in username.get_secret_value():
        raise variables.error(f"{username_env} holds a colon, which --auth basic cannot send")
    totp = totp_secret = None
    if username_env == "NEXUDUS_USERNAME" and not basic:
        totp_secret = variables.totp_secret("NEXUDUS_TOTP_SECRET")
        totp = variables.secret("NEXUDUS_TOTP")
    return Authorization(
        f"{username_env} and {password_env}",
        variables.user(username_env),
        username=username,
        password=password,
        totp=totp,
        totp_secret=totp_secret,
        is_basic=basic,
    )


class _SecondFactor(pyotp.TOTP):
    """Keys of any length: how long they are is the server's choice, and many give 80 bits."""

    min_secret_length_bits = 8


class _Variables:
    """The environment, as one account sees it."""

    def __init__(self, environment: Mapping[str, str], account: str) -> None:
        self._environment = environment
        self._account = account

    def error(self, sentence: str) -> CredentialsError:
        return CredentialsError(sentence if self._account == "default" else f"account {self._account!r}: {sentence}")

    def text(self, name: str) -> str:
        """The variable's value or that of the file it names, without white space around it; '' where neither is set."""
        return self._environment.get(name, "").strip() or self._from_file(f"{name}_FILE")

    def secret(self, name: str) -> SecretStr | None:
        return SecretStr(text) if (text := self.text(name)) else None

    def user(self, name: str) -> str:
        """The user of that name in one form, however it is written; '' where none is set."""
        return self.text(name).lower()

    def token(self, name: str) -> SecretStr | None:
        """A token, with or without the word Bearer before it."""
        token = self.secret(name)
        if token is None:
            return None
        bare = bare_token(token)
        if bare is None:
            raise self.error(f"{name} holds no token: there is white space or a character in it that no token has")
        return bare

    def totp_secret(self, name: str) -> SecretStr | None:
        """The key of a second factor, with or without the spaces in which it is shown."""
        key = self.secret(name)
        if key is None:
            return None
        key = SecretStr(re.sub(r"[\s-]", "", key.get_secret_value()).upper())
        if not re.fullmatch("[A-Z2-7]+=*", key.get_secret_value()):
            raise self.error(
                f"{name} is no base32 key: give the key shown beside the QR code when two-factor is set up"
            )
        return key

    def _from_file(self, name: str) -> str:
        path = self._environment.get(name, "").strip()
        if not path:
            return ""
        try:
            with Path(path).expanduser().open("rb") as file:
                content = SecretStr(file.read(LARGEST_SECRET + 1).decode("utf-8-sig").strip())
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise self.error(f"{name} names {path}, which cannot be read: {reason}") from None
        except ValueError:
            raise self.error(f"{name} names {path}, which is not UTF-8 text") from None
        if not content:
            raise self.error(f"{name} names {path}, which is empty")
        if len(content) > LARGEST_SECRET:
            raise self.error(f"{name} names {path}, which is too long to be a secret")
        return content.get_secret_value()


def bare_token(text: SecretStr) -> SecretStr | None:
    """A token as people paste it or a command prints it; None where it cannot be sent in a header."""
    bare = SecretStr(re.sub(r"(?i)^bearer\s+", "", text.get_secret_value().strip()))
    return bare if re.fullmatch(r"[\x21-\x7e]+", bare.get_secret_value()) else None


def redacted(text: str, *secrets: SecretStr | None) -> str:
    """Text without the secrets that are in it, as they are or as a form or URL has them."""
    for secret in secrets:
        if secret is not None:
            value = secret.get_secret_value()
            text = hide(text, value, quote(value), quote_plus(value))
    return text
