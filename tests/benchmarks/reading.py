"""Reading beside what the readers alone take for the file, and expanding to a million webhooks."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from python_calamine import CalamineWorkbook

from bulkhooks.sheets.normalizing.expand import expand
from bulkhooks.sheets.normalizing.normalize import normalize
from bulkhooks.sheets.reading.locations import Locations
from bulkhooks.sheets.reading.reader import read
from tests.benchmarks.inputs import EVENTS, write_csv, write_xlsx
from tests.benchmarks.measure import Row, Scale, medians, seconds


def cases(scale: Scale, folder: Path) -> Iterator[Row]:
    """100,000 and 1,000,000 rows, as workbook and as text."""
    for count in (scale(100_000, 200), scale(1_000_000, 400)):
        repeats = scale.repeats
        book = write_xlsx(folder / "hooks.xlsx", count)
        text = write_csv(folder / "hooks.csv", count)
        yield _compared(f"read {count:,} rows of .xlsx", "python-calamine", book, _calamine, repeats)
        yield _compared(f"read {count:,} rows of .csv", "pandas.read_csv", text, _read_csv, repeats)
    yield _expansion(scale, folder)


def _compared(case, name, path, reference, repeats) -> Row:
    ours, theirs = medians(
        repeats, lambda: _seconds(lambda: read([str(path)])), lambda: _seconds(lambda: reference(path))
    )
    return Row(case, f"{ours:.2f} s", f"{name} {theirs:.2f} s", ours / theirs, 1.5)


def _seconds(work) -> float:
    gc.collect()
    return seconds(work)


def _calamine(path: Path) -> object:
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Hooks").to_python()


def _read_csv(path: Path) -> object:
    return pd.read_csv(path, dtype=object, na_filter=False)


def _expansion(scale: Scale, folder: Path) -> Row:
    table = read([str(write_csv(folder / "many.csv", scale(200_000, 40), events=EVENTS))])

    def work() -> object:
        fields = normalize(
            table, locations=Locations([]), accounts={"default"}, account="default",
            name_template="{Location} - {Action}",
        )  # fmt: skip
        return expand(fields).webhooks

    (ours,) = medians(scale.repeats, lambda: _seconds(work))
    return Row(f"normalise and expand to {len(work()):,} webhooks", f"{ours:.2f} s", "")
