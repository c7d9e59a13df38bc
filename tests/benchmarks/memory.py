"""The most memory that a run takes, and whether its time grows faster than its size."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.benchmarks.inputs import EVENTS, write_csv
from tests.benchmarks.measure import Row, Scale, medians, seconds
from tests.benchmarks.program import command, run
from tests.benchmarks.server import far_end
from tests.benchmarks.throughput import UNLIMITED

MEBI = 1024 * 1024
_EACH = len(EVENTS.split(","))


def cases(scale: Scale, folder: Path) -> Iterator[Row]:
    """Peaks of 10,000 and (``--full``) of 1,000,000 webhooks; the time for each of 1,000 beside each of 100,000."""
    with far_end() as address:
        goals = {scale(10_000, 100): 200} | ({1_000_000: 1000} if scale.full else {})
        for count, goal in goals.items():
            rows = write_csv(folder / "hooks.csv", count // _EACH, events=EVENTS)
            peak = _peak(address, folder, rows)
            yield Row(
                f"most memory of a run of {count:,} webhooks", f"{peak} MB", f"allowed: {goal} MB", peak / goal, 1.0
            )
        yield _growth(scale, address, folder)


def _growth(scale: Scale, address: str, folder: Path) -> Row:
    few, many = scale(1_000, 20), scale(100_000, 100)
    inputs = {count: write_csv(folder / f"{count}.csv", count) for count in (1, few, many)}

    def taken(count: int) -> float:
        httpx.get(f"{address}/reset")
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            return seconds(lambda: run(Path(fresh), inputs[count], "--base-url", address, *UNLIMITED))

    start, small, large = medians(scale.repeats, *(lambda count=count: taken(count) for count in inputs))
    each_of_few, each_of_many = (small - start) / (few - 1), (large - start) / (many - 1)
    return Row(
        f"each of {many:,} webhooks beside each of {few:,}, the start left out",
        f"{each_of_many * 1e6:.0f} µs",
        f"{each_of_few * 1e6:.0f} µs",
        each_of_many / each_of_few,
        1.2,
    )


def _peak(address: str, folder: Path, rows: Path) -> int:
    """Megabytes (2**20 bytes), as the system counts them for the process."""
    httpx.get(f"{address}/reset")
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        words = command(Path(fresh), rows, "--base-url", address, *UNLIMITED)
        told = subprocess.run(
            [sys.executable, "-c", _WEIGHED, *words],
            env={**os.environ, "NEXUDUS_TOKEN": "token"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return round(int(told.stdout) * (1 if sys.platform == "darwin" else 1024) / MEBI)


_WEIGHED = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A process counts as its own what its parent held when it was started, so the parent has to be a small one."""
