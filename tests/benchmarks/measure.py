"""What a case is, how it is measured, and the table at the end.

A case measures ours and its references by turns, so that a machine that is busy for a while is so for all of them; of
each the median counts, and what is said is their ratio.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Measure = Callable[[], float]
"""Does the work once and returns what it took, in the unit of the case."""


@dataclass(frozen=True)
class Row:
    """A line of the table. ``goal`` is the ratio aimed at, ours to the reference's; None where there is none."""

    case: str
    ours: str
    reference: str
    ratio: float | None = None
    goal: float | None = None
    at_least: bool = False
    """Whether the goal is a floor and not a ceiling."""

    @property
    def operation(self) -> str:
        if self.ratio is None or self.goal is None:
            return ""
        return "yes" if (self.ratio >= self.goal if self.at_least else self.ratio <= self.goal) else "NO"


@dataclass(frozen=True)
class Scale:
    """How large and how often: ``short`` to see only that everything runs, ``full`` with what takes many minutes."""

    short: bool = False
    full: bool = False

    @property
    def repeats(self) -> int:
        return 1 if self.short else 5

    def __call__(self, full: int, short: int) -> int:
        return short if self.short else full


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def medians(repeats: int, *measures: Measure) -> list[float]:
    """The median of each, measured by turns."""
    taken = [[measure() for measure in measures] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def installed(*modules: str) -> bool:
    """Whether the references are there; they come with ``pip install 'bulkhooks[bench]'``."""
    return all(importlib.util.find_spec(module) for module in modules)


def skipped(case: str, what: str) -> Row:
    """The reference is not there."""
    return Row(case, "", f"skipped: no {what} here")


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows as a table of Markdown, for a terminal as for the README."""
    lines = [("case", "ours", "reference", "ratio", "goal", "reached")]
    for row in rows:
        sign = "≥" if row.at_least else "≤"
        lines.append(
            (
                row.case,
                row.ours,
                row.reference,
                "" if row.ratio is None else f"{row.ratio:.2f}",
                "" if row.goal is None else f"{sign} {row.goal:g}",
                row.operation,
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        yield "| " + " | ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)) + " |"
        if number == 0:
            yield "| " + " | ".join("-" * width for width in widths) + " |"
