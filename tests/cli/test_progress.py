"""How a run that takes its time is told of: a bar that fits and never stands still, a line every half minute."""

from __future__ import annotations

import logging
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhooks.cli.progress import _Lines, in_words, look, watching
from bulkhooks.config.job import Job
from bulkhooks.report import Progress

NOW = datetime(2026, 11, 25, 14, 2, 0).astimezone().timestamp()
HALF_WAY = Progress(600, 128, {"created": 124, "failed": 4}, 480.0, in_doubt=2, next_in=42.2)


@pytest.mark.parametrize("told", [{"no_progress": True}, {"quiet": True}])
def test_nobody_watches_where_nobody_wants_to(told):
    """--no-progress, and --quiet."""
    with watching(Job(**told)) as watcher:
        assert watcher is None


def test_at_160_columns_there_is_everything():
    """What was done, what is in doubt, when the next request leaves and when it will be over, in local time."""
    assert look(HALF_WAY, 159, NOW) == (
        "{percentage:3.0f}% {bar} 128/600  124 created, 4 failed, 2 in doubt, next write in 43 s,"
        " done at 14:10 (in 8 min)"
    )


def test_at_80_columns_there_is_what_somebody_waits_for():
    """Rows that went well are in the count already; those that need a look stay."""
    assert look(HALF_WAY, 79, NOW) == (
        "{percentage:3.0f}% {bar} 128/600  4 failed, 2 in doubt, next write in 43 s, done at 14:10"
    )


_PROGRESS = st.builds(
    Progress,
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.dictionaries(
        st.sampled_from(["created", "updated", "exists", "failed", "unknown", "deleted"]), st.integers(0, 10**6)
    ),
    st.floats(0, 10**7),
    st.integers(0, 10**4),
    st.none() | st.floats(0, 10**5),
    st.sampled_from(["write", "request"]),
)


@given(_PROGRESS, st.integers(40, 200))
def test_a_line_is_never_wider_than_the_terminal(progress, width):
    """With the shortest bar that is worth drawing."""
    drawn = look(progress, width, NOW).replace("{percentage:3.0f}", "100").replace("{bar}", "#" * 8)
    assert len(drawn) <= width


def test_while_the_servers_webhooks_are_read_requests_are_counted():
    """There are no rows yet, and it may take minutes at the limits."""
    progress = Progress(0, 37, {}, next_in=2.5, next_is="request")
    assert in_words(progress, NOW) == "comparing with the server: 37 requests so far, next request in 3 s"


def test_without_a_terminal_a_line_comes_every_half_minute(caplog):
    """The command reports each second; the first line comes after 30 s, so that a short run has none."""
    caplog.set_level(logging.INFO, "bulkhooks")
    seconds = [0.0]
    lines = _Lines(lambda: seconds[0], lambda: NOW)
    for second in range(1, 91):
        seconds[0] = float(second)
        lines.moved(HALF_WAY)
    said = [record.getMessage() for record in caplog.records]
    assert (
        said == ["128 of 600 done, 124 created, 4 failed, 2 in doubt, next write in 43 s, done at 14:10 (in 8 min)"] * 3
    )


def test_without_a_terminal_there_is_no_bar(capsys):
    """A short run says nothing of its progress."""
    with watching(Job()) as watcher:
        watcher.moved(HALF_WAY)
    assert not re.search(r"\S", capsys.readouterr().err)
