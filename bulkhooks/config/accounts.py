"""Accounts of a job file or of ``--accounts FILE``: where their credentials are, never the credentials themselves."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bulkhooks.config.option import checked_rate, did_you_mean
from bulkhooks.errors import UsageError

VARIABLE = "[A-Za-z_][A-Za-z0-9_]{0,63}"
"""Names of variables, as a regular expression."""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One account: names of environment variables, its server, and its limits on writes (such as ``60/min``)."""

    token_env: str | None = None
    username_env: str | None = None
    password_env: str | None = None
    base_url: str | None = None
    rate: tuple[str, ...] = ()


def read_accounts(path: Path) -> dict[str, AccountSettings]:
    """The ``[accounts.*]`` tables of a TOML file. Raises ``UsageError``."""
    return accounts_from(read_toml(path).get("accounts", {}), str(path))


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file; ``UsageError`` names it where it cannot be read, and the line where it is none."""
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{path}: cannot be read: {reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: this is not TOML: {error}") from error


def accounts_from(tables: object, where: str) -> dict[str, AccountSettings]:
    """Accounts from their TOML tables. Raises ``UsageError`` naming table and key; of an unknown
    key also the nearest."""
    if not isinstance(tables, dict):
        raise UsageError(f"{where}: accounts stand in tables of their own, for example [accounts.acme]")
    return {name: _account(name, table, where) for name, table in tables.items()}


def _account(name: str, table: object, where: str) -> AccountSettings:
    place = f"{where}: [accounts.{name}]"
    if not isinstance(table, dict):
        raise UsageError(f"{place} is not a table")
    known = {known.name for known in fields(AccountSettings)}
    for key, value in table.items():
        if key not in known:
            raise UsageError(f"{place} has no key {key!r}{did_you_mean(key, known)}")
        texts = value if key == "rate" and isinstance(value, list) else [value]
        for text in texts:
            if not isinstance(text, str):
                raise UsageError(f"{place} {key}: {value!r} is not text; put it in quotation marks")
            if key == "rate":
                checked_rate(text, f"{place} {key}")
            elif key.endswith("_env"):
                check_variable(text, f"{place} {key}")
    for key, other in (("username_env", "password_env"), ("password_env", "username_env")):
        if key in table and other not in table and "token_env" not in table:
            raise UsageError(f"{place} has {key}, but no {other}: signing in takes both")
    rate = table.get("rate", ())
    return AccountSettings(**{**table, "rate": (rate,) if isinstance(rate, str) else tuple(rate)})


def check_variable(name: str, place: str) -> None:
    """Raise ``UsageError`` where this is no name of a variable. It is not shown: it may well be the secret itself."""
    if not re.fullmatch(VARIABLE, name):
        raise UsageError(
            f"{place}: this is not the name of a variable; put the secret into a variable and write its name here"
        )
