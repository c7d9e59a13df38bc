"""The values that a command answers with: its progress while it works, and its report at the end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bulkhooks import actions
from bulkhooks.errors import Aborted, WarningCode
from bulkhooks.times import iso, moment
from bulkhooks.webhook import Status

if TYPE_CHECKING:
    import pandas as pd


REHEARSAL = "REHEARSAL"
"""How the target of a run begins whose requests went to a sandbox of its own."""

EXIT_CODES = {"ok": 0, "failures": 1, "input-error": 2, "auth-error": 3, "incomplete": 4, "locked": 5}
"""The exit code of each ``Summary.status`` (bulkhooks/docs/reference.md, Exit codes)."""


def twin_sentence(business_id: int, action: int, url: str, ids: Sequence[int]) -> str:
    """What is to be said of a webhook that the server has more than once."""
    return (
        f"the server has {len(ids)} webhooks for {actions.name_of(action)} at location {business_id} to {url}: ids"
        f" {', '.join(map(str, ids))}; each event is delivered so many times"
    )


@dataclass(slots=True)
class ErrorCount:
    """One code of errors or warnings: how often, and one sentence as an example."""

    code: str
    count: int
    example: str


@dataclass(slots=True)
class Summary:
    """What a command did, as numbers. Times are UTC in ISO 8601, ``seconds`` is wall time, ``counts`` rows by status.

    ``status`` is a key of ``EXIT_CODES``. ``remaining`` is the number of rows left ``pending``; ``resume_at`` the
    moment from which the limits let the job go on, None where nothing waits for it. ``target`` is the server's
    address (several with commas; that of a rehearsal begins with ``REHEARSAL``), ``accounts`` names of credentials,
    ``user`` who asked for it. ``shard`` (``3/16``): all of this is of that shard of the run, and no key of the others.
    ``was_aborted``: a second signal ended the command.
    """

    run_id: str
    status: str = "ok"
    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0
    writes: int = 0
    requests: int = 0
    throttled: int = 0
    retried: int = 0
    started_at: str = ""
    finished_at: str = ""
    seconds: float = 0.0
    remaining: int = 0
    resume_at: str | None = None
    outputs: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    errors: list[ErrorCount] = field(default_factory=list)
    warnings: list[ErrorCount] = field(default_factory=list)
    target: str = ""
    accounts: list[str] = field(default_factory=list)
    user: str = ""
    shard: str = ""
    was_aborted: bool = False

    @classmethod
    def begun(cls, inputs: Sequence[str], started_at: float, run_id: str = "") -> Summary:
        """The summary of a command that begins; ``started_at`` in seconds since 1970."""
        return cls(run_id, started_at=iso(started_at) or "", inputs=list(inputs))

    @property
    def is_rehearsal(self) -> bool:
        """Whether nothing went to a real server."""
        return self.target.startswith(REHEARSAL)

    @property
    def where(self) -> str:
        """Server and accounts in words: ``https://spaces.nexudus.com, account default``; '' where it has none."""
        accounts = f"account{'s' if len(self.accounts) > 1 else ''} {', '.join(self.accounts)}" if self.accounts else ""
        return ", ".join(filter(None, (self.target.removeprefix(f"{REHEARSAL}: "), accounts)))

    @property
    def facts(self) -> dict[str, str]:
        """Where it was run and by whom, as lines of the sheet Summary."""
        return {"Server": self.target, "Accounts": ", ".join(self.accounts), "User": self.user}

    @property
    def exit_code(self) -> int:
        """What the program ends with: that of ``status``, or of a second signal."""
        return Aborted.exit_code if self.was_aborted else EXIT_CODES[self.status]

    def settle(self, *, refused: bool = False, failures: Collection[str] = ()) -> None:
        """Work out ``status`` from ``counts``; where several apply, credentials come first, then what is pending.

        ``refused``: credentials were missing or turned away. ``failures`` are statuses of rows that count as a failure
        besides ``failed``, ``invalid`` and ``unknown``.
        """
        if refused:
            self.status = "auth-error"
        elif self.counts.get(Status.PENDING):
            self.status = "incomplete"
        elif any(self.counts.get(status) for status in (Status.FAILED, Status.INVALID, Status.UNKNOWN, *failures)):
            self.status = "failures"
        else:
            self.status = "ok"

    def close(self, finished_at: float) -> None:
        """Fill in ``finished_at`` (given in seconds since 1970) and ``seconds``."""
        self.finished_at = iso(finished_at) or ""
        self.seconds = round(max(0.0, finished_at - moment(self.started_at)), 3)

    def as_dict(self) -> dict[str, object]:
        """The JSON object that ``--json`` prints, its keys in the order of bulkhooks/docs/reference.md."""
        values = asdict(self)
        del values["was_aborted"]
        if not self.shard:
            del values["shard"]
        return {"run_id": self.run_id, "status": self.status, "exit_code": self.exit_code, **values}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Summary:
        """The summary that ``as_dict`` gave; keys that this version does not know are left out."""
        known = {name: values[name] for name in values if name in cls.__dataclass_fields__}
        counts = {name: [ErrorCount(**count) for count in known.get(name, ())] for name in ("errors", "warnings")}
        return cls(**{**known, **counts})


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in the input; ``code`` is an ``ErrorCode`` or a ``WarningCode``.

    ``row`` is the position in ``Table.rows`` (-1: no row has it, but a sheet, an input or the whole run), ``place`` the
    cell's as a person finds it (``Hooks!C7``, ``hooks.csv:7 URL``; '' where the sentence names it), ``value`` what
    stands there. A ``warning`` does not stop the row.
    """

    row: int
    place: str
    code: str
    value: str
    sentence: str
    warning: bool = False

    @classmethod
    def of_whole(cls, code: WarningCode, place: str, sentence: str) -> Problem:
        """A warning about a sheet, an input or the whole run; ``place`` is its name, or ''."""
        return cls(-1, place, code, "", sentence, warning=True)

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}" if self.place else self.sentence


Remark = Problem | str
"""Something to tell besides the results: a warning with its code, or a sentence that has none."""


def coded(remarks: Iterable[Remark]) -> list[Problem]:
    """Those remarks that are warnings with a code."""
    return [remark for remark in remarks if isinstance(remark, Problem)]


def counted(problems: Iterable[Problem]) -> list[ErrorCount]:
    """How often each code occurs, the most frequent first, each with the first of its problems as an example."""
    found: dict[str, ErrorCount] = {}
    for problem in problems:
        found.setdefault(problem.code, ErrorCount(problem.code, 0, str(problem))).count += 1
    return sorted(found.values(), key=lambda count: -count.count)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do now.

    ``changes`` counts rows by operation (create, update, …); ``by_location`` and ``by_action`` count rows by label and
    status; ``seconds`` is the time at the limits, latency not counted; ``days`` on how many days something is sent
    (None without a daily cap); ``cap_left`` how many writes the cap has left now, the smallest of all accounts.
    ``patterns`` are those in the input's cells of Action, each with the events that it means.
    """

    changes: dict[str, int] = field(default_factory=dict)
    by_location: dict[str, dict[str, int]] = field(default_factory=dict)
    by_action: dict[str, dict[str, int]] = field(default_factory=dict)
    writes: int = 0
    requests: int = 0
    seconds: float = 0.0
    days: int | None = None
    cap_left: int | None = None
    patterns: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run stands. While ``total`` is 0 it compares with the server, and ``done`` counts requests, not rows.

    ``counts``: rows that are done, by status. ``seconds_left`` is the time at the limits. ``in_doubt``: rows that were
    sent and not answered, and are looked up. ``next_in``: seconds until the limits let the next request leave, None
    where none waits for them; ``next_is`` says what that is, a ``write`` or any other ``request``.
    """

    total: int
    done: int
    counts: Mapping[str, int]
    seconds_left: float = 0.0
    in_doubt: int = 0
    next_in: float | None = None
    next_is: str = "write"


class Watcher(Protocol):
    """Whoever wants to see a run move (a bar, a log line); told each second, and once at the end."""

    def moved(self, progress: Progress) -> None: ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is about to be sent, for a person to say yes or no to. ``sentence`` asks it."""

    sentence: str
    forecast: Forecast | None = None


Ask = Callable[[Question], bool]
"""Puts a question to a person; True goes on."""


@dataclass(slots=True)
class Report:
    """What a command found or did.

    ``problems`` are those of the input's rows, their warnings among them; ``warnings`` are what there is to tell
    besides, those with a code as a ``Problem``; ``forecast`` is what sending takes, where that was worked out;
    ``cap_left`` how many writes the daily cap still allows.
    """

    summary: Summary
    problems: Sequence[Problem] = ()
    warnings: list[Remark] = field(default_factory=list)
    forecast: Forecast | None = None
    cap_left: int | None = None
    load: Callable[[], pd.DataFrame] | None = field(default=None, repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by status."""
        return self.summary.counts

    @property
    def exit_code(self) -> int:
        """What the program ends with (``EXIT_CODES``)."""
        return self.summary.exit_code

    @property
    def results(self) -> pd.DataFrame:
        """One row a webhook: ``RESULT_COLUMNS``, then the input's own columns (of ``health`` those of its sheet)."""
        import pandas as pd

        return self.load() if self.load else pd.DataFrame()


def many(count: int, one: str, several: str) -> str:
    """``1 row``, ``1,200 rows``."""
    return f"{count:,} {one if count == 1 else several}"
