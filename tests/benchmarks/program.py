"""The installed program as a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def command(folder: Path, *words: object) -> list[str]:
    """``bulkhooks run`` with a journal and results in ``folder``."""
    own = ("run", "--no-progress", "-q", "--journal", folder / "journal.db", "-o", folder / "out.csv")
    return [sys.executable, "-m", "bulkhooks", *map(str, (*own, *words))]


def run(folder: Path, *words: object) -> None:
    """``command`` to its end; raises where that is not a good one."""
    _call(command(folder, *words))


def call(*words: object) -> None:
    """Any command to its end."""
    _call([sys.executable, "-m", "bulkhooks", *map(str, words)])


def _call(words: list[str]) -> None:
    environment = {**os.environ, "NEXUDUS_TOKEN": "token", "BENCH_TOKEN": "sandbox-token"}
    subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
