"""What a plan would make, change and delete, a line each, in the manner of a diff."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from bulkhooks.cli.terminal import columns, cut
from bulkhooks.report import Report, many

if TYPE_CHECKING:
    import pandas as pd

_MOST_LINES = 20
"""Rows of a kind on a terminal; the sheet has them all."""
_COLOURS = {"  + ": "green", "  ~ ": "yellow", "  - ": "red"}


def change_lines(report: Report) -> Iterator[str]:
    """Three lists: what would be made (``+``), changed (``~``, field by field) and deleted (``-``), no line wider than
    the terminal."""
    if not report.forecast or not report.forecast.changes:
        return
    rows = report.results
    if not len(rows):
        return
    rows = rows[rows["Status"] == "planned"]
    changes = rows["Changes"].fillna("").astype(str)
    is_deletion = changes == "delete"
    is_change = rows["WebhookId"].notna() & ~is_deletion
    yield from _listed("make", "+", rows[~is_change & ~is_deletion])
    yield from _listed("change", "~", rows[is_change])
    yield from _listed("delete", "-", rows[is_deletion])


def _listed(word: str, sign: str, rows: pd.DataFrame) -> Iterator[str]:
    if not len(rows):
        return
    wide = columns()
    yield f"Would {word} {many(len(rows), 'webhook', 'webhooks')}:"
    shown = rows.head(_MOST_LINES)
    names = ("Row", "BusinessId", "Location", "Action", "URL", "WebhookId", "Changes")
    for place, business_id, location, action, url, webhook_id, changes in shown[list(names)].itertuples(index=False):
        where = f"{business_id} {location}" if location and str(location) != str(business_id) else f"{business_id}"
        what = f"{url}" if sign == "+" else f"(id {webhook_id})" + (f" {changes}" if sign == "~" else f" {url}")
        line = " ".join(f"{place}  {where}  {action}  {what}".splitlines())
        yield cut(f"  {sign} {line}", wide)
    if len(rows) > _MOST_LINES:
        yield f"  … and {len(rows) - _MOST_LINES:,} more; -o PLAN.xlsx lists all"


def coloured(text: str) -> str:
    """The lines of ``change_lines`` in colours, where stdout is a terminal and NO_COLOR is not set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return "\n".join(
        click.style(line, fg=_COLOURS[line[:4]]) if line[:4] in _COLOURS else line for line in text.split("\n")
    )
