"""Rows and summaries that tests of the results write, and readers of what they wrote."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import openpyxl

from bulkhooks.report import Problem, Summary
from bulkhooks.sheets.values import ResultRow, RunFacts
from bulkhooks.sheets.writing.counts import problem_cells
from bulkhooks.sheets.writing.outputs import Outputs
from bulkhooks.webhook import RESULT_COLUMNS

HEALTH_COLUMNS = (
    *("BusinessId", "Location", "Action", "URL", "Name", "Health", "Active", "ErrorCount", "LastError", "LastTrigger"),
    *("WebhookId", "Twins"),
)


def problem(code: str, sentence: str, place: str = "", *, warning: bool = False) -> Problem:
    """Something wrong with a row."""
    return Problem(0, place, code, "", sentence, warning)


def row(number: int, status: str = "created", *problems: Problem, **fields: object) -> ResultRow:
    """One row of results with its problems; ``fields`` replace what it has by column."""
    codes, sentences, warnings = problem_cells(problems)
    values: dict[str, object] = {
        "Row": f"Hooks!{number}",
        "BusinessId": 1000 + number,
        "Location": f"Site {number}",
        "Action": "BookingCreate",
        "ActionId": 6,
        "URL": f"https://hooks.example.com/{number}",
        "Name": f"Site {number} - BookingCreate",
        "Status": status,
        "WebhookId": 87_000_000 + number if status == "created" else None,
        "HttpStatus": 200,
        "Attempts": 1,
        "SentAt": "2025-03-01T09:30:00.000Z",
        "DurationMs": 120,
        "ErrorCode": codes or None,
        "Error": sentences or None,
        "Warning": warnings or None,
        **fields,
    }
    return ResultRow([values.get(column) for column in RESULT_COLUMNS], problems)


def summary(rows: Sequence[ResultRow] = (), **fields: object) -> Summary:
    """The summary that goes with these rows."""
    counts = Counter(str(row.cells[RESULT_COLUMNS.index("Status")]) for row in rows)
    known: dict[str, object] = {
        "run_id": "20250301-093000-7f3a",
        "counts": dict(counts),
        "total": len(rows),
        "started_at": "2025-03-01T09:30:00.000Z",
        "finished_at": "2025-03-01T09:34:12.500Z",
        "inputs": ["hooks.xlsx"],
    }
    return Summary(**{**known, **fields})  # type: ignore[arg-type]


def write(paths: Sequence[Path], rows: Sequence[ResultRow], own: Sequence[str] = (), **fields: object) -> Outputs:
    """Write rows to these places; returns the outputs, for what they said."""
    with Outputs(paths) as outputs:
        outputs.write(
            [*RESULT_COLUMNS, *own], rows, summary(rows, **fields), RunFacts({"Server": "https://spaces.nexudus.com"})
        )
    return outputs


def sheet_rows(path: Path, name: str = "Results") -> list[dict[str, object]]:
    """The rows of a sheet, by the header in its first row."""
    header, *rows = openpyxl.load_workbook(path)[name].iter_rows(values_only=True)
    return [dict(zip(map(str, header), values, strict=True)) for values in rows]


def csv_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a ``.csv``, as any reader of text sees them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def jsonl_rows(path: Path) -> list[dict[str, object]]:
    """The rows of a ``.jsonl``."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
