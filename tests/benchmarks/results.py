"""Writing results beside the writers alone, on the same values."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from xlsxwriter import Workbook

from bulkhooks.report import Summary
from bulkhooks.sheets.values import ResultRow, RunFacts
from bulkhooks.sheets.writing.outputs import Outputs
from bulkhooks.webhook import RESULT_COLUMNS
from tests.benchmarks.measure import Row, Scale, medians, seconds

COLUMNS = [*RESULT_COLUMNS, "Cost centre"]


def cases(scale: Scale, folder: Path) -> Iterator[Row]:
    """100,000 rows as a workbook, 1,000,000 as text."""
    few, many = _rows(scale(100_000, 200)), _rows(scale(1_000_000, 400))
    summary = Summary("20261123T013500Z-4f2a9c01", started_at="2026-11-23T01:35:00.000Z")

    def ours(name: str, rows: list[list[object]]) -> float:
        gc.collect()
        with Outputs([folder / name]) as outputs:
            return seconds(lambda: outputs.write(COLUMNS, map(ResultRow, rows), summary, RunFacts()))

    yield _row(
        f"write {len(few):,} results as .xlsx", "XlsxWriter",
        medians(scale.repeats, lambda: ours("out.xlsx", few), lambda: _xlsxwriter(folder / "plain.xlsx", few)),
    )  # fmt: skip
    frame = pd.DataFrame(many, columns=COLUMNS, dtype=object)
    yield _row(
        f"write {len(many):,} results as .csv", "DataFrame.to_csv",
        medians(scale.repeats, lambda: ours("out.csv", many), lambda: _to_csv(folder / "plain.csv", frame)),
    )  # fmt: skip


def _row(case: str, name: str, taken: list[float]) -> Row:
    ours, theirs = taken
    return Row(case, f"{ours:.2f} s", f"{name} {theirs:.2f} s", ours / theirs, 1.3)


def _xlsxwriter(path: Path, rows: list[list[object]]) -> float:
    def work() -> None:
        book = Workbook(path, {"constant_memory": True, "strings_to_urls": False})
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                sheet.write(number, column, value)
        book.close()

    gc.collect()
    return seconds(work)


def _to_csv(path: Path, frame: pd.DataFrame) -> float:
    gc.collect()
    return seconds(lambda: frame.to_csv(path, index=False))


def _rows(count: int) -> list[list[object]]:
    return [
        [
            f"Hooks!{number + 2}", 1001 + number % 1000, f"House {number % 1000}", "BookingCreate", 6,
            f"https://hooks.example.com/{number}", f"House {number % 1000} - BookingCreate", None, True, "",
            "created", 500_000 + number, 200, "", "", "", "", "", 1, "2026-11-23T01:35:00.123Z", 87,
            f"CC-{number % 50}",
        ]
        for number in range(count)
    ]  # fmt: skip
