"""Reports in words for a terminal, or as JSON for a machine. Times are local in words and UTC in JSON."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bulkhooks import actions
from bulkhooks.cli.changes import change_lines
from bulkhooks.errors import Aborted, BulkhooksError
from bulkhooks.report import EXIT_CODES, REHEARSAL, ErrorCount, Report, Summary, many
from bulkhooks.times import duration, local_time, moment
from bulkhooks.webhook import url_host

if TYPE_CHECKING:
    from bulkhooks.report import Forecast

_MOST_LINES = 20
"""Rows of a table on a terminal; the sheet has them all."""

_OUTCOMES = {
    "ok": "Done",
    "failures": "Finished, and some rows need you",
    "input-error": "Nothing was sent",
    "auth-error": "Stopped: the credentials",
    "incomplete": "Not finished",
    "locked": "Another run is under way",
}


def as_json(report: Report, *, with_problems: bool = False) -> str:
    """The object of bulkhooks/docs/reference.md, Summary; of a plan also its forecast, of a check every problem."""
    found = report.summary.as_dict()
    if with_problems:
        found["problems"] = [
            {
                "place": problem.place,
                "code": problem.code,
                "value": problem.value,
                "sentence": problem.sentence,
                "warning": problem.warning,
            }
            for problem in report.problems
        ]
    if report.forecast is not None:
        from dataclasses import asdict

        found["plan"] = asdict(report.forecast)
    return json.dumps(found, indent=2)


def failed(error: BulkhooksError, inputs: Sequence[str] = (), started_at: float | None = None) -> Summary:
    """The summary of a command that ended with an error. ``started_at``: seconds since 1970 (default: now)."""
    now = time.time()
    status = next((status for status, code in EXIT_CODES.items() if code == error.exit_code), "incomplete")
    example = ErrorCount(status, 1, str(error))
    was_aborted = isinstance(error, Aborted)
    summary = Summary.begun(inputs, now if started_at is None else started_at)
    summary.status, summary.was_aborted, summary.errors = status, was_aborted, [example]
    summary.close(now)
    return summary


def closing(report: Report, now: float | None = None) -> str:
    """How a run ended, as lines for a person. ``now``: seconds since 1970 (default: the clock)."""
    return "\n".join(_closing(report.summary, now))


def _closing(summary: Summary, now: float | None) -> Iterator[str]:
    yield _marked(summary, _outcome(summary))
    if summary.requests:
        shard = f", shard {summary.shard}" if summary.shard else ""
        run = f"run {summary.run_id}{shard}: " if summary.run_id else ""
        throttled = f", {summary.throttled:,} throttled" if summary.throttled else ""
        retried = f", {summary.retried:,} sent again" if summary.retried else ""
        requests = many(summary.requests, "request", "requests")
        traffic = (
            f"{many(summary.writes, 'write', 'writes')} in {requests}" if summary.writes else f"{requests}, no writes"
        )
        yield f"{run}{traffic}{throttled}{retried}; {duration(summary.seconds)}"
    if summary.remaining:
        when = f" after {local_time(moment(summary.resume_at), now)}" if summary.resume_at else ""
        left = many(summary.remaining, "is left", "are left")
        yield f"{left}: run the same command again{when}; what is done is not sent twice."
    if summary.errors:
        yield "What went wrong, most frequent first:"
        yield from _errors(summary)
    for output in summary.outputs:
        yield f"Results: {output}"


def _marked(summary: Summary, sentence: str) -> str:
    """A sentence with server and accounts at its end, and at its beginning that it is a rehearsal, if it is one."""
    where = f" ({summary.where})." if summary.where else "."
    return f"{REHEARSAL}: " * summary.is_rehearsal + sentence.removesuffix(".") + where


def _outcome(summary: Summary) -> str:
    if summary.status == "ok" and not summary.writes and summary.counts.keys() == {"exists"}:
        count = summary.counts["exists"]
        there = "it is there already" if count == 1 else f"all {count:,} are there already"
        return f"Nothing to do: {there}."
    counts = ", ".join(f"{count:,} {status}" for status, count in summary.counts.items()) or "no rows"
    return f"{_OUTCOMES[summary.status]}: {counts}."


def _errors(summary: Summary) -> Iterator[str]:
    for error in summary.errors[:_MOST_LINES]:
        yield f"  {error.count:>6,} x {error.code}: {error.example}"


def checked(report: Report) -> str:
    """What a check found: every problem with its place, a table of them by frequency, and how many can be sent."""
    return "\n".join(_checked(report))


def _checked(report: Report) -> Iterator[str]:
    counts = report.counts
    fit, invalid, doubles = (counts.get(status, 0) for status in ("planned", "invalid", "duplicate"))
    twice = f", {many(doubles, 'is a duplicate', 'are duplicates')}" if doubles else ""
    wrong = many(invalid, "row is invalid", "rows are invalid") if invalid else "every row is valid"
    yield f"{many(fit, 'webhook', 'webhooks')} can be sent{twice}; {wrong}."
    yield from _by_problem(report, "problem", warning=False)
    yield from _by_problem(report, "warning", warning=True)
    if report.problems:
        yield "Every one of them:"
        yield from (f"  {'warning: ' if problem.warning else ''}{problem}" for problem in report.problems)
    for output in report.summary.outputs:
        yield f"Sheet: {output}"


def _by_problem(report: Report, word: str, *, warning: bool) -> Iterator[str]:
    found = [problem for problem in report.problems if problem.warning == warning]
    if not found:
        return
    examples: dict[str, str] = {}
    for problem in found:
        examples.setdefault(problem.code, str(problem))
    yield f"{'rows':>7}  {word:<18} for example"
    for code, count in Counter(problem.code for problem in found).most_common():
        yield f"{count:>7,}  {code:<18} {examples[code]}"


def exported(report: Report) -> str:
    """What an export has written."""
    summary = report.summary
    return "\n".join(
        [
            f"{many(summary.total, 'webhook', 'webhooks')} of {summary.where}.",
            *(f"Sheet: {one}" for one in summary.outputs),
        ]
    )


def delivered(report: Report) -> str:
    """How delivery stands, and where it does not: by location and by the host of the endpoint."""
    return "\n".join(_delivered(report))


def _delivered(report: Report) -> Iterator[str]:
    counts = ", ".join(f"{count:,} {state}" for state, count in report.counts.items()) or "none"
    yield f"{many(report.summary.total, 'webhook', 'webhooks')}: {counts}."
    rows = report.results
    ill = rows[rows["Health"].isin(["failing", "disabled"])] if len(rows) else rows
    if len(ill):
        labels = ill["Location"].where(ill["Location"] != "", ill["BusinessId"])
        yield from _table("location", _cross(labels, ill["Health"]))
        yield from _table("host", _cross(ill["URL"].map(url_host), ill["Health"]))
    yield from _errors(report.summary)
    for output in report.summary.outputs:
        yield f"Sheet: {output}"


def _cross(labels: Iterable[object], states: Iterable[object]) -> dict[str, dict[str, int]]:
    """Counts of states by label, the label with the most first."""
    crossed: dict[str, Counter[str]] = {}
    for label, state in zip(labels, states, strict=True):
        crossed.setdefault(str(label), Counter())[str(state)] += 1
    return {label: dict(crossed[label]) for label in sorted(crossed, key=lambda label: -crossed[label].total())}


def planned(report: Report) -> str:
    """What a run would do now."""
    forecast = report.forecast
    counts = ", ".join(f"{count:,} {status}" for status, count in report.counts.items()) or "no rows"
    if forecast is None:
        return counts
    problems = _by_problem(report, "problem", warning=False)
    patterns = (
        f"  {pattern} means {many(len(events), 'event', 'events')}: {', '.join(events)}"
        for pattern, events in forecast.patterns.items()
    )
    first = _marked(report.summary, f"In the sheet: {counts}.")
    return "\n".join([first, *patterns, *forecast_lines(forecast), *change_lines(report), *problems])


def forecast_lines(forecast: Forecast) -> Iterator[str]:
    """A forecast as lines: what is sent, how long it takes, where and for which events."""
    if not forecast.changes:
        yield "Nothing would be changed."
        return
    changes = ", ".join(f"{count:,} to {operation}" for operation, count in forecast.changes.items())
    yield f"Would change: {changes}."
    left = "" if forecast.cap_left is None else many(forecast.cap_left, "write", "writes")
    cap = f"; the daily cap has {left} left now" if left else ""
    days = f", on {many(forecast.days, 'day', 'days')}" if forecast.days else ""
    yield (
        f"{many(forecast.writes, 'write', 'writes')} in about {many(forecast.requests, 'request', 'requests')}:"
        f" {duration(forecast.seconds)} at the limits{days}{cap}."
    )
    yield from _table("location", forecast.by_location)
    yield from _table("event", {_both_words(name): counts for name, counts in forecast.by_action.items()})


def _both_words(event: str) -> str:
    return actions.both_words(actions.NAMES.index(event) + 1) if event in actions.NAMES else event


def _table(label: str, counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield f"By {label}:"
    shown = list(counts.items())[:_MOST_LINES]
    wide = max([32, *(len(name) for name, _ in shown)])
    for name, by_status in shown:
        yield f"  {name or '(invalid)':<{wide}} " + ", ".join(
            f"{count:,} {status}" for status, count in by_status.items()
        )
    if len(counts) > _MOST_LINES:
        yield f"  … and {len(counts) - _MOST_LINES:,} more"


def remarks(report: Report) -> Iterator[str]:
    """What has to be said besides: warnings, and those of the problems that stand in no sheet, the first of each kind.

    A row that is invalid is in the results with its problems, unless there are none because nothing was sent.
    """
    yield from map(str, report.warnings)
    for warning in (False, True):
        if not warning and report.summary.status != "input-error":
            continue
        found = [problem for problem in report.problems if problem.warning == warning]
        yield from map(str, found[:_MOST_LINES])
        if len(found) > _MOST_LINES:
            yield f"… and {len(found) - _MOST_LINES:,} more; `bulkhooks check` lists all"
