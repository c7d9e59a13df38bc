"""How our sheets look: colours that colour-blind people tell apart, and that stay different when printed in grey."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from bulkhooks.sheets.writing.advice import VERDICTS

INK = "#1F2933"
BLUE = "#0B4F7A"
"""Headings of columns that a person fills in."""
GREY = "#52606D"
"""Headings of columns that are ours."""
LINE = "#CBD2D9"
LINE_HEIGHT = 15.0
_MOST_HEIGHT = 150.0
"""More of one text would fill the screen; the cell has it all."""


class Look(NamedTuple):
    """A cell's fill and ink, its weight, and the sign before its text (shown, never part of the text)."""

    fill: str
    ink: str
    sign: str
    bold: bool = False
    italic: bool = False
    charted: tuple[str, ...] = ()

    def properties(self) -> dict[str, object]:
        """For XlsxWriter. The sign is a number format, so the cell holds the word alone."""
        return {
            "bg_color": self.fill,
            "font_color": self.ink,
            "bold": self.bold,
            "italic": self.italic,
            "num_format": f'"{self.sign} "@',
        }


# Blue against vermilion and orange (Okabe and Ito's palette) holds for every kind of colour blindness; in grey, light
# with dark ink stands against dark with white ink, and the signs say the same once more.
LOOKS: Mapping[str, Look] = {
    "done": Look("#D3E9F8", "#0B4F7A", "✓", charted=("#0072B2", "#56B4E9", "#9AD0F5")),
    "same": Look("#ECEFF1", "#46525C", "=", italic=True, charted=("#9AA5B1", "#C3CAD1", "#DDE2E6")),
    "waiting": Look("#FFF4C2", "#594A00", "…", italic=True, charted=("#F0E442",)),
    "doubt": Look("#F6BE62", "#402500", "?", bold=True, italic=True, charted=("#E69F00",)),
    "wrong": Look("#B3261E", "#FFFFFF", "✗", bold=True, charted=("#D55E00", "#8A2F06")),
}


def chart_colour(verdict: str) -> str:
    """The colour of a verdict in charts; verdicts that look alike in cells differ in shade."""
    if verdict not in VERDICTS:
        return INK
    look = VERDICTS[verdict].look
    alike = [other for other in VERDICTS if VERDICTS[other].look == look]
    shades = LOOKS[look].charted
    return shades[alike.index(verdict) % len(shades)]


def colour_verdicts(book: Workbook, sheet: Worksheet, column: int, last_row: int, verdicts: Sequence[str]) -> None:
    """One conditional format over a column of verdicts, from the second row on."""
    formats: dict[str, Format] = {}
    for verdict in verdicts:
        look = VERDICTS[verdict].look
        if look not in formats:
            formats[look] = book.add_format(LOOKS[look].properties())
        rule = {"type": "cell", "criteria": "==", "value": f'"{verdict}"', "format": formats[look]}
        sheet.conditional_format(1, column, last_row, column, rule)


def heading(book: Workbook, colour: str = BLUE, **more: Any) -> Format:
    """The format of a header cell."""
    return book.add_format(
        {"bold": True, "font_color": "#FFFFFF", "bg_color": colour, "valign": "vcenter", "border": 1}
        | {"border_color": LINE, "text_wrap": True}
        | more
    )


def for_print(sheet: Worksheet, *, title: str, rows_at_top: int = 0, pages_wide: int = 1) -> None:
    """Landscape A4, so many pages wide, with page numbers, and the header on every page."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.fit_to_pages(pages_wide, 0)
    sheet.set_footer(f"&L&8{title.replace('&', '&&')[:120]}&C&8&A&R&8&P / &N")
    if rows_at_top:
        sheet.repeat_rows(0, rows_at_top - 1)


def pack(book: Workbook) -> None:
    """Close a workbook. Raises ``OSError`` where it cannot be written."""
    try:
        book.close()
    except FileCreateError as error:
        raise OSError(str(error)) from error


def height_of(text: str, width: float) -> float:
    """Points that a wrapped text takes in a cell so many digits wide; viewers do not all find it themselves."""
    lines = sum(max(1, ceil(width_of(line) / (1.15 * width))) for line in text.split("\n"))
    return float(min(LINE_HEIGHT * lines, _MOST_HEIGHT))


def width_of(text: str) -> int:
    """How many digits wide a text is shown; an East Asian character is as wide as two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
