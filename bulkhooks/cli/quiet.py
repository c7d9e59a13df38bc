"""What --quiet says of a command that did not end well: one line, for the mail that cron makes of it."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhooks.report import Summary
from bulkhooks.times import local_time, moment

_MOST_NAMED = 3


def in_one_line(command: str, summary: Summary, subject: Sequence[str] = (), now: float | None = None) -> str:
    """The input, the counts, where the results are, and an example of what went wrong.

    ``subject`` stands for the inputs where the summary has none; ``now``: seconds since 1970 (default: the clock).
    """
    about = _named(summary.inputs or subject) or command
    counts = ", ".join(f"{count:,} {status}" for status, count in summary.counts.items()) or "no rows"
    later = f"; goes on after {local_time(moment(summary.resume_at), now)}" if summary.resume_at else ""
    results = f"results: {_named(summary.outputs)}" if summary.outputs else "no results"
    example = f"; {summary.errors[0].example}" if summary.errors else ""
    return f"bulkhooks: {about}: {counts} (exit {summary.exit_code}, {summary.status}){later}; {results}{example}"


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED:,} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(paths[:_MOST_NAMED]) + more
