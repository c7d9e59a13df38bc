"""The sheet Problems: every distinct error once, how often, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from bulkhooks.sheets.writing.advice import what_to_do
from bulkhooks.sheets.writing.counts import ProblemGroup
from bulkhooks.sheets.writing.style import GREY, LINE, LINE_HEIGHT, for_print, heading, height_of

PROBLEM_COLUMNS = {"How often": 11, "Code": 19, "What is wrong": 64, "What to do": 48, "Where": 17}
"""Headings and widths. No two of them are headings of an input, so this sheet is never read as one."""
_PLACES = 3
"""Links a problem has."""
_MOST_TEXT = 1_000


def write_problems(
    book: Workbook, sheet: Worksheet, problems: Sequence[ProblemGroup], results: str, rows_a_sheet: int
) -> None:
    """Fill the sheet. ``rows_a_sheet`` is how many rows each sheet of results holds, for the links to them."""
    cell = {"valign": "top", "bottom": 1, "bottom_color": LINE}
    count = book.add_format({**cell, "num_format": "#,##0", "align": "left"})
    text = book.add_format({**cell, "text_wrap": True})
    link = book.add_format({**cell, "font_color": "#0B4F7A", "underline": 1})
    blank = book.add_format(cell)
    header = heading(book, GREY)
    for column, (name, width) in enumerate(PROBLEM_COLUMNS.items()):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, name, header)
    first_place, last_column = len(PROBLEM_COLUMNS) - 1, len(PROBLEM_COLUMNS) - 1 + _PLACES
    sheet.set_column(first_place, last_column - 1, PROBLEM_COLUMNS["Where"])
    sheet.set_column(last_column, last_column, 15)
    for column in range(first_place + 1, last_column + 1):
        sheet.write_blank(0, column, None, header)
    for number, problem in enumerate(problems, start=1):
        sentence, advice = _shown(problem.sentence), what_to_do(problem.code)
        height = max(
            height_of(sentence, PROBLEM_COLUMNS["What is wrong"]), height_of(advice, PROBLEM_COLUMNS["What to do"])
        )
        if height > LINE_HEIGHT:
            sheet.set_row(number, height)
        sheet.write_number(number, 0, problem.count, count)
        sheet.write_string(number, 1, problem.code, text)
        sheet.write_string(number, 2, sentence, text)
        sheet.write_string(number, 3, advice, text)
        for column in range(first_place, last_column):
            sheet.write_blank(number, column, None, blank)
        for column, (place, row) in enumerate(problem.places[:_PLACES], start=first_place):
            if row is None:
                sheet.write_string(number, column, _shown(place), text)
                continue
            address = _address(results, row, rows_a_sheet)
            sheet.write_url(number, column, address, link, _shown(place), f"Go to the row in {results}")
        more = problem.count - _PLACES
        sheet.write_string(number, last_column, f"and {more:,} more" if more > 0 else "", blank)
    if not problems:
        sheet.write_string(1, 0, "There are none.")
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(problems)), first_place)
    for_print(sheet, title="bulkhooks: problems", rows_at_top=1)


def _address(results: str, row: int, rows_a_sheet: int) -> str:
    sheet, line = divmod(row, rows_a_sheet)
    return f"internal:'{results}{f' {sheet + 1}' if sheet else ''}'!A{line + 2}"


def _shown(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + " …"
