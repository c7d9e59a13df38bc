"""Workbooks as the libraries make them that people's exports come from, with as much in them as each can."""

from __future__ import annotations

import struct
import zlib

import openpyxl
import pandas as pd
import pyexcelerate
import xlsxwriter
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill, Protection
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

HEADER = ["BusinessId", "Action", "URL"]
ROWS = [[1000 + number, "BookingCreate", f"https://x.example.com/{number}"] for number in range(1, 6)]
VBA = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 8
"""Stands for a project of macros: bytes that have to arrive as they are."""


def picture(path):
    """A small PNG."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes([200, 30, 30]) * 8 for _ in range(8)))
    content = chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    return path


def by_openpyxl(path):
    """Styles, a named style, a chart, a name, print titles, a table, a note, rules, lists to pick from."""
    book = openpyxl.Workbook()
    hooks, other = book.active, book.create_sheet("Notes of ours & more")
    hooks.title = "Hooks"
    for row in [HEADER, *ROWS]:
        hooks.append(row)
    hooks["A1"].font, hooks["A1"].fill = Font(bold=True, color="FF00AA00"), PatternFill("solid", fgColor="FFEEEE00")
    hooks["A2"].number_format, hooks["B2"].alignment = '0.00 "EUR"', Alignment(wrap_text=True, vertical="top")
    hooks["C2"].protection = Protection(locked=False)
    book.add_named_style(NamedStyle("Mine", font=Font(italic=True), fill=PatternFill("solid", fgColor="FFDDEEFF")))
    hooks["C3"].style = "Mine"
    hooks["A1"].comment = Comment("a note", "me")
    hooks.column_dimensions["C"].width = 55
    choice = DataValidation(type="list", formula1='"yes,no"')
    hooks.add_data_validation(choice)
    choice.add("D2:D9")
    hooks.merge_cells("E1:F2")
    hooks["E1"] = "merged"
    rule = CellIsRule(operator="greaterThan", formula=["1003"], fill=PatternFill(bgColor="FFFF0000"))
    hooks.conditional_formatting.add("A2:A6", rule)
    hooks.add_table(Table(displayName="Hooks_1", ref="A1:C6"))
    chart = BarChart()
    chart.add_data(Reference(hooks, min_col=1, min_row=1, max_row=6), titles_from_data=True)
    hooks.add_chart(chart, "H2")
    other["A1"], other["A1"].hyperlink = "our pages", "https://example.com/?a=1&b=2"
    other["A2"] = "=Hooks!A2*2"
    other.print_title_rows, other.print_area = "1:1", "A1:C9"
    other.sheet_state = "hidden"
    book.defined_names["Mine"] = DefinedName("Mine", attr_text="Hooks!$A$1:$C$6")
    book.save(path)
    return path


def by_openpyxl_plain(path):
    """Nothing but cells."""
    book = openpyxl.Workbook()
    book.active.title = "Hooks"
    for row in [HEADER, *ROWS]:
        book.active.append(row)
    book.save(path)
    return path


def by_pandas(path):
    """A table, through XlsxWriter: links, dates, an index."""
    frame = pd.DataFrame(ROWS, columns=HEADER)
    frame["Since"] = pd.Timestamp("2025-03-01 09:30")
    with pd.ExcelWriter(path, engine="xlsxwriter") as writer:
        frame.to_excel(writer, sheet_name="Hooks", index=False)
        frame.groupby("Action").count().to_excel(writer, sheet_name="Pivot")
    return path


def by_pandas_openpyxl(path):
    """The same through openpyxl."""
    pd.DataFrame(ROWS, columns=HEADER).to_excel(path, sheet_name="Hooks", engine="openpyxl")
    return path


def by_xlsxwriter(path):
    """Charts, sparklines, text boxes, rich text, saved values, tables, pictures, notes, rules, names, print titles."""
    book = xlsxwriter.Workbook(path)
    _fill(book, picture(path.with_suffix(".png")))
    if path.suffix == ".xlsm":
        project = path.with_suffix(".bin")
        project.write_bytes(VBA)
        book.add_vba_project(str(project))
    book.close()
    return path


def _fill(book, image):
    hooks, own, charted = book.add_worksheet("Hooks"), book.add_worksheet("Summary"), book.add_chartsheet("Charted")
    bold = book.add_format({"bold": True, "bg_color": "#FFFF00", "num_format": "0.000", "border": 2})
    red = book.add_format({"font_color": "#FF0000", "num_format": '0.0" EUR"'})
    hooks.add_table(0, 0, 5, 2, {"columns": [{"header": name} for name in HEADER], "data": ROWS, "name": "Hooked"})
    hooks.conditional_format(1, 0, 5, 0, {"type": "cell", "criteria": ">", "value": 1003, "format": red})
    hooks.conditional_format(1, 0, 5, 0, {"type": "data_bar", "data_bar_2010": True})
    hooks.write_comment("A1", "a note")
    hooks.write_comment("Z9", "another")
    hooks.merge_range("E1:F2", "merged", bold)
    hooks.add_sparkline("H1", {"range": "Hooks!A2:A6"})
    hooks.insert_textbox("J20", "a box")
    hooks.insert_image("J30", str(image))
    hooks.write_rich_string("A10", "plain ", bold, "bold")
    hooks.write_formula("D2", "=A2*2", bold, 2002)
    hooks.set_row(12, 40, red)
    hooks.set_column("M:N", 30, bold)
    hooks.data_validation("D9", {"validate": "list", "source": ["yes", "no"]})
    hooks.repeat_rows(0)
    hooks.print_area("A1:F20")
    hooks.insert_button("K40", {"caption": "Go"})
    hooks.set_header("&L&G", {"image_left": str(image)})
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Hooks!$A$2:$A$6"})
    hooks.insert_chart("J2", chart)
    big = book.add_chart({"type": "column"})
    big.add_series({"values": "=Hooks!$A$2:$A$6"})
    charted.set_chart(big)
    own.write(0, 0, "my own summary")
    own.autofilter("A1:B5")
    own.activate()
    book.define_name("Mine", "=Hooks!$A$1")
    book.define_name("Summary!Local", "=Summary!$A$1")
    book.set_custom_property("Owner", "somebody")


def by_xlsxwriter_streamed(path):
    """With its strings in the cells, and no list of shared ones."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet("Hooks")
    for number, row in enumerate([HEADER, *ROWS]):
        sheet.write_row(number, 0, row)
    book.close()
    return path


def by_pyexcelerate(path):
    """A writer that has its own, short ideas of styles and of references."""
    book = pyexcelerate.Workbook()
    sheet = book.new_sheet("Hooks", data=[HEADER, *ROWS])
    sheet.set_cell_style(1, 1, pyexcelerate.Style(font=pyexcelerate.Font(bold=True)))
    sheet.set_col_style(3, pyexcelerate.Style(size=40))
    book.save(str(path))
    return path


LIBRARIES = (
    *(by_openpyxl, by_openpyxl_plain, by_pandas, by_pandas_openpyxl),
    *(by_xlsxwriter, by_xlsxwriter_streamed, by_pyexcelerate),
)
