"""Drop-downs for the columns that a person fills in, and the sheet of events that one of them shows.

The template has them, and so has a results workbook, where rows are corrected in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from bulkhooks.actions import both_words
from bulkhooks.sheets.template.events import described_events
from bulkhooks.sheets.writing.locations_sheet import LAST_LOCATION
from bulkhooks.sheets.writing.style import GREY, LINE, for_print, heading

EVENTS = "Events"
LOCATION_IDS = f"Locations!$A$2:$A${LAST_LOCATION}"
LOCATION_NAMES = f"Locations!$B$2:$B${LAST_LOCATION}"


def add_lists(sheet: Worksheet, columns: Mapping[str, int], last_row: int, *, has_locations: bool = True) -> None:
    """Drop-downs in ``columns`` (BusinessId, Action, Active; their positions) from the second row to ``last_row``.

    The workbook needs the sheet ``EVENTS``, and with ``has_locations`` one of locations. What is not in a list may be
    typed all the same (several events, ids, ranges), so nothing is ever refused.
    """
    names = f"=Locations!$B$2:INDEX({LOCATION_NAMES},MAX(1,COUNTA({LOCATION_IDS})))"
    lists: dict[str, dict[str, Any]] = {
        "BusinessId": {"source": names, "show_error": False},
        "Action": {
            "source": f"={EVENTS}!$B$2:$B${1 + len(described_events())}",
            "error_type": "warning",
            "error_title": "Not one event of the list",
            "error_message": "Several events with commas between them, a number, or a pattern such as Booking* are"
            " fine: choose Yes to keep them. Otherwise pick an event from the list.",
        },
        "Active": {
            "source": ["yes", "no"],
            "error_type": "warning",
            "error_title": "yes or no?",
            "error_message": "Write yes or no, or leave the cell empty.",
        },
    }
    if not has_locations:
        del lists["BusinessId"]
    for name, options in lists.items():
        sheet.data_validation(1, columns[name], last_row, columns[name], {"validate": "list", **options})


def write_events(book: Workbook, sheet: Worksheet) -> None:
    """Fill the sheet ``EVENTS``: every event in both words, and what sets it off."""
    # None of these is a heading of an input, so that the sheet is not read as one.
    header, cell = heading(book, GREY), book.add_format({"bottom": 1, "bottom_color": LINE, "align": "left"})
    columns = {"No.": 7, "On the panel (and in the API)": 72, "Name in the API": 38, "It is sent when": 68}
    for column, (name, width) in enumerate(columns.items()):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, name, header)
    for row, (number, name, sentence) in enumerate(described_events(), start=1):
        sheet.write_number(row, 0, number, cell)
        for column, text in enumerate((both_words(number), name, sentence), start=1):
            sheet.write_string(row, column, text, cell)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(described_events()), len(columns) - 1)
    for_print(sheet, title=EVENTS, rows_at_top=1)
