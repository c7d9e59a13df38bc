"""Workbooks that tests of reading write."""

from __future__ import annotations

import openpyxl
import pytest


@pytest.fixture
def book(tmp_path):
    """Writes a workbook: its sheets by name, each a list of rows, and a function that changes it."""

    def write(sheets, change=lambda made: None, name="book.xlsx"):
        made = openpyxl.Workbook()
        made.remove(made.active)
        for title, rows in sheets.items():
            sheet = made.create_sheet(title)
            for row in rows:
                sheet.append(row)
        change(made)
        made.save(tmp_path / name)
        return str(tmp_path / name)

    return write
