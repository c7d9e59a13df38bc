"""What a command answers: how it moves while it works, and what it has to say at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bulkhooks.summary import Summary

if TYPE_CHECKING:
    import pandas as pd

    from bulkhooks.provision.forecast import Forecast
    from bulkhooks.sheets.problems import Problem


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
