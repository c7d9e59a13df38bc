"""The installed program as a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = (sys.executable, "-m", "bulkhooks")


def run(folder: Path, *words: object) -> None:
    """``bulkhooks run`` with a journal and results in ``folder``; raises where it does not end well."""
    call("run", "--no-progress", "-q", "--journal", folder / "journal.db", "-o", folder / "out.csv", *words)


def call(*words: object) -> None:
    """Any command."""
    subprocess.run(
        [*PROGRAM, *map(str, words)],
        env={**os.environ, "NEXUDUS_TOKEN": "token"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
