"""What is said afterwards, word for word where people read it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from bulkhooks.cli import text as say
from bulkhooks.commands.health_rows import HEALTH_COLUMNS
from bulkhooks.errors import Aborted, CredentialsError, LockedError, UsageError
from bulkhooks.report import ErrorCount, Forecast, Problem, Report, Summary

KEYS = [
    "run_id",
    "status",
    "exit_code",
    "counts",
    "total",
    "writes",
    "requests",
    "throttled",
    "retried",
    "started_at",
    "finished_at",
    "seconds",
    "remaining",
    "resume_at",
    "outputs",
    "inputs",
    "errors",
    "warnings",
    "target",
    "accounts",
    "user",
]


def test_the_json_has_exactly_the_promised_keys():
    """Nothing more and nothing less, in the order of the page."""
    found = json.loads(say.as_json(Report(Summary("r", errors=[ErrorCount("bad-url", 2, "x")]))))
    assert list(found) == KEYS
    assert found["errors"] == [{"code": "bad-url", "count": 2, "example": "x"}]


def test_an_error_has_the_status_of_its_exit_code():
    """input-error, auth-error and locked, with the sentence as the example."""
    for error, status in (
        (UsageError("a"), "input-error"),
        (CredentialsError("b"), "auth-error"),
        (LockedError("c"), "locked"),
        (Aborted("d"), "incomplete"),
    ):
        summary = say.failed(error, ["in.csv"])
        assert (summary.status, summary.exit_code, summary.errors[0].example) == (status, error.exit_code, str(error))


def test_the_closing_lines_say_what_is_left_and_when_it_goes_on():
    """Counts, requests, what remains, what went wrong and where the results are."""
    summary = Summary(
        "r1",
        status="incomplete",
        counts={"created": 4998, "failed": 2, "pending": 1200},
        writes=5000,
        requests=5011,
        throttled=1,
        remaining=1200,
        seconds=5000,
        outputs=["r.xlsx"],
        errors=[ErrorCount("api-validation", 2, "Name: is a required field")],
    )
    now = datetime(2026, 11, 26, 7, 59, 12).astimezone()
    summary.resume_at = (now + timedelta(seconds=48)).astimezone(UTC).isoformat()
    assert say.closing(Report(summary), now.timestamp()).splitlines() == [
        "Not finished: 4,998 created, 2 failed, 1,200 pending.",
        "run r1: 5,000 writes in 5,011 requests, 1 throttled; 83 min",
        "1,200 are left: run the same command again after 08:00 (in 48 s); what is done is not sent twice.",
        "What went wrong, most frequent first:",
        "       2 x api-validation: Name: is a required field",
        "Results: r.xlsx",
    ]


@pytest.mark.parametrize(
    ("summary", "lines"),
    [
        (Summary("r", counts={"exists": 50}, requests=1), ["Nothing to do: all 50 are there already."]),
        (Summary("r", counts={"exists": 1}), ["Nothing to do: it is there already."]),
        (Summary("r", counts={"exists": 2, "created": 1}, writes=1), ["Done: 2 exists, 1 created."]),
        (Summary("r"), ["Done: no rows."]),
        (
            Summary("r", "incomplete", {"pending": 1}, requests=2, writes=1, remaining=1),
            [
                "Not finished: 1 pending.",
                "run r: 1 write in 2 requests; 0 s",
                "1 is left: run the same command again; what is done is not sent twice.",
            ],
        ),
    ],
)
def test_what_there_was_to_do_and_one_of_everything_is_singular(summary, lines):
    """Where everything is there already it says so; a count of one has no plural."""
    assert say.closing(Report(summary)).splitlines()[: len(lines)] == lines
    if summary.requests == 1:
        assert "run r: 1 request, no writes; 0 s" in say.closing(Report(summary))


def test_a_check_is_a_table_by_problem_the_most_frequent_first():
    """One row and several are told in their own words; warnings have a table of their own."""
    problems = [
        Problem(0, "Hooks!A2", "bad-url", "x", "wrong"),
        Problem(1, "Hooks!B3", "unknown-action", "y", "no event"),
        Problem(2, "Hooks!A4", "bad-url", "z", "wrong"),
        Problem(3, "Hooks!A5", "insecure-url", "h", "is http", warning=True),
    ]
    lines = say.checked(Report(Summary("", counts={"planned": 1, "duplicate": 1, "invalid": 3}), problems)).splitlines()
    assert lines[0] == "1 webhook can be sent, 1 is a duplicate; 3 rows are invalid."
    assert [line.split()[:2] for line in lines[1:]] == [
        ["rows", "problem"], ["2", "bad-url"], ["1", "unknown-action"], ["rows", "warning"], ["1", "insecure-url"],
        ["Every", "one"], ["Hooks!A2:", "wrong"], ["Hooks!B3:", "no"], ["Hooks!A4:", "wrong"],
        ["warning:", "Hooks!A5:"],
    ]  # fmt: skip


def test_a_plan_tells_requests_time_and_days():
    """What would change, what it takes, and what the cap has left."""
    forecast = Forecast({"create": 20000}, {"Soho": {"planned": 20000}}, {}, 20000, 20041, 259200, 4, 5000)
    text = say.planned(Report(Summary("", counts={"planned": 20000}), forecast=forecast))
    assert "20,000 writes in about 20,041 requests: 3 d at the limits, on 4 days" in text
    assert "the daily cap has 5,000 writes left now" in text
    assert "Soho" in text


def test_a_plan_says_what_would_be_made_changed_and_deleted():
    """A line each, field by field with its old and its new value; what is there already has none."""
    url = "https://a.example/x"
    rows = pd.DataFrame(
        [
            [
                "a.csv:2",
                1001,
                "Soho",
                "BookingCreate",
                url,
                7,
                "planned",
                "Name: Old -> New\nline; Active: false -> true",
            ],
            ["a.csv:3", 1002, "1002", "BookingCreate", url, None, "planned", "create"],
            ["a.csv:4", 1003, "Bank", "BookingCreate", url, 8, "exists", ""],
            ["a.csv:5", 1004, "Kew", "BookingCreate", url, None, "planned", "look up, create if it is not there"],
            ["prune:1", 1005, "Hove", "BookingCreate", url, 9, "planned", "delete"],
        ],
        columns=["Row", "BusinessId", "Location", "Action", "URL", "WebhookId", "Status", "Changes"],
        dtype=object,
    )
    forecast = Forecast({"create": 2, "update": 1, "delete": 1}, {}, {}, 4, 5, 1)
    lines = say.planned(Report(Summary("", counts={"planned": 4}), forecast=forecast, load=lambda: rows)).splitlines()
    assert lines[lines.index("Would make 2 webhooks:") :] == [
        "Would make 2 webhooks:",
        f"  + a.csv:3  1002  BookingCreate  {url}",
        f"  + a.csv:5  1004 Kew  BookingCreate  {url}",
        "Would change 1 webhook:",
        "  ~ a.csv:2  1001 Soho  BookingCreate  (id 7) Name: Old -> New line; Active: false -> true",
        "Would delete 1 webhook:",
        f"  - prune:1  1005 Hove  BookingCreate  (id 9) {url}",
    ]


def test_health_is_told_by_location_and_by_host():
    """Only where something ails."""
    rows = pd.DataFrame(
        [
            [1001, "Soho", "BookingCreate", "https://a.example/x", "n", "failing", True, 2, "500", "", 1, ""],
            [1002, "", "BookingCreate", "https://b.example/x", "n", "disabled", False, 10, "500", "", 2, ""],
            [1003, "Bank", "BookingCreate", "https://c.example/x", "n", "healthy", True, 0, "", "", 3, ""],
        ],
        columns=list(HEALTH_COLUMNS),
    )
    summary = Summary("", counts={"healthy": 1, "failing": 1, "disabled": 1}, total=3)
    text = say.delivered(Report(summary, load=lambda: rows))
    assert text.startswith("3 webhooks: 1 healthy, 1 failing, 1 disabled.")
    assert "Soho" in text
    assert "1002" in text
    assert "b.example" in text
    assert "Bank" not in text
