"""One line a fact, for a person or a machine, and no secret in any; how a run that takes its time is told of."""

from __future__ import annotations

import json
import logging
import re

import pytest

from bulkhooks.cli.logs import KEYS, NEWS, logging_for
from bulkhooks.cli.progress import watching
from bulkhooks.config.job import Job
from bulkhooks.errors import InputError, OutputError
from bulkhooks.report import Progress
from tests.processes import bulkhooks

LOG = logging.getLogger("bulkhooks")
SHEET = "BusinessId,Action,URL\n1001,BookingCreate,https://user:hush@example.com/hooks?key=hush\n"
SAID = ["debug: of a request", "of a row", "how it stands", "warning: what is odd", "error: what went wrong"]
KEYS_OF_A_LINE = ["time", "level", "message", *KEYS]


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
        ({"quiet": True}, SAID[4:]),
        ({"quiet": True, "verbose": 2}, SAID[4:]),
        ({}, SAID[2:]),
        ({"verbose": 1}, SAID[1:]),
        ({"verbose": 3}, SAID),
    ],
)
def test_how_much_is_said(told, said, capsys):
    """Quiet is errors alone, -v tells of every row; facts stand without a level, the rest says what it is."""
    with logging_for(Job(**told)):
        _say_everything()
    assert capsys.readouterr().err.splitlines() == said


def test_json_lines_have_the_same_keys_always(tmp_path):
    """time, level, message and the keys of a row, null where a line is about none; the time is UTC."""
    path = tmp_path / "new/log"
    with logging_for(Job(log_format="json", log_file=path, verbose=1)):
        LOG.info("a.csv:2: created 7", extra={"run_id": "r", "account": "acme", "row": "a.csv:2", "business_id": 1001})
        LOG.log(NEWS, "5 of 10 done")
        LOG.warning("ä\nb")
    row, news, odd = _lines(path)
    assert list(row) == list(news) == list(odd) == KEYS_OF_A_LINE
    assert (row["run_id"], row["account"], row["row"], row["business_id"]) == ("r", "acme", "a.csv:2", 1001)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["time"])
    assert [line["level"] for line in (row, news, odd)] == ["info", "info", "warning"]
    assert odd["message"] == "ä\nb"
    assert {odd[key] for key in KEYS} == {None}


def test_a_text_line_is_one_line(capsys):
    """A value from a cell cannot begin a line of its own."""
    with logging_for(Job()):
        LOG.warning("cell: %s", "a\nerror: b\r\nc")
    assert capsys.readouterr().err == "warning: cell: a error: b c\n"


def test_an_error_that_ends_the_command_stands_in_the_log(tmp_path):
    """Whoever reads the log file sees why a run ended, not only what came before."""
    path = tmp_path / "log"

    def fail():
        with logging_for(Job(log_file=path)):
            raise InputError("hooks.xlsx: this is no workbook")

    with pytest.raises(InputError):
        fail()
    assert path.read_text() == "error: hooks.xlsx: this is no workbook\n"


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


def test_a_real_run_writes_one_object_a_line(tmp_path):
    """-v --log-format json --log-file: every row with its run, account and what became of it; no secret of a URL."""
    rows = [f"{1001 + number},BookingCreate,https://user:hush@example.com/hooks?key=hush" for number in range(3)]
    (tmp_path / "hooks.csv").write_text("\n".join(["BusinessId,Action,URL", *rows, "x,y,z"]) + "\n")
    options = ("-v", "--log-format", "json", "--log-file", "log", "--json", "--rate", "none", "--request-rate", "none")
    done = bulkhooks("run", "hooks.csv", "--sandbox", *options, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    run_id = json.loads(done.stdout)["run_id"]
    lines = _lines(tmp_path / "log")
    assert all(list(line) == KEYS_OF_A_LINE for line in lines)
    of_rows = sorted((line for line in lines if line["row"]), key=lambda line: line["row"])
    assert [(line["row"], line["business_id"]) for line in of_rows] == [
        (f"hooks.csv:{2 + number}", 1001 + number) for number in range(3)
    ]
    for line in of_rows:
        assert (line["run_id"], line["account"], line["action"]) == (run_id, "default", "BookingCreate")
        assert (line["status"], line["attempt"]) == ("created", 1)
        assert line["ms"] >= 0
    assert "hush" not in (tmp_path / "log").read_text()


def test_errors_are_objects_too(tmp_path):
    """With --log-format json stderr holds nothing else, however the command ends."""
    done = bulkhooks("run", "missing.csv", "--sandbox", "--log-format", "json", cwd=tmp_path)
    assert done.returncode == 2
    (line,) = map(json.loads, done.stderr.splitlines())
    assert line["level"] == "error"
    assert "missing.csv" in line["message"]


def test_verbosity_may_come_from_the_environment(tmp_path):
    """BULKHOOKS_VERBOSE and BULKHOOKS_QUIET are read like every other option's variable."""
    (tmp_path / "hooks.csv").write_text(SHEET)
    command = ("run", "hooks.csv", "--sandbox", "--no-progress")
    told = bulkhooks(*command, cwd=tmp_path, BULKHOOKS_VERBOSE="1")
    assert "hooks.csv:2: created 1" in told.stderr
    quiet = bulkhooks(*command, cwd=tmp_path, BULKHOOKS_QUIET="yes")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


# Progress


@pytest.mark.parametrize("told", [{"no_progress": True}, {"quiet": True}])
def test_nobody_watches_where_nobody_wants_to(told):
    """--no-progress, and --quiet, which says nothing but errors."""
    with watching(Job(**told)) as watcher:
        assert watcher is None


def test_without_a_terminal_there_is_no_bar(capsys):
    """A short run says nothing of its progress; its lines come every half minute."""
    with watching(Job()) as watcher:
        watcher.moved(Progress(10, 5, {"created": 4, "failed": 1}, 60.0))
    assert capsys.readouterr().err == ""
