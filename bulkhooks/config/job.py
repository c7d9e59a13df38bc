"""``Job``: every option as one value of its type."""

# ruff: noqa: RUF009 (the calls in the class body make descriptors, one for each field; none is shared by jobs)

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, cast, overload

from bulkhooks.config.accounts import AccountSettings, read_accounts
from bulkhooks.config.names import next_free, results_beside, undone_beside
from bulkhooks.config.option import TEXT, Option
from bulkhooks.config.options import BASE_URL, BY_NAME, READING
from bulkhooks.errors import UsageError
from bulkhooks.provision.shard import Shard

if TYPE_CHECKING:
    from bulkhooks.sandbox.server import Sandbox

__all__ = ["AccountSettings", "Job", "Notify"]


@dataclass(frozen=True, slots=True)
class Notify:
    """Whom to tell when a run is over. The keys with ``_env`` name variables that hold addresses.

    ``attach``: send the results along to the services and mailboxes of ``apprise_env``.
    """

    url_env: str | None = None
    on: str = "failure"
    ping_env: str | None = None
    apprise_env: str | None = None
    attach: bool = False


Got = TypeVar("Got")
Given = TypeVar("Given")


class Setting(Generic[Got, Given]):
    """A field of ``Job``: its option has the default, and turns what is given into the field's type.

    A data descriptor, so that the dataclass stays frozen and its fields have the types that are read. ``Given`` is what
    the constructor takes; None is the default there.
    """

    def __init__(self, option: Option | None = None) -> None:
        self._option = option

    def __set_name__(self, owner: type[Job], name: str) -> None:
        self.name = name
        self.option = self._option or BY_NAME[name]

    @overload
    def __get__(self, job: None, owner: type[Job]) -> Got: ...
    @overload
    def __get__(self, job: Job, owner: type[Job]) -> Got: ...
    def __get__(self, job: Job | None, owner: type[Job]) -> Got:
        return cast(Got, self.option.initial if job is None else job.__dict__[self.name])

    def __set__(self, job: Job, given: Given | None) -> None:
        value = self.option.initial if given is None else self.option.value(given, self.name)
        job.__dict__[self.name] = self.option.initial if value is None else value


class _Accounts(Setting[Mapping[str, AccountSettings], str | Path | Mapping[str, AccountSettings]]):
    """The accounts that have settings of their own: a TOML file, or its content."""

    def __set__(self, job: Job, given: str | Path | Mapping[str, AccountSettings] | None) -> None:
        job.__dict__[self.name] = read_accounts(Path(given)) if isinstance(given, str | Path) else dict(given or {})


class _BaseUrl(Setting[str, str]):
    """Where the API is; without one ``NEXUDUS_BASE_URL`` of the job's environment, else Nexudus."""

    def __set__(self, job: Job, given: str | None) -> None:
        super().__set__(job, given or "")

    def __get__(self, job: Job | None, owner: type[Job]) -> str:
        if job is None:
            return ""
        named = str(job.__dict__[self.name])
        return named or (job.environment or os.environ).get("NEXUDUS_BASE_URL") or BASE_URL


_Texts = Setting[tuple[str, ...], str | Path | Sequence[str | Path]]
_Flag = Setting[bool, bool | str]
_Whole = Setting[int, int | str]
_Seconds = Setting[float, float | str]
_Text = Setting[str, str]
_PathOrNone = Setting[Path | None, str | Path]

_INPUT = Option("input", TEXT, READING, frozenset(), "Workbooks or delimited text; - is stdin.", repeatable=True)


@dataclass(frozen=True)
class Job:
    """Everything a command needs to know. The fields are the long options, with underscores.

    Relative paths are as the caller's working directory has them; ``input`` may hold ``-`` for CSV on stdin. Options
    that may be repeated take one value or several; numbers may be text. ``accounts`` is a TOML file or its content;
    ``base_url`` is that of ``NEXUDUS_BASE_URL`` where it is not given. What is None has its default. Raises
    ``UsageError`` for a value that its option does not take.
    """

    input: _Texts = _Texts(_INPUT)
    output: _Texts = _Texts()
    name: str = ""
    write_back: _Flag = _Flag()
    sheet: _Texts = _Texts()
    map: _Texts = _Texts()
    locations: Setting[str | None, str | Path] = Setting[str | None, str | Path]()
    name_template: _Text = _Text()
    if_exists: _Text = _Text()
    prune: _Flag = _Flag()
    max_deletes: _Whole = _Whole()
    strict: _Flag = _Flag()
    limit: Setting[int | None, int | str] = Setting[int | None, int | str]()
    canary: _Whole = _Whole()
    confirm_above: _Whole = _Whole()
    yes: _Flag = _Flag()
    rate: _Texts = _Texts()
    request_rate: _Texts = _Texts()
    concurrency: _Whole = _Whole()
    timeout: _Seconds = _Seconds()
    retries: _Whole = _Whole()
    give_up_after: _Seconds = _Seconds()
    settle: _Seconds = _Seconds()
    wait: _Flag = _Flag()
    max_runtime: Setting[float | None, float | str] = Setting[float | None, float | str]()
    resend_unknown: _Flag = _Flag()
    wait_lock: _Seconds = _Seconds()
    journal: Setting[Path | str | None, str | Path] = Setting[Path | str | None, str | Path]()
    lease: _Seconds = _Seconds()
    workers: Setting[int | None, int | str] = Setting[int | None, int | str]()
    scheduler: Setting[str | None, str] = Setting[str | None, str]()
    run_id: Setting[str | None, str] = Setting[str | None, str]()
    shard: Setting[Shard | None, str | Shard] = Setting[Shard | None, str | Shard]()
    base_url: _BaseUrl = _BaseUrl()
    account: _Text = _Text()
    accounts: _Accounts = _Accounts()
    auth: _Text = _Text()
    allow_http: _Flag = _Flag()
    sandbox: _Flag = _Flag()
    live: _Flag = _Flag()
    probe: _Flag = _Flag()
    expect_no_changes: _Flag = _Flag()
    reactivate: _Flag = _Flag()
    since: Setting[str | None, str] = Setting[str | None, str]()
    only: _Texts = _Texts()
    owned: _Flag = _Flag()
    run: Setting[str | None, str] = Setting[str | None, str]()
    keep: Setting[float | None, float | str] = Setting[float | None, float | str]()
    json: _Flag = _Flag()
    log_format: _Text = _Text()
    log_file: _PathOrNone = _PathOrNone()
    verbose: _Whole = _Whole()
    quiet: _Flag = _Flag()
    metrics_file: _PathOrNone = _PathOrNone()
    no_progress: _Flag = _Flag()
    notify: Notify | None = None
    user: str = ""
    """Who asked for it, where that is not the user of this machine's account (the page behind a sign-in)."""
    rehearsal: Sandbox | None = field(default=None, repr=False, compare=False)
    """With ``sandbox`` one that runs already and outlives the command, instead of one for the command; the journal is
    then the job's own."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where the credentials are looked up; empty means this process's environment."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The files to read."""
        return self.input

    @property
    def outputs(self) -> tuple[str, ...]:
        """The files to write."""
        return self.output

    def with_results(self) -> Job:
        """The job with a place for a run's results: where none is named, beside the first input.

        Raises ``UsageError`` where that is stdin.
        """
        return self._with_output(lambda first: results_beside(first, is_rehearsal=self.sandbox, shard=self.shard))

    def with_undone(self) -> Job:
        """Likewise for the results of an undo, which replace those of no other; without an input they are named after
        the run."""
        if not self.outputs and not self.inputs and self.run:
            return replace(self, output=str(next_free(Path(f"{self.run.replace('/', '-')}.undo.xlsx"))))
        return self._with_output(lambda first: next_free(undone_beside(first)))

    def _with_output(self, beside: Callable[[Path], Path]) -> Job:
        if self.outputs or not self.inputs:
            return self
        if "-" in self.inputs:
            raise UsageError("with an input from stdin (-), say with -o where the results go")
        return replace(self, output=str(beside(Path(self.inputs[0]))))
