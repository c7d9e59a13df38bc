"""Sheets of ours that a workbook has from an earlier run, known by what is in them and not by their names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from python_calamine import CalamineWorkbook

from bulkhooks.sheets.writing.problems_sheet import PROBLEM_COLUMNS
from bulkhooks.sheets.writing.summary_sheet import RUN_ID

MARKED_COLUMNS = ("Cell", "Kind", "What is wrong")
"""The header of Problems in a checked copy. No two of them are headings of an input, so it is never read as one."""
_NAMED = re.compile(r"(Results|Summary|Problems)(?: \d+)?(?: \(\d+\))?")
_MOST_LINES = 200
"""Lines of a Summary before which its run is named."""


def earlier_sheets(workbook: Path, names: Iterable[str]) -> dict[str, str]:
    """Those of the sheets ``names`` that are ours, each with its kind: ``Results``, ``Summary`` or ``Problems``."""
    candidates = {name: named[1] for name in names if (named := _NAMED.fullmatch(name))}
    if not candidates:
        return {}
    try:
        book = CalamineWorkbook.from_path(workbook)
        return {name: kind for name, kind in candidates.items() if _is(kind, _lines(book, name))}
    except BaseException as error:
        # A workbook that it cannot read was not written by us. A panic of its own language is raised past Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        return {}


def _lines(book: CalamineWorkbook, name: str) -> list[Sequence[object]]:
    return list(islice(book.get_sheet_by_name(name).iter_rows(), _MOST_LINES))


def _is(kind: str, lines: list[Sequence[object]]) -> bool:
    header = list(lines[0]) if lines else []
    if kind == "Results":
        return {"Row", "Status", "WebhookId"} <= set(map(str, header))
    if kind == "Problems":
        return any(header[: len(columns)] == list(columns) for columns in (PROBLEM_COLUMNS, MARKED_COLUMNS))
    return any(line and line[0] == RUN_ID for line in lines)
