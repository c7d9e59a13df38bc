"""One line a fact, for a person or a machine, and no secret in any."""

from __future__ import annotations

import json
import logging
import re

import pytest

from bulkhooks.cli.logs import NEWS, logging_for
from bulkhooks.config.job import Job
from bulkhooks.errors import OutputError
from tests.processes import UNLIMITED, bulkhooks, sandbox_process

LOG = logging.getLogger("bulkhooks")
SHEET = "BusinessId,Action,URL\n1001,BookingCreate,https://user:hush@example.com/hooks?key=hush\n"
SAID = ["debug: of a request", "of a row", "how it stands", "warning: what is odd", "error: what went wrong"]
KEYS_OF_A_LINE = ["time", "level", "message", "run_id"]


def _lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _say_everything():
    LOG.debug("of a request")
    LOG.info("of a row")
    LOG.log(NEWS, "how it stands")
    LOG.warning("what is odd")
    LOG.error("what went wrong")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"quiet": True}, []),
        ({"quiet": True, "verbose": 2}, []),
        ({}, SAID[2:]),
        ({"verbose": 1}, SAID[1:]),
        ({"verbose": 3}, SAID),
    ],
)
def test_how_much_is_said(told, said, capsys):
    """Quiet is nothing at all, -v tells of every row; facts stand without a level, the rest says what it is."""
    with logging_for(Job(**told)):
        _say_everything()
    assert capsys.readouterr().err.splitlines() == said


def test_a_log_file_holds_what_quiet_does_not_say(tmp_path, capsys):
    """--quiet is for the terminal; the file has all that it would have, for its owner's eyes alone."""
    path = tmp_path / "new/log"
    with logging_for(Job(quiet=True, log_file=path)):
        _say_everything()
    assert path.read_text().splitlines() == SAID[2:]
    assert capsys.readouterr().err == ""
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_json_lines_have_four_keys_always(tmp_path):
    """time in UTC, level, message and run_id; a row's own keys where a record is about one. All of it is ASCII."""
    path = tmp_path / "log"
    with logging_for(Job(log_format="json", log_file=path, verbose=1), "r-1"):
        LOG.info("a.csv:2: created 7", extra={"account": "acme", "row": "a.csv:2", "business_id": 1001})
        LOG.log(NEWS, "5 of 10 done")
        LOG.warning("ä\nb\u202e")
    row, news, odd = _lines(path)
    assert list(news) == list(odd) == KEYS_OF_A_LINE
    assert list(row) == [*KEYS_OF_A_LINE, "account", "row", "business_id"]
    assert {line["run_id"] for line in (row, news, odd)} == {"r-1"}
    assert (row["account"], row["row"], row["business_id"]) == ("acme", "a.csv:2", 1001)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["time"])
    assert [line["level"] for line in (row, news, odd)] == ["info", "info", "warning"]
    assert odd["message"] == "ä\nb\u202e"
    assert path.read_bytes().isascii()


@pytest.mark.parametrize(
    ("told", "is_said"),
    [({}, False), ({"verbose": 1}, True), ({"log_format": "json"}, True), ({"log_file": "log"}, True)],
)
def test_events_are_for_machines_and_files(told, is_said, tmp_path, monkeypatch, capsys):
    """How a run began and ended, and each failed row, are no news for somebody at a terminal, who gets a summary."""
    monkeypatch.chdir(tmp_path)
    with logging_for(Job(**told)):
        LOG.error("a.csv:2: failed", extra={"is_event": True})
    said = capsys.readouterr().err + "".join(path.read_text() for path in tmp_path.iterdir())
    assert ("failed" in said) == is_said


def test_a_text_line_is_one_line(capsys):
    """A value from a cell cannot begin a line of its own."""
    with logging_for(Job()):
        LOG.warning("cell: %s", "a\nerror: b\r\nc")
    assert capsys.readouterr().err == "warning: cell: a error: b c\n"


def test_a_log_goes_on_where_it_was(tmp_path):
    """Runs share a log file; afterwards the logger is as it was before."""
    before = (LOG.level, LOG.propagate, list(LOG.handlers))
    for word in ("first", "second"):
        with logging_for(Job(log_file=tmp_path / "log")):
            LOG.warning(word)
    assert (tmp_path / "log").read_text() == "warning: first\nwarning: second\n"
    assert (LOG.level, LOG.propagate, LOG.handlers) == before


def test_half_a_character_is_no_traceback(tmp_path, capsys):
    """A file's name that is no text is written as well as can be, and nothing else is said."""
    with logging_for(Job(log_file=tmp_path / "log")):
        LOG.warning("caf\udce9.csv")
    assert (tmp_path / "log").read_text() == "warning: caf\\udce9.csv\n"
    assert capsys.readouterr().err == ""


def test_a_log_that_cannot_be_written_is_an_error(tmp_path):
    """A folder in the place of the file: the sentence names it."""
    with pytest.raises(OutputError, match=re.escape(f"--log-file {tmp_path}: cannot be written: Is a directory")):
        logging_for(Job(log_file=tmp_path)).__enter__()


def test_a_real_run_is_told_from_its_start_to_its_end(tmp_path):
    """-v --log-format json: first `run started`, then every row, last `run finished`; no secret of a URL."""
    rows = [f"{1001 + number},BookingCreate,https://user:hush@example.com/hooks?key=hush" for number in range(3)]
    (tmp_path / "hooks.csv").write_text("\n".join(["BusinessId,Action,URL", *rows, "x,y,ftp://u:hush@z"]) + "\n")
    options = ("-v", "--log-format", "json", "--log-file", "log", "--json", "--rate", "none", "--request-rate", "none")
    done = bulkhooks("run", "hooks.csv", "--sandbox", *options, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    summary = json.loads(done.stdout)
    start, *lines, end = _lines(tmp_path / "log")
    assert {line["run_id"] for line in (start, *lines, end)} == {summary["run_id"]}
    assert (list(start), start["message"]) == (KEYS_OF_A_LINE, "run started")
    assert (end["message"], end["counts"], end["exit_code"]) == ("run finished", {"created": 3, "invalid": 1}, 1)
    assert end["outputs"] == summary["outputs"] == ["hooks.sandbox.results.xlsx"]
    of_rows = sorted((line for line in lines if "row" in line), key=lambda line: line["row"])
    assert [line["row"] for line in of_rows] == [f"hooks.csv:{2 + number}" for number in range(4)]
    *created, invalid = of_rows
    for number, line in enumerate(created):
        assert (line["business_id"], line["account"], line["action"]) == (1001 + number, "default", "BookingCreate")
        assert (line["status"], line["attempt"]) == ("created", 1)
        assert line["ms"] >= 0
    assert (invalid["level"], invalid["status"]) == ("error", "invalid")
    assert set(invalid["error_code"].split("; ")) == {"unknown-location", "unknown-action", "bad-url"}
    assert "hooks.csv:5 URL" in invalid["error"]
    assert "hush" not in (tmp_path / "log").read_text()


def test_a_failed_row_is_one_record_without_being_asked_for(tmp_path):
    """What the server refuses while it is sent: row, error_code and error, once; rows that went well are not told."""
    (tmp_path / "hooks.csv").write_text(SHEET + "77,BookingCreate,https://example.com/hooks\n")
    with sandbox_process(tmp_path) as url:
        done = bulkhooks(
            "run", "hooks.csv", "--base-url", url, "--journal", "j", "--log-format", "json", *UNLIMITED, cwd=tmp_path,
            NEXUDUS_TOKEN="sandbox-token",
        )  # fmt: skip
    assert done.returncode == 1
    start, *lines, end = map(json.loads, done.stderr.splitlines())
    assert (start["message"], end["message"]) == ("run started", "run finished")
    (failed,) = [line for line in lines if line["level"] == "error"]
    assert (failed["row"], failed["status"]) == ("hooks.csv:3", "failed")
    assert failed["error_code"].startswith("api-")
    assert failed["error"]
    assert not [line for line in lines if line.get("row") == "hooks.csv:2"]


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "word"),
    [
        (("missing.csv", "--sandbox"), {}, 2, "missing.csv"),
        (("hooks.csv", "--rate", "often"), {}, 2, "often"),
        (("hooks.csv", "--job", "missing.toml"), {}, 2, "missing.toml"),
        (("hooks.csv",), {}, 3, "NEXUDUS_TOKEN"),
    ],
)
def test_a_run_that_fails_before_it_begins_is_told_whole(arguments, environment, code, word, tmp_path):
    """With --log-format json stderr holds nothing else: start, the error, and the end with its exit code."""
    (tmp_path / "hooks.csv").write_text(SHEET)
    clean = {"NEXUDUS_TOKEN": "", "NEXUDUS_USERNAME": ""} | environment
    options = ("--log-format", "json", "--journal", "j", "--base-url", "http://127.0.0.1:9", "--json")
    done = bulkhooks("run", *arguments, *options, cwd=tmp_path, **clean)
    assert done.returncode == code
    start, error, end = map(json.loads, done.stderr.splitlines())
    assert (start["message"], error["level"], end["message"]) == ("run started", "error", "run finished")
    assert word in error["message"]
    assert (end["counts"], end["exit_code"], end["outputs"]) == ({}, code, [])
    run_id = json.loads(done.stdout)["run_id"]
    assert run_id
    assert {line["run_id"] for line in (start, error, end)} == {run_id}


def test_an_error_that_ends_a_command_stands_in_its_log_file_and_on_stderr(tmp_path):
    """Whoever reads the file sees why it ended, whoever sits at the terminal too."""
    done = bulkhooks("check", "missing.csv", "--log-file", "log", cwd=tmp_path)
    assert done.stderr == "bulkhooks: missing.csv: there is no file missing.csv\n"
    assert (tmp_path / "log").read_text() == "error: missing.csv: there is no file missing.csv\n"


def test_verbosity_may_come_from_the_environment(tmp_path):
    """BULKHOOKS_VERBOSE and BULKHOOKS_QUIET are read like every other option's variable."""
    (tmp_path / "hooks.csv").write_text(SHEET)
    command = ("run", "hooks.csv", "--sandbox", "--no-progress")
    told = bulkhooks(*command, cwd=tmp_path, BULKHOOKS_VERBOSE="1")
    assert "hooks.csv:2: created 1" in told.stderr
    quiet = bulkhooks(*command, cwd=tmp_path, BULKHOOKS_QUIET="yes")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
