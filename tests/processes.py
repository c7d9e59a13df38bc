"""The installed program and its sandbox as processes of their own, for tests from the outside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests import warm

PROGRAM = (sys.executable, "-m", "bulkhooks")
UNLIMITED = ("--rate", "none", "--request-rate", "none")


def bulkhooks(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a process of its own; its output is captured as text."""
    words = [str(argument) for argument in arguments]
    variables = {**os.environ, **environment}
    if not hasattr(os, "fork"):
        return subprocess.run(
            [*PROGRAM, *words], cwd=cwd, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        code = warm.run(words, cwd, variables, out, err)
        printed, complained = (path.read_bytes().decode().replace("\r\n", "\n") for path in (out, err))
    return subprocess.CompletedProcess([*PROGRAM, *words], code, printed, complained)


@contextmanager
def sandbox_process(cwd: Path, *options: str) -> Iterator[str]:
    """``bulkhooks sandbox`` on a free port; gives its address."""
    process = subprocess.Popen(
        [*PROGRAM, "sandbox", "--port", "0", *options], cwd=cwd, stdout=subprocess.PIPE, text=True
    )
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
