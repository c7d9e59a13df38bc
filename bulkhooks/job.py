"""What to do (``Job``) and the commands as compositions of stages: read this first and you have seen the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bulkhooks.summary import Summary

if TYPE_CHECKING:
    import pandas as pd

    from bulkhooks.sheets.problems import Problem


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


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run stands. ``seconds_left`` is the time at the limits, None while it is not known."""

    total: int
    done: int
    created: int
    failed: int
    seconds_left: float | None
    note: str = ""


class Watcher(Protocol):
    """Whoever wants to see a run move (a bar, a log line, nothing)."""

    def moved(self, progress: Progress) -> None: ...

    def said(self, sentence: str) -> None: ...


Ask = Callable[[str], bool]
"""Puts a question to a person; True goes on."""


@dataclass(slots=True)
class Report:
    """What a command found or did.

    ``summary`` is section 7's; ``problems`` those of the input (warnings among them); ``warnings`` sentences for stderr.
    """

    summary: Summary
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    load: Callable[[], pd.DataFrame] | None = field(default=None, repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by status."""
        return self.summary.counts

    @property
    def exit_code(self) -> int:
        """Section 7's exit code."""
        return self.summary.exit_code

    @property
    def results(self) -> pd.DataFrame:
        """One row a webhook, the columns of section 6 and then the input's own."""
        import pandas as pd

        return self.load() if self.load else pd.DataFrame()
