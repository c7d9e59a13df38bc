"""Workbooks that real libraries made: each copy is sound, and every sheet of theirs reads as before."""

from __future__ import annotations

import pytest
from python_calamine import CalamineWorkbook

from bulkhooks.sheets.writeback.checked import Mark, checked_copy
from bulkhooks.sheets.writeback.copy import write_back
from tests.sheets.samples import row, write
from tests.sheets.writeback.producers import LIBRARIES, VBA, by_xlsxwriter
from tests.sheets.writeback.soundness import assert_kept, assert_reads_as_before, assert_sound, loaded, parts

MARKS = [
    Mark("Hooks", "A3", "Hooks!A3: 1002 is no location"),
    Mark("Hooks", "C3", "Hooks!C3: the address is odd", is_warning=True),
    Mark("Hooks", "D5", "Hooks!D5: a cell that is not there yet"),
    Mark("Hooks", "B30", "Hooks!B30: a row that is not there yet"),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results workbook with two rows, one of them failed."""
    path = tmp_path_factory.mktemp("results") / "hooks.results.xlsx"
    write([path], [row(2), row(3, "failed", ErrorCode="api-error", Error="Hooks!3: 500")])
    return path


@pytest.mark.parametrize("make", LIBRARIES, ids=lambda make: make.__name__)
def test_a_copy_with_results_is_sound_and_everything_else_stays(tmp_path, results, make):
    """To the byte, but for the lists that name what is added; in those to the element."""
    workbook = make(tmp_path / "hooks.xlsx")
    copy = write_back(workbook, results, tmp_path / "copy.xlsx")
    assert_sound(copy, workbook)
    assert_kept(workbook, copy)
    book = assert_reads_as_before(workbook, copy)
    assert len(book["Results"]["A"]) == 3
    assert CalamineWorkbook.from_path(copy).get_sheet_by_name("Results").to_python()[1][11] == 87_000_002


@pytest.mark.parametrize("make", LIBRARIES, ids=lambda make: make.__name__)
def test_a_copy_of_a_copy_of_a_copy_has_the_newest_results_once(tmp_path, results, make):
    """And it does not grow: parts of the old results are gone, their styles are used again."""
    copies = [make(tmp_path / "hooks.xlsx")]
    for number in range(3):
        copies.append(write_back(copies[-1], results, tmp_path / f"copy{number}.xlsx"))
        assert_sound(copies[-1], copies[0])
        assert_reads_as_before(copies[0], copies[-1])
    assert {name.rstrip("0123456789") for name in loaded(copies[1]).sheetnames} == {
        name.rstrip("0123456789") for name in loaded(copies[3]).sheetnames
    }
    assert len(parts(copies[1])) == len(parts(copies[3]))
    assert parts(copies[1])["xl/styles.xml"] == parts(copies[3])["xl/styles.xml"]


@pytest.mark.parametrize("make", LIBRARIES, ids=lambda make: make.__name__)
def test_a_checked_copy_is_sound_and_only_the_marked_cells_differ(tmp_path, make):
    """Colours, comments and the list are there; values, formats, notes, charts and pictures stay."""
    workbook = make(tmp_path / "hooks.xlsx")
    copy = checked_copy(workbook, MARKS, tmp_path / "hooks.checked.xlsx")
    assert_sound(copy, workbook)
    book = assert_reads_as_before(workbook, copy, {(mark.sheet, mark.cell) for mark in MARKS})
    for mark in MARKS:
        cell = book[mark.sheet][mark.cell]
        assert cell.fill.fgColor.rgb == ("FFFFF4C2" if mark.is_warning else "FFF9C6B4")
        assert mark.sentence in cell.comment.text
    assert [link.hyperlink.location for (link,) in book["Problems"]["A2:A5"]] == [
        f"'Hooks'!{mark.cell}" for mark in MARKS
    ]
    changed = {name for name, content in parts(workbook).items() if parts(copy).get(name) != content}
    assert not {name for name in changed if "chart" in name or "media" in name or "theme" in name or "table" in name}


def test_macros_stay_with_the_type_of_the_workbook(tmp_path, results):
    """The project to the byte, its button, and what makes the file one with macros."""
    workbook = by_xlsxwriter(tmp_path / "hooks.xlsm")
    for copy in (
        write_back(workbook, results, tmp_path / "copy.xlsm"),
        checked_copy(workbook, MARKS, tmp_path / "hooks.checked.xlsm"),
    ):
        assert_sound(copy, workbook)
        assert_reads_as_before(workbook, copy, {(mark.sheet, mark.cell) for mark in MARKS})
        assert parts(copy)["xl/vbaproject.bin"] == VBA
        assert b"application/vnd.ms-excel.sheet.macroEnabled.main+xml" in parts(copy)["[content_types].xml"]
