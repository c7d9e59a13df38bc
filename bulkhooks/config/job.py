"""What a command is told: ``Job``, every option as one value."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from bulkhooks.config.options import BY_NAME, checked_rate, did_you_mean
from bulkhooks.errors import UsageError

VARIABLE = "[A-Za-z_][A-Za-z0-9_]{0,63}"
"""Names of variables, as a regular expression."""

Several = str | Path | Sequence[str | Path]
"""One of them, or several."""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One account of a job file or of ``--accounts FILE``: names of variables, never secrets."""

    token_env: str | None = None
    username_env: str | None = None
    password_env: str | None = None
    base_url: str | None = None
    rate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notify:
    """Whom to tell when a run is over. ``url_env`` and ``ping_env`` name variables that hold addresses."""

    url_env: str | None = None
    on: str = "failure"
    ping_env: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a command needs to know. The fields are the long options of INTERFACE.md, section 1, with underscores.

    Relative paths are as the caller's working directory has them; ``input`` may hold ``-`` for CSV on stdin. Options
    that may be repeated take one value or several. ``accounts`` is a TOML file or its content; ``base_url`` is that of
    ``NEXUDUS_BASE_URL`` where it is not given. What is None has its default. Raises ``UsageError`` for a value that is
    none of its option's.
    """

    input: Several = ()
    output: Several = ()
    name: str = ""
    write_back: bool = False
    sheet: Several = ()
    map: Several = ()
    locations: str | Path | None = None
    name_template: str = "{Location} - {Action}"
    if_exists: str = "skip"
    prune: bool = False
    max_deletes: int = 10
    strict: bool = False
    limit: int | None = None
    canary: int = 0
    confirm_above: int = 100
    yes: bool = False
    rate: Several = ("60/min", "5000/day")
    request_rate: Several = ("1/100ms", "120/min", "5000/h")
    concurrency: int = 8
    timeout: float = 30.0
    retries: int = 5
    give_up_after: float = 300.0
    settle: float = 30.0
    wait: bool = False
    max_runtime: float | None = None
    resend_unknown: bool = False
    wait_lock: float = 0.0
    journal: str | Path | None = None
    base_url: str = ""
    account: str = "default"
    accounts: str | Path | Mapping[str, AccountSettings] = field(default_factory=dict)
    auth: str = "bearer"
    allow_http: bool = False
    sandbox: bool = False
    live: bool = False
    probe: bool = False
    expect_no_changes: bool = False
    reactivate: bool = False
    since: str | None = None
    only: Several = ()
    run: str | None = None
    json: bool = False
    log_format: str = "text"
    log_file: str | Path | None = None
    verbose: int = 0
    quiet: bool = False
    metrics_file: str | Path | None = None
    no_progress: bool = False
    notify: Notify | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where the credentials are looked up; empty means this process's environment."""

    def __post_init__(self) -> None:
        for known in fields(self):
            value = getattr(self, known.name)
            if value is None and known.default not in {None, MISSING}:
                value = known.default
            if known.name in _SEVERAL:
                value = (str(value),) if isinstance(value, str | Path) else tuple(map(str, value))
            option = BY_NAME.get(known.name)
            if option is not None and value is not None and known.name != "accounts":
                value = option.value(str(value) if isinstance(value, Path) else value, known.name)
            object.__setattr__(self, known.name, value)
        if isinstance(self.accounts, str | Path):
            object.__setattr__(self, "accounts", read_accounts(Path(self.accounts)))
        environment = self.environment or os.environ
        object.__setattr__(self, "base_url", self.base_url or environment.get("NEXUDUS_BASE_URL") or BASE_URL)

    def several(self, name: str) -> tuple[str, ...]:
        """The values of an option that may be repeated."""
        return tuple(getattr(self, name))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The files to read."""
        return self.several("input")

    @property
    def outputs(self) -> tuple[str, ...]:
        """The files to write."""
        return self.several("output")

    def with_output(self, suffix: str) -> Job:
        """The job with a place for its results: beside the first input, where none is named. Raises ``UsageError``."""
        if self.outputs or not self.inputs:
            return self
        if "-" in self.inputs:
            raise UsageError("with an input from stdin (-), say with -o where the results go")
        first = Path(self.inputs[0])
        return replace(self, output=str(first.with_name(first.stem + suffix)))

    @property
    def known_accounts(self) -> Mapping[str, AccountSettings]:
        """The accounts that have settings of their own."""
        assert not isinstance(self.accounts, str | Path)  # noqa: S101
        return self.accounts


BASE_URL = "https://spaces.nexudus.com"
RESULTS, UNDO = ".results.xlsx", ".undo.xlsx"
"""What is put behind an input's stem where nobody says where its results go."""

_SEVERAL = ("input", "output", "sheet", "map", "rate", "request_rate", "only")


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
    """Accounts from their TOML tables. An unknown key is an error that names the nearest."""
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
