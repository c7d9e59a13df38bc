"""The sheet Problems of a checked copy: every sentence in the order of the input, with a link to its cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from bulkhooks.sheets.writeback.earlier import MARKED_COLUMNS
from bulkhooks.sheets.writeback.tree import readable
from bulkhooks.sheets.writing.sound import SoundWorkbook
from bulkhooks.sheets.writing.style import GREY, LINE, LINE_HEIGHT, for_print, heading, height_of, pack

_WIDTHS = (24, 11, 100)
_MOST_LINKS = 65_000
"""Links of a sheet, below Excel's limit."""
_MOST_ROWS = 1_000_000
_MOST_TEXT = 2_000


class Marked(Protocol):
    """A sentence about a cell."""

    @property
    def sheet(self) -> str: ...
    @property
    def cell(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def is_warning(self) -> bool: ...


def write_list(path: Path, marks: Sequence[Marked], sheets: Iterable[str], most_comments: int) -> None:
    """Write a workbook with that one sheet. ``sheets`` are those a link may lead to."""
    book = SoundWorkbook(str(path), {"constant_memory": True, "strings_to_urls": False})
    sheet = book.add_worksheet("Problems")
    look = {"valign": "top", "bottom": 1, "bottom_color": LINE}
    text = book.add_format({**look, "text_wrap": True})
    link = book.add_format({**look, "font_color": "#0B4F7A", "underline": 1})
    header = heading(book, GREY)
    known = {name.lower(): name for name in sheets}
    for column, (name, width) in enumerate(zip(MARKED_COLUMNS, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, name, header)
    for number, mark in enumerate(marks[:_MOST_ROWS], start=1):
        sentence = readable(mark.sentence)[:_MOST_TEXT]
        if (height := height_of(sentence, _WIDTHS[2])) > LINE_HEIGHT:
            sheet.set_row(number, height)
        place = readable(f"{mark.sheet}!{mark.cell}" if mark.cell else mark.sheet)
        target = known.get(mark.sheet.lower()) if mark.cell else None
        if target is None or number > _MOST_LINKS:
            sheet.write_string(number, 0, place, text)
        else:
            quoted = target.replace("'", "''")
            sheet.write_url(number, 0, f"internal:'{quoted}'!{mark.cell}", link, place, "Go to the cell")
        sheet.write_string(number, 1, "Warning" if mark.is_warning else "Problem", text)
        sheet.write_string(number, 2, sentence, text)
    if len(marks) > most_comments:
        note = f"The first {most_comments:,} cells of all sheets have a comment; the others are coloured only."
        sheet.write_string(min(len(marks), _MOST_ROWS) + 1, 2, note, text)
    if not marks:
        sheet.write_string(1, 0, "There are none.")
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, min(len(marks), _MOST_ROWS)), len(MARKED_COLUMNS) - 1)
    for_print(sheet, title="bulkhooks: problems", rows_at_top=1)
    pack(book)
