"""--write-back: the result sheets in a copy of the workbook, everything else in it as it was to the byte."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile

import openpyxl
import pytest
import xlsxwriter
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from bulkhooks.errors import OutputError
from bulkhooks.sheets.writeback.copy import write_back
from tests.sheets.samples import problem, row, write

SOFFICE = shutil.which("soffice")
CHANGED = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}


def rich_workbook(path):
    """A workbook full of what most libraries lose: charts, sparklines, text boxes, rich text, saved values."""
    book = xlsxwriter.Workbook(path)
    hooks, own = book.add_worksheet("Hooks"), book.add_worksheet("Summary")
    bold = book.add_format({"bold": True, "bg_color": "#FFFF00", "num_format": "0.000"})
    red = book.add_format({"font_color": "#FF0000", "num_format": '0.0" EUR"'})
    hooks.write_row(0, 0, ["BusinessId", "Action", "URL"], bold)
    for number in range(1, 6):
        hooks.write_row(number, 0, [1000 + number, "BookingCreate", "https://x.example.com"])
    hooks.conditional_format(1, 0, 5, 0, {"type": "cell", "criteria": ">", "value": 1003, "format": red})
    hooks.write_comment("A1", "a note")
    hooks.merge_range("E1:F2", "merged", bold)
    hooks.add_sparkline("H1", {"range": "Hooks!A2:A6"})
    hooks.insert_textbox("J20", "a box")
    hooks.write_rich_string("A10", "plain ", bold, "bold")
    hooks.write_formula("D2", "=A2*2", bold, 2002)
    hooks.autofilter(0, 0, 5, 2)
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Hooks!$A$2:$A$6"})
    hooks.insert_chart("J2", chart)
    own.write(0, 0, "my own summary")
    book.define_name("Mine", "=Hooks!$A$1")
    book.close()
    return path


def plain_workbook(path):
    """A workbook by openpyxl, which has styles, a list to pick from and a note."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Hooks"
    sheet.append(["BusinessId", "Action", "URL"])
    sheet.append([1001, "BookingCreate", "https://x.example.com"])
    sheet["A1"].font, sheet["A1"].fill = Font(bold=True, color="FF00AA00"), PatternFill("solid", fgColor="FFEEEE00")
    sheet["A1"].comment = Comment("a note", "me")
    sheet.column_dimensions["C"].width = 55
    choice = DataValidation(type="list", formula1='"yes,no"')
    sheet.add_data_validation(choice)
    choice.add("D2:D9")
    sheet.merge_cells("E1:F1")
    book.save(path)
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results workbook with two rows, one of them failed."""
    path = tmp_path_factory.mktemp("results") / "hooks.results.xlsx"
    write([path], [row(2), row(3, "failed", problem("api-error", "500", "Hooks!3"))])
    return path


def parts(path):
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        names = package.namelist()
        assert len(names) == len(set(names))
        return {name: package.read(name) for name in names}


@pytest.mark.parametrize("make", [rich_workbook, plain_workbook])
def test_every_part_of_the_workbook_stays_as_it_was(tmp_path, results, make):
    """Only the four lists that have to name the new sheets differ; the input itself is not touched."""
    workbook = make(tmp_path / "hooks.xlsx")
    before = workbook.read_bytes()
    copy = write_back(workbook, results, tmp_path / "copy.xlsx")
    old, new = parts(workbook), parts(copy)
    assert {name for name in old if old[name] != new[name]} == CHANGED
    assert workbook.read_bytes() == before


def test_the_result_sheets_come_after_its_own(tmp_path, results):
    """A name that is taken gets (2) behind it, and formulas of charts, links and filters follow."""
    copy = write_back(rich_workbook(tmp_path / "hooks.xlsx"), results, tmp_path / "copy.xlsx")
    with pytest.warns(UserWarning, match="Sparkline"):
        book = openpyxl.load_workbook(copy)
    assert book.sheetnames == ["Hooks", "Summary", "Summary (2)", "Results", "Problems", "Events"]
    assert book.active.title == "Hooks"
    assert book["Summary"]["A1"].value == "my own summary"
    assert len(book["Summary (2)"]._charts) == 2
    chart = next(content for name, content in parts(copy).items() if name.endswith("charts/chart2.xml"))
    assert set(re.findall(rb"<c:f>(.+?)!", chart)) == {b"'Summary (2)'"}
    assert book["Results"].auto_filter.ref == "A1:U3"
    assert book["Results"].print_title_rows == "$1:$1"
    assert book["Hooks"].auto_filter.ref == "A1:C6"
    assert "Mine" in book.defined_names


def plain(colour):
    """A colour that does not depend on the theme."""
    return {"theme": "FF000000", "rgb": colour.rgb}[colour.type]


@pytest.mark.parametrize("make", [rich_workbook, plain_workbook])
@pytest.mark.filterwarnings("ignore:Sparkline")
def test_styles_of_both_are_right(tmp_path, results, make):
    """The user's cells look as before, and ours as in the results workbook, whatever numbers the styles had."""
    workbook = make(tmp_path / "hooks.xlsx")
    copy = openpyxl.load_workbook(write_back(workbook, results, tmp_path / "copy.xlsx"))
    for before, after in ((openpyxl.load_workbook(workbook), "Hooks"), (openpyxl.load_workbook(results), "Results")):
        for old, new in zip(before[after].iter_rows(), copy[after].iter_rows(), strict=True):
            for one, other in zip(old, new, strict=True):
                assert (one.value, one.number_format, one.font.b) == (other.value, other.number_format, other.font.b)
                assert plain(one.font.color) == plain(other.font.color)
                assert (one.fill.fgColor, one.alignment.wrap_text) == (other.fill.fgColor, other.alignment.wrap_text)
    old_rules, new_rules = (
        [rule for rules in book["Results"].conditional_formatting for rule in rules.rules]
        for book in (openpyxl.load_workbook(results), copy)
    )
    assert [rule.dxf.fill.bgColor for rule in old_rules] == [rule.dxf.fill.bgColor for rule in new_rules]
    assert [rule.dxf.numFmt.formatCode for rule in old_rules] == [rule.dxf.numFmt.formatCode for rule in new_rules]


def test_what_openpyxl_put_there_is_still_there(tmp_path, results):
    """Notes, widths, lists to pick from and merged cells."""
    copy = write_back(plain_workbook(tmp_path / "hooks.xlsx"), results, tmp_path / "copy.xlsx")
    sheet = openpyxl.load_workbook(copy)["Hooks"]
    assert sheet["A1"].comment.text == "a note"
    assert sheet.column_dimensions["C"].width == 55
    assert [str(check.sqref) for check in sheet.data_validations.dataValidation] == ["D2:D9"]
    assert [str(merged) for merged in sheet.merged_cells.ranges] == ["E1:F1"]


def test_result_sheets_of_an_earlier_run_are_replaced(tmp_path, results):
    """A copy of a copy has one set of results, the newest; a sheet of the user's that is only called so stays."""
    first = write_back(rich_workbook(tmp_path / "hooks.xlsx"), results, tmp_path / "first.xlsx")
    write([tmp_path / "later.xlsx"], [row(2), row(3), row(4)])
    second = write_back(first, tmp_path / "later.xlsx", tmp_path / "second.xlsx")
    with pytest.warns(UserWarning, match="Sparkline"):
        book = openpyxl.load_workbook(second)
    assert book.sheetnames == ["Hooks", "Summary", "Summary (2)", "Results", "Problems", "Events"]
    assert [cell.value for cell in book["Results"]["K"]] == ["Status", "created", "created", "created"]
    assert book["Results"].auto_filter.ref == "A1:U4"
    assert book["Summary"]["A1"].value == "my own summary"
    assert book["Summary (2)"]["A1"].value == "All is well with 3 webhooks: 3 created."
    assert len(book["Summary (2)"]._charts) == 2
    assert book["Hooks"].auto_filter.ref == "A1:C6"


def test_macros_are_kept(tmp_path, results):
    """A workbook with a macro project stays one, project and all."""
    workbook = tmp_path / "hooks.xlsm"
    with zipfile.ZipFile(plain_workbook(tmp_path / "plain.xlsx")) as plain, zipfile.ZipFile(workbook, "w") as macros:
        for name in plain.namelist():
            content = plain.read(name).replace(b"sheet.main+xml", b"sheet.macroEnabled.main+xml")
            macros.writestr(
                name,
                content.replace(b"openxmlformats-officedocument.spreadsheetml.sheet.macro", b"ms-excel.sheet.macro"),
            )
        macros.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 a project")
    copy = write_back(workbook, results, tmp_path / "copy.xlsm")
    assert parts(copy)["xl/vbaProject.bin"] == b"\xd0\xcf\x11\xe0 a project"
    assert b"macroEnabled" in parts(copy)["[Content_Types].xml"]
    assert "Results" in openpyxl.load_workbook(copy, keep_vba=True).sheetnames


def test_names_with_a_prefix_and_empty_lists_are_understood(tmp_path, results):
    """Some programs write every element with a prefix, and lists without anything in them."""
    plain, workbook = plain_workbook(tmp_path / "plain.xlsx"), tmp_path / "hooks.xlsx"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(workbook, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name in {"xl/workbook.xml", "xl/styles.xml"}:
                content = re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", content).replace(b" xmlns=", b" xmlns:x=")
                content = re.sub(rb"<x:dxfs.*?(/>|</x:dxfs>)", b'<x:dxfs count="0"/>', content)
            new.writestr(name, content)
    copy = openpyxl.load_workbook(write_back(workbook, results, tmp_path / "copy.xlsx"))
    assert copy.sheetnames == ["Hooks", "Summary", "Results", "Problems", "Events"]
    assert copy["Hooks"]["A1"].font.color.rgb == "FF00AA00"
    assert [rule.dxf is not None for rules in copy["Results"].conditional_formatting for rule in rules.rules]


@pytest.mark.parametrize("kind", ["text", "empty", "zip", "signed", "strict", "missing"])
def test_what_cannot_be_kept_is_one_sentence_and_no_copy(tmp_path, results, kind):
    """A file that is no such workbook, a signature, the strict kind: told with the file's name, nothing written."""
    workbook = tmp_path / "in" / "hooks.xlsx"
    workbook.parent.mkdir()
    if kind in {"text", "empty"}:
        workbook.write_text("no workbook" if kind == "text" else "")
    elif kind != "missing":
        with (
            zipfile.ZipFile(plain_workbook(tmp_path / "in" / "plain.xlsx")) as old,
            zipfile.ZipFile(workbook, "w") as new,
        ):
            for name in old.namelist() if kind != "zip" else []:
                content = old.read(name)
                if kind == "strict":
                    content = content.replace(
                        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
                    )
                new.writestr(name, content)
            new.writestr("_xmlsignatures/origin.sigs" if kind == "signed" else "readme.txt", b"")
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match=r"hooks\.xlsx"):
        write_back(workbook, results, tmp_path / "out" / "copy.xlsx")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_the_copy(tmp_path, results):
    """Every sheet of both arrives, with the values that were in it."""
    copy = write_back(rich_workbook(tmp_path / "hooks.xlsx"), results, tmp_path / "copy.xlsx")
    command = [SOFFICE, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "ods"]
    subprocess.run([*command, "--outdir", tmp_path, copy], check=True, capture_output=True, timeout=120)
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(tmp_path / "copy.ods")
    assert book.sheet_names == ["Hooks", "Summary", "Summary (2)", "Results", "Problems", "Events"]
    assert book.get_sheet_by_name("Results").to_python()[1][11] == 87_000_002
    assert book.get_sheet_by_name("Hooks").to_python()[1][:2] == [1001, "BookingCreate"]
