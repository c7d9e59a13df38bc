"""What reaches a terminal is printable and fits; times are local, with how far away they are."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhooks.cli.runs import runs_as_text
from bulkhooks.cli.terminal import cut, printable
from bulkhooks.times import duration, iso, local_time
from tests.processes import bulkhooks

NOW = datetime(2026, 11, 25, 23, 10, 12).astimezone()


@given(st.text())
def test_nothing_unprintable_is_left_of_any_text(text):
    """But for the ends of lines; what is printable stays as it is."""
    shown = printable(text)
    assert shown.replace("\n", "").isprintable()
    assert shown == text or not text.isprintable()


def test_escape_sequences_and_marks_of_direction_are_written_out():
    """Neither a colour nor a reversed file name reaches the terminal; spaces of any kind are spaces."""
    assert printable("a\x1b[31mb\u202ecsv.exe\u00a0c\r\nd\x07") == "a\\x1b[31mb\\u202ecsv.exe c\\r\nd\\x07"


def test_what_a_sheet_holds_reaches_no_terminal_unprintable(tmp_path):
    """In headers, locations, names of files: neither on stdout nor on stderr, in words, JSON and logs."""
    bad = "\u202e\x1b[31m"
    (tmp_path / f"h{bad}.csv").write_text(
        f"BusinessId,Action,URL,Urll{bad}\nSo{bad}ho,Book{bad},http://a.example/{bad}\n", "utf-8"
    )
    for command in ("check", "run"):
        for more in ((), ("--json",), ("--log-format", "json")):
            done = bulkhooks(command, f"h{bad}.csv", "--sandbox", "--no-progress", *more, cwd=tmp_path)
            assert done.returncode == 1
            assert (done.stdout + done.stderr).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (48, "23:11 (in 48 s)"),
        (0, "23:10 (in 0 s)"),
        (-720, "22:58 (12 min ago)"),
        (10_200, "2026-11-26 02:00 (in 2 h 50 min)"),
        (-86_400, "2026-11-24 23:10 (24 h ago)"),
    ],
)
def test_times_are_local_and_say_how_far_away_they_are(seconds, words):
    """With the date where it is another day."""
    assert local_time(NOW.timestamp() + seconds, NOW.timestamp()) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89.4, "89 s"), (720, "12 min"), (5400, "1 h 30 min"), (7200, "2 h"), (352800, "4 d 2 h")],
)
def test_durations_as_people_say_them(seconds, words):
    """Two units at most, and no more exact than anybody needs."""
    assert duration(seconds) == words


def test_a_line_is_cut_at_the_terminals_width():
    """With an ellipsis; where there is no terminal nothing is."""
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
    assert cut("abcdef", None) == "abcdef"


def test_runs_have_a_head_and_local_times():
    """The names of the columns, then a line for each run with when it began."""
    run = {
        "run_id": "20261125T221000Z-4f2a9c01",
        "command": "run",
        "job": "",
        "started_at": iso(NOW.timestamp() - 60),
        "finished_at": None,
        "user": "ops",
        "host": "desk",
        "holder": "",
        "accounts": "default",
        "inputs": ["a.xlsx", "b.xlsx"],
        "status": "ok",
        "counts": {"created": 1200, "failed": 2},
    }
    head, line = runs_as_text([run], NOW.timestamp()).splitlines()
    assert head.split() == ["RUN", "STARTED", "BY", "COMMAND", "STATUS", "ROWS", "INPUT"]
    assert re.split(r"  +", line) == [
        "20261125T221000Z-4f2a9c01",
        "23:09 (60 s ago)",
        "ops on desk",
        "run",
        "ok",
        "1,200 created, 2 failed",
        "a.xlsx, b.xlsx",
    ]
    assert [head.index(name) for name in ("STARTED", "INPUT")] == [line.index("23:09"), line.index("a.xlsx")]
    assert runs_as_text([]) == "The journal has no run yet."
