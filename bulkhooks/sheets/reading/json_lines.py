"""Results as JSON lines, one object a line, as this program writes them."""

from __future__ import annotations

import io
import json
from typing import Any, BinaryIO

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.grid import Grid, Score, column_of
from bulkhooks.sheets.reading.headers import is_results


def read_json_lines(label: str, file: BinaryIO, score: Score) -> Grid:
    """The objects as rows, numbers and booleans as such, under a header of their names.

    Raises ``InputError`` where a line is no object, or where the names are neither those of results nor, by ``score``,
    known ones of an input.
    """
    columns: dict[str, list[Any]] = {}
    count = 0
    lines = io.TextIOWrapper(file, "utf-8-sig", newline="\n")
    for number, line in enumerate(lines, start=1):
        values = _object(label, number, line) if line.strip() else {}
        for name, value in values.items():
            if name not in columns:
                columns[name] = [""] * count
            columns[name].append("" if value is None else value)
        count = number
        if len(values) < len(columns):
            for column in columns.values():
                column.extend([""] * (count - len(column)))
    lines.detach()
    if not is_results(list(columns)) and not score([list(columns)]):
        raise InputError(
            f"{label}: the objects are neither results (with Row, Status and WebhookId) nor rows of an input: no two"
            " known fields, one of them URL or Action, are among their names; rename those, or name them with --map"
        )
    made = [column_of([name, *column]) for name, column in columns.items()]
    return Grid("", made, is_workbook=False, is_headless=True)


def _object(label: str, number: int, line: str) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(
            f"{label}: line {number} is no JSON object; give the file as it was written, or its .csv or .xlsx"
        )
    return {name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in values.items()}
