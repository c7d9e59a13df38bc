"""The template: a workbook that a person fills in without a manual."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from bulkhooks.errors import OutputError, UsageError
from bulkhooks.sheets.examples import EXAMPLES
from bulkhooks.sheets.template.checks import (
    ACTION_MISSPELT,
    ACTION_NOT_LISTED,
    BUSINESS_NOT_LISTED,
    BUSINESS_WRONG,
    EXAMPLE,
    URL_INSECURE,
    URL_WRONG,
    VALUE_MISSING,
)
from bulkhooks.sheets.template.lists import EVENTS, LOCATION_IDS, LOCATION_NAMES, add_lists, write_events
from bulkhooks.sheets.values import LocationLine
from bulkhooks.sheets.writing.atomic_file import Place, reason
from bulkhooks.sheets.writing.locations_sheet import LOCATIONS, write_locations
from bulkhooks.sheets.writing.sound import SoundWorkbook
from bulkhooks.sheets.writing.style import BLUE, GREY, INK, LOOKS, for_print, heading, pack

_LAST_ROW = 10_000
"""Rows that have drop-downs and checks; more may be filled in."""

_RANGES = {
    "LocationIds": LOCATION_IDS,
    "LocationNames": LOCATION_NAMES,
    "EventNames": "Events!$A$2:$C$91",
}
"""Names of what the checks look things up in; a conditional format may not point at another sheet in every Excel."""

_COLUMNS = {
    "BusinessId": (
        28,
        "Which location? Its id (1001), its name from the sheet Locations, several of them (1001, 1002), a range"
        " (1001-1010), a group (@london), or * for every location of the sheet Locations.",
    ),
    "Action": (
        44,
        "Which event? Pick one from the list (the sheet Events says what sets each off), or type it as the admin panel"
        " of Nexudus calls it. Several may be typed with commas between them, or a pattern: Booking* is every booking"
        " event.",
    ),
    "URL": (
        54,
        "Where is it sent? The whole address, beginning with https://. {BusinessId}, {Location} and {Action} in it are"
        " filled in for each webhook.",
    ),
    "Name": (30, "What is it called in Nexudus? Left empty, it is the location's and the event's name."),
    "Description": (44, "What is it for? May be left empty."),
    "Active": (10, "yes: it delivers from the start. no: it is made, but sends nothing. Empty: Nexudus decides."),
}
"""Width and note of each column of the sheet Hooks."""

_READ_ME = (
    ("# How to fill in this workbook",),
    ("1", "Sheet Hooks: a row for each thing you want to be told about. BusinessId, Action and URL have to be there."),
    ("2", "The grey rows are examples and are never sent. Write over them, or delete them."),
    ("3", "A red cell is wrong, a yellow one worth a second look. The notes on the headings say what may be written."),
    ("4", "Sheet Locations: your locations, so that their names and groups can be used instead of their ids."),
    ("5", "Further columns of your own are welcome. They come back untouched in the results."),
    ("# What happens then",),
    ("6", "bulkhooks check THIS-FILE.xlsx    looks for mistakes and sends nothing"),
    ("7", "bulkhooks plan THIS-FILE.xlsx    says what would be made"),
    ("8", "bulkhooks run THIS-FILE.xlsx    makes the webhooks and writes a workbook with the results beside this one"),
    ("9", "Some rows did not work? Correct them in the results workbook and run that. Nothing is made twice."),
    ("# One row, many webhooks",),
    (
        "",
        "A row is sent for each of its locations and each of its events: two events at ten locations make 20.",
    ),
)


def write_template(path: Path, locations: Sequence[LocationLine] = ()) -> None:
    """Write an empty input workbook. ``locations`` fill the sheet Locations.

    Raises ``UsageError`` where the name does not end in .xlsx, and ``OutputError`` where there is such a file already
    (somebody may have filled it in) or none can be written.
    """
    if path.suffix.lower() != ".xlsx":
        raise UsageError(f"{path}: a template is a workbook, so its name ends in .xlsx")
    if path.is_file():
        raise OutputError(f"{path} is there already and may have been filled in; choose another name or delete it")
    place = Place(path)
    try:
        book = SoundWorkbook(place.file)
        hooks, listed, events = (book.add_worksheet(name) for name in ("Hooks", LOCATIONS, EVENTS))
        _write_hooks(book, hooks)
        write_locations(book, listed, locations)
        write_events(book, events)
        _write_read_me(book, book.add_worksheet("Read me"))
        for name, cells in _RANGES.items():
            book.define_name(name, f"={cells}")
        book.set_properties({"title": "bulkhooks: webhooks to make", "comments": "The sheet Read me says how."})
        pack(book)
        place.move()
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {reason(error)}") from error
    finally:
        place.discard()


def _write_hooks(book: Workbook, sheet: Worksheet) -> None:
    text = book.add_format({"num_format": "@", "valign": "top"})
    header = heading(book)
    for column, (name, (width, note)) in enumerate(_COLUMNS.items()):
        sheet.set_column(column, column, width, text)
        sheet.write_string(0, column, name, header)
        sheet.write_comment(0, column, note, {"x_scale": 2.2, "y_scale": 1.2, "font_size": 10, "author": "bulkhooks"})
    sheet.set_row(0, 22)
    for number, example in enumerate(EXAMPLES, start=1):
        for column, name in enumerate(_COLUMNS):
            if name in example:
                sheet.write_string(number, column, example[name], text)
    add_lists(sheet, {name: column for column, name in enumerate(_COLUMNS)}, _LAST_ROW - 1)
    _add_checks(book, sheet)
    sheet.ignore_errors({"number_stored_as_text": f"A2:F{_LAST_ROW}"})
    sheet.freeze_panes(1, 0)
    for_print(sheet, title="Webhooks to make", rows_at_top=1)
    sheet.activate()
    sheet.set_selection(len(EXAMPLES) + 1, 0, len(EXAMPLES) + 1, 0)


def _add_checks(book: Workbook, sheet: Worksheet) -> None:
    example = book.add_format({"font_color": "#7B8794", "italic": True})
    wrong = book.add_format({"bg_color": LOOKS["wrong"].fill, "font_color": LOOKS["wrong"].ink, "bold": True})
    doubtful = book.add_format({"bg_color": LOOKS["waiting"].fill, "font_color": LOOKS["waiting"].ink})
    last_column = len(_COLUMNS) - 1
    rules: list[tuple[int, int, str, Format]] = [
        (0, last_column, EXAMPLE, example),
        (0, 2, VALUE_MISSING, wrong),
        (0, 0, BUSINESS_WRONG, wrong),
        (0, 0, BUSINESS_NOT_LISTED, doubtful),
        (1, 1, ACTION_MISSPELT, wrong),
        (1, 1, ACTION_NOT_LISTED, doubtful),
        (2, 2, URL_WRONG, wrong),
        (2, 2, URL_INSECURE, doubtful),
    ]
    for first, last, formula, form in rules:
        rule = {"type": "formula", "criteria": formula, "format": form, "stop_if_true": True}
        sheet.conditional_format(1, first, _LAST_ROW - 1, last, rule)


def _write_read_me(book: Workbook, sheet: Worksheet) -> None:
    title = book.add_format({"bold": True, "font_size": 14, "font_color": BLUE})
    text = book.add_format({"text_wrap": True, "valign": "top", "font_color": INK})
    number = book.add_format({"valign": "top", "align": "center", "font_color": GREY, "bold": True})
    sheet.set_column(0, 0, 5)
    sheet.set_column(1, 1, 116, text)
    sheet.hide_gridlines(2)
    for row, line in enumerate(_READ_ME):
        if len(line) == 1:
            sheet.set_row(row, 30)
            sheet.write_string(row, 0, line[0].removeprefix("# "), title)
        else:
            sheet.set_row(row, 20)
            sheet.write_string(row, 0, line[0], number)
            sheet.write_string(row, 1, line[1], text)
    for_print(sheet, title="Read me")
