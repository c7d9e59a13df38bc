"""Starting: what a person waits for who only asks for help, and what a small sheet takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.inputs import write_xlsx
from tests.benchmarks.measure import Row, Scale, medians, seconds
from tests.benchmarks.program import call

_NOTHING = """
import click
@click.group()
def app(): pass
"""
_COMMAND = """
@app.command()
@click.argument("path")
@click.option("-o", "--output", default="")
@click.option("--count", type=int, default=0)
@click.option("--dry", is_flag=True)
def command{number}(path, output, count, dry):
    "Does nothing."
"""
_SECOND = 1.0


def cases(scale: Scale, folder: Path) -> Iterator[Row]:
    """``--help`` and ``--version`` beside a click application of ten commands that does nothing; ``check``."""
    repeats = 1 if scale.short else 15
    nothing = folder / "nothing.py"
    nothing.write_text(_NOTHING + "".join(_COMMAND.format(number=number) for number in range(10)) + "\napp()\n")

    def reference() -> None:
        subprocess.run([sys.executable, str(nothing), "--help"], stdout=subprocess.DEVNULL, check=True)

    for option in ("--help", "--version"):
        ours, theirs = medians(repeats, lambda: seconds(lambda: call(option)), lambda: seconds(reference))  # noqa: B023
        yield Row(f"bulkhooks {option}", f"{ours:.3f} s", f"click, ten commands {theirs:.3f} s", ours / theirs, 1.3)
    sheet = write_xlsx(folder / "small.xlsx", 50)
    (ours,) = medians(repeats, lambda: seconds(lambda: call("check", sheet)))
    yield Row("bulkhooks check, 50 rows", f"{ours:.2f} s", "a second", ours / _SECOND, 1.0)
