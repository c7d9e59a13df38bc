"""Result sheets that a workbook has from an earlier run, known by what is in them and not by their names alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from bulkhooks.sheets.writing.problems_sheet import PROBLEM_COLUMNS
from bulkhooks.sheets.writing.summary_sheet import RUN_ID

_NAMED = re.compile(r"(Results|Summary|Problems)(?: \d+)?(?: \(\d+\))?")
_MOST_LINES = 200
"""Lines of a Summary before which its run is named."""


def earlier_sheets(workbook: Path) -> dict[str, str]:
    """Names of the result sheets in a workbook, each with its kind: ``Results``, ``Summary`` or ``Problems``."""
    found = {}
    try:
        book = CalamineWorkbook.from_path(workbook)
        for name in book.sheet_names:
            if (named := _NAMED.fullmatch(name)) and _is(named[1], _lines(book, name)):
                found[name] = named[1]
    except (CalamineError, OSError):  # a workbook that it cannot read was not written by us
        return {}
    return found


def _lines(book: CalamineWorkbook, name: str) -> list[Sequence[object]]:
    return list(islice(book.get_sheet_by_name(name).iter_rows(), _MOST_LINES))


def _is(kind: str, lines: list[Sequence[object]]) -> bool:
    header = list(lines[0]) if lines else []
    if kind == "Results":
        return {"Row", "Status", "WebhookId"} <= set(map(str, header))
    if kind == "Problems":
        return header[: len(PROBLEM_COLUMNS)] == list(PROBLEM_COLUMNS)
    return any(line and line[0] == RUN_ID for line in lines)
