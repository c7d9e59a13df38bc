"""What a command answers: how it moves while it works, and what it has to say at the end."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Protocol

from bulkhooks.errors import Code

if TYPE_CHECKING:
    import pandas as pd


EXIT_CODES = {"ok": 0, "failures": 1, "input-error": 2, "auth-error": 3, "incomplete": 4, "locked": 5}
"""Exit code of each ``Summary.status`` (INTERFACE.md, section 7)."""


@dataclass(slots=True)
class ErrorCount:
    """One error code of a run: how often, and one sentence as an example."""

    code: str
    count: int
    example: str


@dataclass(slots=True)
class Summary:
    """One run. Times are UTC in ISO 8601, ``seconds`` is wall time, ``counts`` holds rows by status.

    ``remaining`` is the number of rows left ``pending``; ``resume_at`` the moment from which the limits let the job go
    on, None where nothing waits for it.
    """

    run_id: str
    status: str = "ok"
    exit_code: int = 0
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

    def as_dict(self) -> dict[str, object]:
        """The JSON object of section 7, keys in its order."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding (INTERFACE.md, section 3).

    ``row`` is the position in ``Table.rows``, ``place`` the cell's as a person finds it (``Hooks!C7``,
    ``hooks.csv:7 URL``), ``value`` what stands there. A ``warning`` does not stop the row.
    """

    row: int
    place: str
    code: Code
    value: str
    sentence: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do now.

    ``changes`` counts rows by operation (create, update, …); ``by_location`` and ``by_action`` count rows by label and
    status; ``seconds`` is the time at the limits, latency not counted; ``days`` on how many days something is sent
    (None without a daily cap); ``cap_left`` how many writes the cap has left now, the smallest of all accounts.
    """

    changes: dict[str, int] = field(default_factory=dict)
    by_location: dict[str, dict[str, int]] = field(default_factory=dict)
    by_action: dict[str, dict[str, int]] = field(default_factory=dict)
    writes: int = 0
    requests: int = 0
    seconds: float = 0.0
    days: int | None = None
    cap_left: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run stands. ``seconds_left`` is the time at the limits."""

    total: int
    done: int
    created: int
    failed: int
    seconds_left: float


class Watcher(Protocol):
    """Whoever wants to see a run move (a bar, a log line)."""

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

    ``summary`` is section 7's; ``problems`` those of the input, its warnings among them; ``warnings`` are further
    sentences; ``forecast`` what sending takes, where that was worked out; ``cap_left`` how many
    writes the daily cap still allows.
    """

    summary: Summary
    problems: Sequence[Problem] = ()
    warnings: list[str] = field(default_factory=list)
    forecast: Forecast | None = None
    cap_left: int | None = None
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


def iso(moment: float | None) -> str | None:
    """UTC in ISO 8601 with milliseconds."""
    if moment is None:
        return None
    text = datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def moment(text: str) -> float:
    """Seconds since 1970 of a time in ISO 8601."""
    return datetime.datetime.fromisoformat(text).timestamp()
