"""A plan on a terminal: in colours, and no wider than it is."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios

import pytest

from tests.processes import PROGRAM

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="opens a terminal of Unix")


def on_a_terminal(*arguments, cwd, columns, **environment):
    """What a command prints on a terminal of that width."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    known = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}}
    child = subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=cwd,
        env={**known, **environment},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    printed = b""
    while True:
        try:
            read = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        if not read:
            break
        printed += read
    os.close(ours)
    assert child.wait() == 0
    return printed.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_what_would_be_made_is_green_and_cut_at_the_width(tmp_path, environment):
    """NO_COLOR leaves the colours out."""
    (tmp_path / "hooks.csv").write_text(f"BusinessId,Action,URL\n1001,Booking*,https://a.example/{'x' * 99}\n")
    printed = on_a_terminal("plan", "hooks.csv", "--sandbox", cwd=tmp_path, columns=60, **environment)
    assert "Booking* means" in printed
    lines = [line for line in printed.splitlines() if "  + " in line]
    assert len(lines) > 1
    for line in lines:
        plain = re.sub(r"\x1b\[\d+m", "", line)
        assert plain.endswith("…")
        assert len(plain) == 60
        assert (plain == line) == bool(environment)
        assert line == plain or line == f"\x1b[32m{plain}\x1b[0m"
