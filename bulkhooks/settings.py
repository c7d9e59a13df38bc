"""What a command is told: ``Job``, every option as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One account of a job file or of ``--accounts FILE``: names of variables, never secrets."""

    token_env: str | None = None
    username_env: str | None = None
    password_env: str | None = None
    base_url: str | None = None
    rate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a command needs to know. The fields are the long options of INTERFACE.md, section 1, with underscores.

    Relative paths are as the caller's working directory has them; ``inputs`` may hold ``-`` for CSV on stdin.
    """

    inputs: tuple[str, ...] = ()
    name: str = ""
    output: tuple[str, ...] = ()
    write_back: bool = False
    sheet: tuple[str, ...] = ()
    map: tuple[str, ...] = ()
    locations: str | None = None
    name_template: str = "{Location} - {Action}"
    if_exists: str = "skip"
    prune: bool = False
    max_deletes: int = 10
    strict: bool = False
    limit: int | None = None
    canary: int = 0
    rate: tuple[str, ...] = ("60/min", "5000/day")
    request_rate: tuple[str, ...] = ("1/100ms", "120/min", "5000/h")
    concurrency: int = 8
    timeout: float = 30.0
    retries: int = 5
    give_up_after: float = 300.0
    settle: float = 30.0
    wait: bool = False
    max_runtime: float | None = None
    resend_unknown: bool = False
    wait_lock: float = 0.0
    journal: Path | None = None
    base_url: str = "https://spaces.nexudus.com"
    account: str = "default"
    accounts: Mapping[str, AccountSettings] = field(default_factory=dict)
    auth: str = "bearer"
    allow_http: bool = False
    sandbox: bool = False
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where the credentials are looked up; empty means this process's environment."""
