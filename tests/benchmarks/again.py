"""A job that is finished and runs again: what it asks the server, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.benchmarks.inputs import write_csv
from tests.benchmarks.measure import Row, Scale, medians, seconds
from tests.benchmarks.program import run
from tests.benchmarks.server import PAGE_SIZE, far_end
from tests.benchmarks.throughput import UNLIMITED


def cases(scale: Scale, folder: Path) -> Iterator[Row]:
    """100,000 webhooks that are all there."""
    count = scale(100_000, 700)
    rows = write_csv(folder / "hooks.csv", count)
    with far_end() as address:

        def once() -> float:
            return seconds(lambda: run(folder, rows, "--base-url", address, *UNLIMITED))

        once()
        before = httpx.get(f"{address}/counts").json()
        (taken,) = medians(scale.repeats, once)
        after = httpx.get(f"{address}/counts").json()
    writes = sum(after[method] - before[method] for method in ("POST", "PUT", "DELETE"))
    reads = (after["GET"] - before["GET"]) / scale.repeats
    allowed = -(-count // PAGE_SIZE) + 2
    yield Row(
        f"a finished run of {count:,} webhooks again",
        f"{taken:.1f} s, {writes} writes, {reads:g} reads",
        f"allowed: 0 writes, {allowed} reads",
        (reads + writes * allowed) / allowed,
        1.0,
    )
