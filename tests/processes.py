"""The installed program and its sandbox as processes of their own, for tests from the outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import httpx

from tests import warm

PROGRAM = (sys.executable, "-m", "bulkhooks")
UNLIMITED = ("--rate", "none", "--request-rate", "none")


def bulkhooks(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a process of its own; its output is captured as text."""
    child = start(*arguments, cwd=cwd, **environment)
    printed, complained = child.communicate(timeout=600)
    return subprocess.CompletedProcess([*PROGRAM, *map(str, arguments)], child.returncode, printed, complained)


def start(
    *arguments: object,
    cwd: Path,
    stdout: int = PIPE,
    stderr: int = PIPE,
    limits: Mapping[int, int] | None = None,
    **environment: str,
) -> warm.Child:
    """A command in a process of its own, at work. ``limits``: of the system, by their numbers in ``resource``."""
    words, env = [*map(str, arguments)], {**os.environ, **environment}
    if hasattr(os, "fork"):
        return warm.Child(words, cwd=cwd, env=env, stdout=stdout, stderr=stderr, limits=limits)
    return subprocess.Popen(
        [*PROGRAM, *words], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=True
    )  # type: ignore[return-value]


@contextmanager
def sandbox_process(cwd: Path, *options: str) -> Iterator[str]:
    """``bulkhooks sandbox`` on a free port; gives its address."""
    process = start("sandbox", "--port", "0", *options, cwd=cwd, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield next(word for word in line.split() if word.startswith("http"))
    finally:
        process.terminate()
        process.wait(timeout=120)


def stored(base_url: str) -> list[dict[str, object]]:
    """Every webhook that the sandbox holds, in full."""
    return list(httpx.get(f"{base_url}/sandbox/webhooks").json())
