"""The sheet Locations: the table in which names and groups of locations are looked up."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from bulkhooks.sheets.writing.style import for_print, heading

LOCATIONS = "Locations"
LAST_LOCATION = 5_000
"""The last row that is checked and offered in drop-downs; more may be filled in."""


def write_locations(book: Workbook, sheet: Worksheet, locations: Sequence[tuple[int, str, str]]) -> None:
    """Write the table into ``sheet``, row after row. ``locations`` are ``(id, name, groups)``."""
    columns = {
        "BusinessId": (14, "The id of the location in Nexudus, a number."),
        "Name": (40, "The name by which you want to call it in the sheet Hooks."),
        "Groups": (40, "Groups it belongs to, with commas between them: london, uk. In Hooks, write @london."),
    }
    text = book.add_format({"num_format": "@"})
    for column, (name, (width, note)) in enumerate(columns.items()):
        sheet.set_column(column, column, width, text if column else None)
        sheet.write_string(0, column, name, heading(book))
        sheet.write_comment(0, column, note, {"x_scale": 1.8, "font_size": 10, "author": "bulkhooks"})
    for number, (business_id, name, groups) in enumerate(locations, start=1):
        sheet.write_number(number, 0, business_id)
        for column, value in ((1, name), (2, groups)):
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
