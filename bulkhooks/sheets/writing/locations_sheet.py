"""The sheet Locations: the table in which names and groups of locations are looked up."""

from __future__ import annotations

from collections.abc import Iterable

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from bulkhooks.sheets.values import LocationLine
from bulkhooks.sheets.writing.style import for_print, heading

LOCATIONS = "Locations"
LAST_LOCATION = 5_000
"""The last row that is checked and offered in drop-downs; more may be filled in."""


def write_locations(book: Workbook, sheet: Worksheet, locations: Iterable[LocationLine]) -> None:
    """Write the table into ``sheet``, row after row."""
    columns = {
        "BusinessId": (14, "The id of the location in Nexudus, a number."),
        "Name": (40, "The name by which you want to call it in the sheet Hooks."),
        "Groups": (40, "Groups it belongs to, with commas between them: london, uk. In Hooks, write @london."),
        "Network": (
            30,
            "The network it belongs to in Nexudus. In Hooks, write @ and its name for all locations of the network: a"
            " webhook on the network itself is silent for them.",
        ),
        "Suspended": (12, "yes: it is switched off in Nexudus, and nothing happens there."),
    }
    text = book.add_format({"num_format": "@"})
    for column, (name, (width, note)) in enumerate(columns.items()):
        sheet.set_column(column, column, width, text if column else None)
        sheet.write_string(0, column, name, heading(book))
        sheet.write_comment(0, column, note, {"x_scale": 1.8, "font_size": 10, "author": "bulkhooks"})
    for number, (business_id, *texts) in enumerate(locations, start=1):
        sheet.write_number(number, 0, business_id)
        for column, value in enumerate(texts, start=1):
            if value:
                sheet.write_string(number, column, value, text)
    sheet.data_validation(
        1,
        0,
        LAST_LOCATION - 1,
        0,
        {"validate": "integer", "criteria": ">", "value": 0, "error_title": "An id is a number"}
        | {"error_message": "Write the location's id as Nexudus shows it, such as 1001."},
    )
    sheet.freeze_panes(1, 0)
    for_print(sheet, title="Locations", rows_at_top=1)
