"""A process that has loaded the program and forks itself for each command, which spares the time of loading it.

Each command is a process of its own, with its own arguments, environment and folder, and runs
``bulkhooks.__main__.main``
as ``python -m bulkhooks`` does. What depends on how a process starts (streams, encodings, imports, signals) is tested
with ``python -m bulkhooks`` itself.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

_PRELOADED = (
    "bulkhooks.cli.app",
    *(f"bulkhooks.commands.{name}" for name in ("run", "plan", "check", "undo", "health", "history", "template")),
    "bulkhooks.sandbox.server",
)


def run(arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], out: Path, err: Path) -> int:
    """Run a command to its end; what it prints goes to the files ``out`` and ``err``. Returns its exit code."""
    order = {"arguments": [*arguments], "cwd": str(cwd), "environment": {**environment}}
    stdin, stdout = _forker()
    stdin.write(json.dumps({**order, "streams": [os.devnull, str(out), str(err)]}) + "\n")
    stdin.flush()
    return int(stdout.readline())


@functools.cache
def _forker():
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm"],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.kill)
    return process.stdin, process.stdout


def _serve() -> None:
    for name in _PRELOADED:
        import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            become(**json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def become(
    arguments: Sequence[str],
    cwd: str,
    environment: Mapping[str, str],
    streams: Sequence[str],
    main: Callable[[], None] | None = None,
) -> None:
    """Be the process that was asked for, to the end of the program; ``main`` is that, if not this one."""
    if main is None:
        from bulkhooks.__main__ import main

    for number, path in enumerate(streams):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["bulkhooks", *arguments]
    main()


if __name__ == "__main__":
    _serve()
