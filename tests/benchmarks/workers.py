"""Many accounts, in one process and over workers of this machine, against a sandbox without limits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measure import Row, Scale, installed, seconds, skipped
from tests.benchmarks.program import run
from tests.processes import UNLIMITED, sandbox_process

EACH = 10
"""Webhooks of an account."""


def cases(scale: Scale, folder: Path) -> Iterator[Row]:
    """1,000 accounts of 10 webhooks: listing, sending and results, the start of all processes among it."""
    accounts = scale(1_000, 3)
    case = f"{accounts:,} accounts of {EACH} webhooks"
    if not installed("distributed", "cryptography"):
        yield skipped(case, "distributed")
        return
    words = (_input(folder, accounts), "--accounts", folder / "accounts.toml", *UNLIMITED)
    took: dict[int, float] = {}
    for workers in (0, 1, 2):
        over = ("--workers", workers) if workers else ()
        with (
            sandbox_process(folder, "--locations", f"1001-{1000 + EACH}") as address,
            tempfile.TemporaryDirectory(dir=folder) as fresh,
        ):
            took[workers] = seconds(partial(run, Path(fresh), *words, "--base-url", address, *over))
    for workers in (1, 2):
        yield Row(
            f"{case}, {workers} workers",
            f"{accounts * EACH / took[workers]:,.0f}/s",
            f"one process {accounts * EACH / took[0]:,.0f}/s",
            took[workers] / took[0],
        )


def _input(folder: Path, accounts: int) -> Path:
    """A CSV in which the accounts take turns, and the file of accounts, which all have one token."""
    names = [f"a{number:04}" for number in range(accounts)]
    (folder / "accounts.toml").write_text("".join(f'[accounts.{name}]\ntoken_env = "BENCH_TOKEN"\n' for name in names))
    rows = (
        f"{1001 + number},BookingCreate,https://hooks.example.com/{name}/{number},{name}\n"
        for number in range(EACH)
        for name in names
    )
    path = folder / "accounts.csv"
    path.write_text("BusinessId,Action,URL,Account\n" + "".join(rows))
    return path
