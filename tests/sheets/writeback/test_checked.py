"""check --write-back: wrong cells are coloured and commented on; what was on them and around them stays."""

from __future__ import annotations

import re
import zipfile
from copy import copy

import openpyxl
import pytest
import xlsxwriter
from lxml import etree
from openpyxl.comments import Comment
from openpyxl.styles import Font

from bulkhooks.errors import OutputError
from bulkhooks.sheets.writeback import checked
from bulkhooks.sheets.writeback.checked import PROBLEM_FILL, WARNING_FILL, Mark, checked_copy
from tests.sheets.writeback.soundness import assert_sound, loaded, parts, tree


def by_openpyxl(path, comment=None):
    """A sheet with a formatted cell, a merged range and, it may be, a note on B2."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Hooks"
    sheet.append(["BusinessId", "Action", "URL"])
    sheet.append([1001, "BookingCreate", "https://x.example.com"])
    sheet["A2"].font, sheet["A2"].number_format = Font(bold=True, color="FF0000AA"), "0.00"
    sheet["A5"] = "merged"
    sheet.merge_cells("A5:B6")
    if comment:
        sheet["B2"].comment = Comment(comment, "me")
    book.save(path)
    return path


def shapes(path):
    """(row, column) of every box of a comment in the drawings of a copy."""
    found = []
    for name, content in parts(path).items():
        if name.endswith(".vml") or "legacydrawing" in name:
            boxes = tree(content).iter("{urn:schemas-microsoft-com:office:excel}ClientData")
            found += [tuple(int(box.findtext(f"{{*}}{which}")) for which in ("Row", "Column")) for box in boxes]
    return found


def test_a_marked_cell_keeps_its_format_but_for_the_fill(tmp_path):
    """Font, number format and value stay; two sentences are one comment; a problem outweighs a warning."""
    marks = [Mark("hooks", "A2", "Hooks!A2: low", is_warning=True), Mark("Hooks", "A2", "Hooks!A2: wrong")]
    workbook = by_openpyxl(tmp_path / "hooks.xlsx")
    place = checked_copy(workbook, marks, tmp_path / "hooks.checked.xlsx")
    assert place == tmp_path / "hooks.checked.xlsx"
    before, after = (loaded(path)["Hooks"]["A2"] for path in (workbook, place))
    assert copy(before.font) == copy(after.font)
    assert (before.value, before.number_format) == (after.value, after.number_format)
    assert after.fill.fgColor.rgb == f"FF{PROBLEM_FILL}"
    assert after.comment.text == "bulkhooks: Hooks!A2: low\nHooks!A2: wrong"
    assert shapes(place) == [(1, 0)]


def test_a_mark_in_a_merged_range_is_shown_on_its_first_cell(tmp_path):
    """No other cell of it is visible."""
    place = checked_copy(by_openpyxl(tmp_path / "hooks.xlsx"), [Mark("Hooks", "B6", "wrong")], tmp_path / "copy.xlsx")
    sheet = loaded(place)["Hooks"]
    assert sheet["A5"].fill.fgColor.rgb == f"FF{PROBLEM_FILL}"
    assert sheet["A5"].comment.text == "bulkhooks: wrong"
    assert [str(merged) for merged in sheet.merged_cells.ranges] == ["A5:B6"]


def test_a_note_that_is_there_stays_and_ours_is_put_behind_it(tmp_path):
    """On another cell a new one is made beside it; each cell has one box."""
    workbook = by_openpyxl(tmp_path / "hooks.xlsx", "mine & yours")
    marks = [Mark("Hooks", "B2", "Hooks!B2: what"), Mark("Hooks", "C2", "Hooks!C2: odd", is_warning=True)]
    place = checked_copy(workbook, marks, tmp_path / "copy.xlsx")
    assert_sound(place, workbook)
    sheet = loaded(place)["Hooks"]
    assert sheet["B2"].comment.text == "mine & yours\nbulkhooks: Hooks!B2: what"
    assert sheet["C2"].comment.text == "bulkhooks: Hooks!C2: odd"
    assert sheet["C2"].fill.fgColor.rgb == f"FF{WARNING_FILL}"
    assert sorted(shapes(place)) == [(1, 1), (1, 2)]


def test_checking_a_checked_copy_again_replaces_what_the_first_check_wrote(tmp_path):
    """Comments and the list are those of the second check; their own note is as it was."""
    workbook = by_openpyxl(tmp_path / "hooks.xlsx", "mine")
    first = checked_copy(workbook, [Mark("Hooks", "A2", "old"), Mark("Hooks", "B2", "old")], tmp_path / "first.xlsx")
    second = checked_copy(first, [Mark("Hooks", "C2", "new")], tmp_path / "second.xlsx")
    assert_sound(second, workbook)
    book = loaded(second)
    assert book.sheetnames == ["Hooks", "Problems"]
    assert book["Hooks"]["A2"].comment is None
    assert book["Hooks"]["B2"].comment.text == "mine"
    assert book["Hooks"]["C2"].comment.text == "bulkhooks: new"
    assert sorted(shapes(second)) == [(1, 1), (1, 2)]
    assert [line[2].value for line in book["Problems"]["A2:C2"]] == ["new"]


def test_a_threaded_comment_stays_as_it_is(tmp_path):
    """Its cell is coloured and listed; the text that stands in for it is not touched."""
    plain = by_openpyxl(tmp_path / "plain.xlsx", "[Threaded comment]")
    threads = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
    kind = "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment"
    workbook = tmp_path / "hooks.xlsx"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(workbook, "w") as new:
        for name in old.namelist():
            reference = f'<Relationship Id="t1" Type="{kind}" Target="/xl/threadedComments/threadedComment1.xml"/>'
            content = old.read(name)
            if name.endswith("sheet1.xml.rels"):
                content = content.replace(b"</Relationships>", reference.encode() + b"</Relationships>")
            new.writestr(name, content)
        content = f'<ThreadedComments xmlns="{threads}"><threadedComment ref="B2" id="{{1}}"/></ThreadedComments>'
        new.writestr("xl/threadedComments/threadedComment1.xml", content)
    place = checked_copy(workbook, [Mark("Hooks", "B2", "wrong"), Mark("Hooks", "A2", "wrong")], tmp_path / "copy.xlsx")
    sheet = loaded(place)["Hooks"]
    assert sheet["B2"].comment.text == "[Threaded comment]"
    assert sheet["B2"].fill.fgColor.rgb == f"FF{PROBLEM_FILL}"
    name = "xl/threadedcomments/threadedcomment1.xml"
    assert parts(place)[name] == parts(workbook)[name]


@pytest.mark.parametrize(
    "text", ["a\x0bb\x00", "\ud800 alone", "_x000B_ literal", "<b> & 'q' \"", "=1+1", "\u202e\ufffe", ""]
)
def test_any_sentence_makes_sound_xml(tmp_path, text):
    """Characters that XML cannot hold are shown as signs; what looks like an escape is read as it is written."""
    workbook = by_openpyxl(tmp_path / "hooks.xlsx")
    place = checked_copy(workbook, [Mark("Hooks", "A2", text), Mark("No such\x01", "A1", text)], tmp_path / "copy.xlsx")
    assert_sound(place, workbook)
    shown = loaded(place)["Hooks"]["A2"].comment.text
    assert shown == "bulkhooks: " + re.sub("[\ud800\ufffe]", "\ufffd", text).replace("\x0b", "␋").replace("\x00", "␀")


def test_marks_at_the_edges_and_about_no_cell(tmp_path):
    """The last cell of a sheet, rows and columns that are not there, a sheet that is not there, no cell at all."""
    marks = [
        *(Mark("Hooks", cell, "wrong") for cell in ("XFD1048576", "XFD1", "A1048576", "Z3", "AA2")),
        *(Mark("Nowhere", "A1", "elsewhere"), Mark("Hooks", "", "about the whole sheet")),
    ]
    workbook = by_openpyxl(tmp_path / "hooks.xlsx")
    place = checked_copy(workbook, marks, tmp_path / "copy.xlsx")
    assert_sound(place, workbook)
    book = loaded(place)
    links = [line[0].hyperlink for line in book["Problems"]["A2:A8"]]
    assert [link is not None for link in links] == [True] * 5 + [False] * 2
    with zipfile.ZipFile(place) as package:
        sheet = tree(package.read("xl/worksheets/sheet1.xml"))
    cells = [cell.get("r") for cell in sheet.iter("{*}c")]
    assert {"XFD1048576", "XFD1", "A1048576", "Z3", "AA2"} <= set(cells)
    assert sheet.find("{*}dimension").get("ref") == "A1:XFD1048576"
    assert len(shapes(place)) == 5


@pytest.mark.heavy
def test_more_marks_than_comments_are_coloured_and_listed(tmp_path):
    """And the list says so."""
    book = xlsxwriter.Workbook(tmp_path / "hooks.xlsx")
    sheet = book.add_worksheet("Hooks")
    total = checked.MOST_COMMENTS + 50  # more than one block of numbers
    for number in range(total):
        sheet.write(number, 0, number)
    book.close()
    marks = [Mark("Hooks", f"A{number}", "wrong") for number in range(1, total + 1)]
    place = checked_copy(tmp_path / "hooks.xlsx", marks, tmp_path / "copy.xlsx")
    assert len(shapes(place)) == checked.MOST_COMMENTS
    with zipfile.ZipFile(place) as package:
        styles = {cell.get("s") for cell in tree(package.read("xl/worksheets/sheet1.xml")).iter("{*}c")}
        drawing = next(name for name in package.namelist() if name.endswith(".vml"))
        numbers = re.findall(rb'id="_x0000_s(\d+)"', package.read(drawing))
        blocks = re.search(rb'data="([\d,]+)"', package.read(drawing))[1].split(b",")
    assert len(styles) == 1
    assert "0" not in styles
    assert len(numbers) == len(set(numbers))
    assert {int(number) // 1024 for number in numbers} == set(map(int, blocks))
    assert "have a comment" in loaded(place)["Problems"].cell(total + 2, 3).value


def test_a_cell_that_is_none_is_one_sentence(tmp_path):
    """The caller's mistake does not end in another error either."""
    with pytest.raises(OutputError, match=r"hooks\.xlsx"):
        checked_copy(by_openpyxl(tmp_path / "hooks.xlsx"), [Mark("Hooks", "7", "wrong")], tmp_path / "copy.xlsx")
    assert not (tmp_path / "copy.xlsx").exists()


def test_rows_and_cells_without_their_places_are_counted(tmp_path):
    """The format lets a writer leave ``r`` out of rows and cells."""
    made = by_openpyxl(tmp_path / "made.xlsx")
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(tmp_path / "hooks.xlsx", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("sheet1.xml"):
                content = re.sub(rb'<(row|c) r="(?:1|2|[A-C][12])"', rb"<\1", content)
            new.writestr(name, content)
    marks = [Mark("Hooks", "C2", "wrong"), Mark("Hooks", "B3", "new row")]
    place = checked_copy(tmp_path / "hooks.xlsx", marks, tmp_path / "copy.xlsx")
    sheet = loaded(place)["Hooks"]
    assert sheet["C2"].fill.fgColor.rgb == sheet["B3"].fill.fgColor.rgb == f"FF{PROBLEM_FILL}"
    assert [cell.value for cell in sheet[2]][:3] == [1001, "BookingCreate", "https://x.example.com"]
    assert etree.QName(tree(parts(place)["xl/worksheets/sheet1.xml"])).localname == "worksheet"
