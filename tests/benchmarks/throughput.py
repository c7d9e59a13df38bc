"""Whole runs without limits beside the loops that people write instead, against a far end that costs little."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from tests.benchmarks.bare import IN_FLIGHT
from tests.benchmarks.inputs import write_csv
from tests.benchmarks.measure import Row, Scale, installed, medians, seconds, skipped
from tests.benchmarks.program import run
from tests.benchmarks.server import far_end

UNLIMITED = ("--rate", "none", "--request-rate", "none", "--concurrency", IN_FLIGHT)


def cases(scale: Scale, folder: Path) -> Iterator[Row]:
    """20,000 webhooks, 32 in flight: read, journal, send and results, the start of the program among it."""
    count, few = scale(20_000, 100), scale(4_000, 60)
    many_rows, few_rows = write_csv(folder / "many.csv", count), write_csv(folder / "few.csv", few)
    with far_end() as address:

        def ours() -> float:
            httpx.get(f"{address}/reset")
            with tempfile.TemporaryDirectory(dir=folder) as fresh:
                return count / seconds(lambda: run(Path(fresh), many_rows, "--base-url", address, *UNLIMITED))

        references: list[tuple[str, Callable[[], float], float | None]] = []
        references.append(("a loop over one httpx.AsyncClient", lambda: _bare("shared", address, few_rows), 2.0))
        if installed("httpx_aiohttp"):
            references.append(("a loop over httpx-aiohttp", lambda: _bare("aiohttp", address, many_rows), None))
        if shutil.which("xargs") and shutil.which("curl"):
            references.append(("xargs -P8 curl", lambda: _curl(address, few_rows, few // 4), None))
        if newman := shutil.which("newman"):
            references.append(("newman -d data.csv", lambda: _newman(newman, address, folder, few // 4), None))
        mine, *theirs = medians(scale.repeats, ours, *(measure for _, measure, _ in references))
    case = f"a run of {count:,} webhooks, {IN_FLIGHT} in flight"
    for (name, _, goal), rate in zip(references, theirs, strict=True):
        yield Row(case, f"{mine:,.0f}/s", f"{name} {rate:,.0f}/s", mine / rate, goal, at_least=True)
    if not installed("httpx_aiohttp"):
        yield skipped(case, "httpx-aiohttp")
    if not shutil.which("newman"):
        yield skipped(case, "newman")


def _bare(kind: str, address: str, path: Path) -> float:
    words = [sys.executable, "-m", "tests.benchmarks.bare", kind, address, str(path)]
    return float(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout)


def _curl(address: str, path: Path, count: int) -> float:
    bodies = path.with_suffix(".bodies")
    lines = path.read_text().splitlines()[1 : count + 1]
    bodies.write_text("".join(f"{_body(line)}\0" for line in lines))
    words = [
        "xargs", "-0", "-P8", "-n1", "curl", "-s", "-o", "/dev/null", "-H", "Content-Type: application/json",
        f"{address}/api/sys/webhooks", "-d",
    ]  # fmt: skip
    with bodies.open() as file:
        return count / seconds(lambda: subprocess.run(words, stdin=file, check=True))


def _newman(program: str, address: str, folder: Path, count: int) -> float:
    rows = write_csv(folder / "newman.csv", count)
    raw = '{"BusinessId": {{BusinessId}}, "Name": "{{Name}}", "Action": 6, "URL": "{{URL}}"}'
    header = [{"key": "Content-Type", "value": "application/json"}]
    request = {
        "method": "POST", "url": f"{address}/api/sys/webhooks", "header": header, "body": {"mode": "raw", "raw": raw},
    }  # fmt: skip
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    collection = folder / "newman.json"
    collection.write_text(
        json.dumps({"info": {"name": "hooks", "schema": schema}, "item": [{"name": "create", "request": request}]})
    )
    words = [program, "run", str(collection), "-d", str(rows), "--silent"]
    return count / seconds(lambda: subprocess.run(words, check=True))


def _body(line: str) -> str:
    location, _, _, url, name, *_ = line.split(",")
    return json.dumps({"BusinessId": int(location), "Name": name, "Action": 6, "URL": url})
