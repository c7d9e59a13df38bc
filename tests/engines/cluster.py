"""A cluster of Dask as its users have it: a scheduler and workers, each a program of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.cut import Line
from tests.engines.field import until

_PLAIN = {"DASK_DISTRIBUTED__COMM__COMPRESSION": "False"}


class Cluster:
    """``environment`` is that of the workers. ``port`` is the scheduler's."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._folder = folder
        self._environment = environment
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        known = self._folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(known))
        until(lambda: known.exists() and known.stat().st_size)
        self.port = int(json.loads(known.read_text())["address"].rpartition(":")[2])
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._children):
            child.kill()
            child.wait()

    def add_worker(self, port: int) -> subprocess.Popen[bytes]:
        """One more, which reaches the scheduler at this port."""
        return self._start(
            "worker", f"tcp://127.0.0.1:{port}", "--nthreads", "20", "--no-dashboard", "--no-nanny",
            "--local-directory", str(self._folder),
        )  # fmt: skip

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{kind}-{len(self._children)}.log").open("wb") as said:
            child = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1", *options],
                env={**os.environ, **_PLAIN, **self._environment}, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip
        self._children.append(child)
        return child


class Recorded(Line):
    """A line that keeps what passes."""

    def __init__(self, to: int) -> None:
        self.pieces: list[bytes] = []
        super().__init__(to)

    def passes(self, piece: bytes) -> None:
        self.pieces.append(piece)
