"""``python -m tests.benchmarks [--short] [--full] [CASE ...]``: measure, and print a table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from tests.benchmarks.measure import Row, Scale, table

CASES = ("start", "reading", "results", "limits", "simulation", "throughput", "workers", "again", "memory")
"""Each a module of this package with ``cases(scale, folder)``."""


def main(words: list[str] | None = None) -> int:
    """Run the cases; 0 when all of them ran, whatever they came to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"some of {', '.join(CASES)}; none: all of them")
    parser.add_argument("--short", action="store_true", help="small and once: only to see that every case runs")
    parser.add_argument("--full", action="store_true", help="also what takes many minutes: a run of 1,000,000 webhooks")
    asked = parser.parse_args(words)
    if unknown := set(asked.cases) - set(CASES):
        parser.error(f"no case is called {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    rows: list[Row] = []
    for name in asked.cases or CASES:
        with tempfile.TemporaryDirectory(prefix="bulkhooks-bench-") as folder:
            for row in import_module(f"tests.benchmarks.{name}").cases(Scale(asked.short, asked.full), Path(folder)):
                print(f"{name}: {row.case}: {row.ours}; {row.reference}", file=sys.stderr, flush=True)
                rows.append(row)
    if asked.short:
        print(f"{len(rows)} lines: everything runs; what it takes at this size says nothing")
        return 0
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}\n")
    print("\n".join(table(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
