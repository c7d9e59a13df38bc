"""Every XML of a workbook is well formed, and every reader opens it, whatever came in."""

from __future__ import annotations

import zipfile
from xml.parsers import expat

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from bulkhooks.sheets.template.workbook import write_template
from bulkhooks.sheets.values import LocationLine
from bulkhooks.sheets.writing.sound import sound
from tests.sheets.samples import problem, row, write

ODD = [
    "vertical\x0btab",
    "null\x00",
    "escape\x1b[31m",
    "half\ud800 a pair",
    "no\ufffecharacter\uffff",
    "<&\"'>]]>",
    "_x0041_\x01",
]


def opened(path):
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            if not name.endswith(".png"):
                expat.ParserCreate().Parse(package.read(name), True)
    book = openpyxl.load_workbook(path)
    assert [sheet.name for sheet in CalamineWorkbook.from_path(path).sheets_metadata] == book.sheetnames
    return book


@pytest.mark.parametrize("text", ODD)
def test_results_hold_any_text_anywhere(tmp_path, text):
    """In headers and cells, in places and sentences of problems, in the names of inputs and of charted locations."""
    found = problem("bad-url", f"a sentence with {text}", f"Ho{text}oks!C2")
    rows = [row(number, "invalid", found, Row=f"Ho{text}!2", Location=text, URL=text) for number in range(3)]
    rows = [one._replace(cells=[*one.cells, text]) for one in rows]
    write([tmp_path / "r.xlsx"], rows, [f"Own {text}"], inputs=[f"{text}.xlsx"], run_id=text)
    book = opened(tmp_path / "r.xlsx")
    if text.isprintable():
        assert book["Results"].cell(2, book["Results"].max_column).value == text


@pytest.mark.parametrize("text", ODD)
def test_a_template_holds_any_name_of_a_location(tmp_path, text):
    """As the API may give it."""
    write_template(tmp_path / "t.xlsx", [LocationLine(1001, text, text)])
    opened(tmp_path / "t.xlsx")


def test_what_xml_can_hold_stays_as_it_is():
    """Tabs, line ends, umlauts and emoji."""
    assert sound("a\tb\r\nc ü 🙂") == "a\tb\r\nc ü 🙂"
