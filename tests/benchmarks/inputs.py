"""Inputs of any size."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from xlsxwriter import Workbook

HEADER = ("BusinessId", "Location", "Action", "URL", "Name", "Description", "Active", "Cost centre")
EVENTS = "BookingCreate, BookingUpdate, BookingDelete, CoworkerCreate, CoworkerUpdate"


def rows(count: int, *, events: str = "BookingCreate") -> Iterator[tuple[object, ...]]:
    """Rows as people have them: a thousand locations, an endpoint each, a few columns of their own."""
    for number in range(count):
        location = 1001 + number % 1000
        yield (
            location, f"House {location}", events, f"https://hooks.example.com/{location}/{number}",
            f"Sync {number}", "made for the CRM", "yes", f"CC-{number % 50}",
        )  # fmt: skip


def write_csv(path: Path, count: int, *, events: str = "BookingCreate") -> Path:
    """A CSV of so many rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows(count, events=events))
    return path


def write_xlsx(path: Path, count: int) -> Path:
    """A workbook of so many rows."""
    book = Workbook(path, {"constant_memory": True, "strings_to_urls": False})
    sheet = book.add_worksheet("Hooks")
    for number, row in enumerate((HEADER, *rows(count))):
        sheet.write_row(number, 0, row)
    book.close()
    return path
