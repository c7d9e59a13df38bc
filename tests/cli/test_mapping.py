"""Asking for a mapping at a real terminal, and not asking where there is none."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib

import pytest

TEXT = """Our webhooks
Site ID,Webhook type,Destination,Live?
1001,BookingCreate,https://hooks.example.com/in/a,no
1002,BookingUpdate,https://hooks.example.com/in/b,yes
"""
MAP = ["Webhook type=Action", "Destination=URL", "Live?=Active"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "hooks.csv").write_text(TEXT, "utf-8")
    return tmp_path


def program(folder, *words, **streams):
    return subprocess.Popen([sys.executable, "-m", "bulkhooks", *words], cwd=folder, text=True, **streams)


def at_a_terminal(folder, answers, *words):
    """Exit code, what stood on the terminal, and stdout."""
    ours, theirs = pty.openpty()
    process = program(folder, *words, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE)
    os.close(theirs)
    os.write(ours, answers.encode())
    output, _ = process.communicate(timeout=120)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # how a terminal ends on Linux
        pass
    os.close(ours)
    return process.returncode, shown.decode(), output


def test_a_person_takes_the_mapping_and_keeps_it(folder):
    """Asked once, and once whether to keep it; the job file is then all that is needed."""
    code, shown, output = at_a_terminal(folder, "y\ny\n", "check", "hooks.csv")
    assert code == 0
    assert "'Destination' is the URL" in shown
    assert "2 webhooks can be sent" in output
    assert tomllib.loads((folder / "hooks.toml").read_text("utf-8")) == {"job": {"input": ["hooks.csv"], "map": MAP}}
    assert program(folder, "check", "--job", "hooks.toml").wait(120) == 0


def test_where_there_is_a_job_file_the_line_is_told(folder):
    """And nothing that is there is changed."""
    (folder / "hooks.toml").write_text("[job]\n", "utf-8")
    code, shown, _ = at_a_terminal(folder, "y\n", "plan", "--sandbox", "hooks.csv")
    assert code == 0
    assert 'map = ["Webhook type=Action", "Destination=URL", "Live?=Active"]' in shown
    assert (folder / "hooks.toml").read_text("utf-8") == "[job]\n"


def test_a_no_ends_as_without_a_terminal(folder):
    """Exit code 2 with the whole line, and no file."""
    code, shown, _ = at_a_terminal(folder, "n\n", "run", "--sandbox", "hooks.csv")
    assert code == 2
    assert '--map "Webhook type=Action" --map "Destination=URL" --map "Live?=Active"' in shown
    assert [path.name for path in folder.iterdir()] == ["hooks.csv"]


@pytest.mark.parametrize("words", [["check"], ["run", "--sandbox"]])
def test_nobody_is_asked_without_a_terminal(folder, words):
    """The sentence is all."""
    process = program(folder, *words, "hooks.csv", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    _, told = process.communicate("y\ny\n", timeout=120)
    assert process.returncode == 2
    assert "[y/N]" not in told
    assert '--map "Live?=Active"' in told
