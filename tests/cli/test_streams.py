"""What is told never decides what is done: streams that are closed, full, gone or of an odd encoding change no run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from tests.processes import PROGRAM, bulkhooks

SHEET = "BusinessId,Action,URL\n1001,BookingCreate,https://example.com/hooks\n1002,Bü\u202e,https://example.com/x\n"
COMMAND = f'"{sys.executable}" -m bulkhooks run hooks.csv --sandbox --rate none --request-rate none'
full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")  # noqa: PTH110


@pytest.fixture
def folder(tmp_path):
    """A sheet with one row that is right and one that is not: exit code 1."""
    (tmp_path / "hooks.csv").write_text(SHEET, "utf-8")
    return tmp_path


def _sh(line, cwd, **environment):
    """Run a line of a shell; -v, so that there is something to tell on both streams."""
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=cwd, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, check=False,
        capture_output=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "streams",
    [
        ">&-",
        "<&- >&- 2>&-",
        pytest.param(">&- --json", marks=pytest.mark.heavy),
        pytest.param("2>/dev/full", marks=full),
        pytest.param(">/dev/full", marks=[full, pytest.mark.heavy]),
        pytest.param(">/dev/full 2>&1 --json", marks=full),
        pytest.param("--log-file /dev/full", marks=full),
        pytest.param("--log-file /dev/full --log-format json", marks=[full, pytest.mark.heavy]),
    ],
)
def test_a_stream_that_takes_nothing_changes_nothing(streams, folder):
    """The results are written and the exit code is the run's own."""
    code, _, errors = _sh(f"{COMMAND} -v {streams}", folder)
    assert code == 1, errors
    assert (folder / "hooks.sandbox.results.xlsx").exists()
    assert b"Traceback" not in errors
    assert b"should not have happened" not in errors


@pytest.mark.parametrize("which", ["stdout", "stderr"])
def test_a_reader_that_has_gone_changes_nothing(which, folder):
    """The other end of the pipe is closed before anything is written."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [*PROGRAM, "run", "hooks.csv", "--sandbox", "-v", "--rate", "none", "--request-rate", "none"]
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, which: writer}
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, check=False, timeout=120, **streams,
        preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL),
    )  # fmt: skip
    os.close(writer)
    assert done.returncode == 1
    assert (folder / "hooks.sandbox.results.xlsx").exists()


def test_nothing_is_written_into_a_file_that_took_the_number_of_a_closed_stream(folder):
    """With 1 and 2 closed the journal would be opened as one of them; it is still a database afterwards."""
    with open(folder / "empty.csv", "w") as file:  # noqa: PTH123
        file.write("BusinessId,Action,URL\n1001,BookingCreate,https://example.com/hooks\n")
    line = COMMAND.replace("hooks.csv --sandbox", "empty.csv --base-url http://127.0.0.1:9 --give-up-after 1")
    code, _, _ = _sh(f"{line} -vv --journal j.db <&- >&- 2>&-", folder, NEXUDUS_TOKEN="hush-hush")
    assert code == 4
    assert (folder / "j.db").read_bytes().startswith(b"SQLite format 3\0")
    assert _sh(f'"{sys.executable}" -m bulkhooks runs --journal j.db --json', folder)[0] == 0


@pytest.mark.parametrize("encoding", ["cp1252", pytest.param("utf-8", marks=pytest.mark.heavy), "ascii"])
def test_an_encoding_that_lacks_a_character_spells_it_out(encoding, folder):
    """Nothing is unexpected, JSON is ASCII, and what is no letter of the encoding stands there as its number."""
    code, out, errors = _sh(f"{COMMAND} --json", folder, PYTHONIOENCODING=encoding)
    assert code == 1, errors
    assert out.isascii()
    assert json.loads(out)["counts"] == {"created": 1, "invalid": 1}
    code, out, errors = _sh(
        COMMAND.replace(" run ", " check ").partition(" --sandbox")[0], folder, PYTHONIOENCODING=encoding
    )
    assert code == 1, errors
    told = (out + errors).decode(encoding)
    assert ("B\\xfc" if encoding == "ascii" else "Bü") in told
    assert "\u202e" not in told


BAD = "\u202e\x1b[31m"


@pytest.mark.parametrize(
    "arguments",
    [
        (f"--{BAD}",),
        (BAD,),
        ("run", f"--{BAD}"),
        ("run", f"x{BAD}.csv", "--sandbox"),
        ("run", "hooks.csv", "--rate", BAD),
        ("run", "hooks.csv", "--job", f"{BAD}.toml"),
        ("sandbox", "--host", BAD),
        ("sandbox", "--state", f"{BAD}/no/file", "--port", "99999"),
        ("results", "--run", BAD, "--journal", f"{BAD}.db", "-o", "x.csv"),
    ],
    ids=repr,
)
def test_no_escape_and_no_mark_of_direction_reaches_the_terminal(arguments, folder):
    """On whatever path it is that a text from outside comes back."""
    done = bulkhooks(*arguments, cwd=folder)
    assert done.returncode == 2
    assert done.stderr
    assert (done.stdout + done.stderr).replace("\n", "").isprintable()


def test_a_usage_error_is_one_sentence_and_with_json_an_object(folder):
    """The parser's own errors come as every other error does."""
    code, out, errors = _sh(f"{COMMAND} --json --strickt", folder)
    assert code == 2
    (line,) = errors.decode().splitlines()
    assert re.fullmatch(r"bulkhooks: No such option.*--strickt.*--strict.*; see `bulkhooks run --help`", line)
    found = json.loads(out)
    assert (found["status"], found["exit_code"]) == ("input-error", 2)
