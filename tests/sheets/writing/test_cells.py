"""Cells of the results: any value comes back as it was, and never as a formula, a link or another number."""

from __future__ import annotations

import datetime as dt
import io
import re

import openpyxl
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from bulkhooks.sheets.writing.cells import MAX_TEXT, CellWriter

AWKWARD = [
    *("=1+1", "+44 20", "-5", "@SUM(A1)", "'=1", "http://a.example.com", "mailto:a@b.example", "internal:A1"),
    *("<r>", "<r><t>x</t></r>", "_x0041_", "_x005F_x0041_", "_xD800_", "  spaces ", "a\r\nb", "\n", "\t"),
    *("007", "1e5", "TRUE", "12:30", "𝒳" * 20, "\u202eabc", "&amp;", "]]>"),
]
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from(AWKWARD)


def written(*values):
    """A workbook with these values in its first row."""
    file = io.BytesIO()
    book = Workbook(file, {"constant_memory": True, "strings_to_urls": False})
    cells = CellWriter(book, book.add_worksheet(), [None] * len(values))
    cells.write(0, values)
    book.close()
    file.seek(0)
    return file, cells


@settings(max_examples=150, deadline=None)
@given(st.lists(texts, min_size=1, max_size=12))
@example(AWKWARD)
def test_any_text_comes_back_unchanged_and_is_never_a_formula(values):
    """Both readers give the text that was written, to the character; what XML cannot hold is escaped as Excel does."""
    file, _ = written(*values)
    cells = openpyxl.load_workbook(file).active[1]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    fit = [number for number, value in enumerate(values) if not CONTROLS.search(value)]
    assert [cells[number].value for number in fit] == [values[number] for number in fit]
    file.seek(0)
    found = CalamineWorkbook.from_filelike(file).get_sheet_by_index(0).to_python(skip_empty_area=False)[0]
    expected = [re.sub("[\ufffe\uffff]", lambda match: f"_x{ord(match[0]):04X}_", value) for value in values]
    assert found == expected


@given(
    st.lists(
        st.integers(-(10**14), 10**14) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans(), min_size=1
    )
)
@settings(max_examples=100, deadline=None)
def test_numbers_and_booleans_keep_every_digit(values):
    """What comes back equals what was written, with its type but for whole floats, which sheets do not know."""
    file, _ = written(*values)
    found = [cell.value for cell in openpyxl.load_workbook(file).active[1]]
    assert found == values
    assert [isinstance(value, bool) for value in found] == [isinstance(value, bool) for value in values]


def test_numbers_too_long_for_a_sheet_are_kept_as_text():
    """From 16 digits on Excel rounds, so such a number is written as text."""
    file, _ = written(12_345_678_901_234_567, -(10**20))
    assert [cell.value for cell in openpyxl.load_workbook(file).active[1]] == ["12345678901234567", "-1" + "0" * 20]


def test_dates_stay_dates():
    """Dates and times have the kind they came with; those before 1900, which no sheet knows, are text."""
    values = [dt.datetime.fromisoformat("2025-03-01T09:30"), dt.date(2025, 3, 1), dt.time(9, 30), dt.date(1801, 1, 1)]
    file, _ = written(*values, dt.datetime(2025, 3, 1, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=2))))
    found = [cell.value for cell in openpyxl.load_workbook(file).active[1]]
    assert found[0] == values[0]
    assert found[1].date() == values[1]
    assert found[2] == values[2]
    assert found[3] == "1801-01-01"
    assert found[4] == dt.datetime.fromisoformat("2025-03-01T07:30")


def test_what_is_missing_is_an_empty_cell():
    """None, nothing and not-a-number leave the cell empty."""
    file, _ = written(None, "", float("nan"), "end")
    assert [cell.value for cell in openpyxl.load_workbook(file).active[1]] == [None, None, None, "end"]


@given(st.sampled_from(["x", "é", "𝒳"]), st.integers(-3, 3))
@settings(max_examples=30, deadline=None)
def test_a_text_is_cut_where_excel_would_refuse_it_and_says_so(character, more):
    """Excel counts UTF-16 units: up to the limit a text is whole, past it it is cut, counted, and ends with a note."""
    units = len(character.encode("utf-16-le")) // 2
    text = character * (MAX_TEXT // units + more)
    file, cells = written(text)
    found = openpyxl.load_workbook(file).active["A1"].value
    is_long = len(text.encode("utf-16-le")) // 2 > MAX_TEXT
    assert cells.cut == is_long
    assert (found == text) is not is_long
    assert len(found.encode("utf-16-le")) // 2 <= MAX_TEXT
    assert found.endswith("to see all]") is is_long
