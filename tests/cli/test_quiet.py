"""--quiet: nothing where all is well, one line where it is not."""

from __future__ import annotations

import json

import pytest

from bulkhooks.cli.quiet import in_one_line
from bulkhooks.report import ErrorCount, Summary
from bulkhooks.times import moment
from tests.processes import bulkhooks

GOOD = "BusinessId,Action,URL\n1001,BookingCreate,https://example.com/hooks\n"
BAD = GOOD + "1002,BookingCreate,ftp://u:hush@example.com?hush\n"


@pytest.fixture
def folder(tmp_path):
    """A sheet that is right and one that is not."""
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "bad.csv").write_text(BAD)
    return tmp_path


@pytest.mark.parametrize("command", ["run", "check", "plan"])
def test_success_says_nothing(command, folder):
    """Neither on stdout nor on stderr, warnings included."""
    (folder / "good.csv").write_text(GOOD.replace("https", "http"))
    done = bulkhooks(command, "good.csv", "-q", *(("--sandbox",) if command != "check" else ()), cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "bad.csv", "--sandbox"), 1, ["bad.csv", "1 created", "1 invalid", "bad.sandbox.results.xlsx"]),
        (("run", "bad.csv", "--sandbox", "--strict"), 2, ["bad.csv", "1 invalid", "no results"]),
        (("run", "good.csv", "bad.csv", "--sandbox", "--limit", "0"), 4, ["good.csv, bad.csv", "1 pending", ".xlsx"]),
        (("check", "bad.csv"), 1, ["bad.csv", "1 planned", "1 invalid"]),
        (("plan", "bad.csv", "--sandbox", "--expect-no-changes"), 1, ["bad.csv", "1 planned"]),
        (("run", "missing.csv", "--sandbox"), 2, ["missing.csv", "no rows", "no results"]),
        (("run", "good.csv"), 3, ["good.csv", "NEXUDUS_TOKEN"]),
        (("run", "good.csv", "--rate", "often"), 2, ["good.csv", "often"]),
        (("run", "--job", "missing.toml"), 2, ["missing.toml"]),
        (("run", "good.csv", "--strickt"), 2, ["--strickt"]),
        (("results", "--run", "r-0", "-o", "x.csv"), 2, ["j.db"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_anything_else_says_one_line(arguments, code, words, folder):
    """The input, the counts and where the results are, on stderr; no secret of a URL."""
    clean = {"NEXUDUS_TOKEN": "", "NEXUDUS_USERNAME": "", "NEXUDUS_TOKEN_COMMAND": ""}
    journal = () if arguments[0] == "check" else ("--journal", "j.db")
    done = bulkhooks(*arguments, "-q", *journal, cwd=folder, **clean)
    assert (done.returncode, done.stdout) == (code, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("bulkhooks: ")
    assert all(word in line for word in words), line
    assert "hush" not in line


def test_json_is_still_printed_and_a_log_file_still_written(folder):
    """-q is about what a person sees."""
    done = bulkhooks("run", "bad.csv", "--sandbox", "-q", "--json", "--log-file", "log", cwd=folder)
    assert json.loads(done.stdout)["exit_code"] == done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    lines = (folder / "log").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("run started", "run finished")
    assert any(line.startswith("error: bad.csv:3: invalid") for line in lines)


def test_the_line_says_when_it_goes_on_and_does_not_list_everything():
    """Three names at most, and the time as people say it."""
    summary = Summary(
        "r",
        "incomplete",
        {"created": 5000, "pending": 2},
        inputs=["a.xlsx", "b.xlsx", "c.xlsx", "d.xlsx", "e.xlsx"],
        outputs=["r.xlsx"],
        errors=[ErrorCount("not-sent", 2, "the daily cap is reached")],
        resume_at="2026-11-26T02:00:00Z",
    )
    line = in_one_line("run", summary, now=moment("2026-11-26T01:59:00Z"))
    assert line.startswith(
        "bulkhooks: a.xlsx, b.xlsx, c.xlsx and 2 more: 5,000 created, 2 pending (exit 4, incomplete);"
    )
    assert "(in 60 s); results: r.xlsx; the daily cap is reached" in line
