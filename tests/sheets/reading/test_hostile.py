"""Workbooks that would take the program with them: each is one sentence, within the limits of another process."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.reader import read
from tests.processes import bulkhooks

ROWS = [["BusinessId", "Action", "URL"], [1001, "BookingCreate", "https://hooks.example.com/in"]]
REPEATED = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="Hooks"><table:table-row table:number-rows-repeated="4000000000"/>'
    "</table:table></office:spreadsheet></office:body></office:document-content>"
)


def rewritten(path, change):
    """A workbook with the XML of its sheet changed."""
    content = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.title = "Hooks"
    for row in ROWS:
        book.active.append(row)
    book.save(content)
    with zipfile.ZipFile(content) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, change(data.decode()) if name.endswith("sheet1.xml") else data)
    return path


def with_far_cell(dimension):
    def change(xml):
        far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
        return xml.replace('<dimension ref="A1:C2"/>', dimension).replace("</sheetData>", far)

    return change


@pytest.mark.parametrize("dimension", ["", '<dimension ref="A1:C2"/>', '<dimension ref="A1:XFD1048576"/>'])
def test_a_cell_at_the_end_of_the_sheet(tmp_path, dimension):
    """Whatever the sheet says of its size."""
    path = rewritten(tmp_path / "far.xlsx", with_far_cell(dimension))
    with pytest.raises(InputError, match=r"far\.xlsx: sheet Hooks reaches to cell XFD1048576, too far to be read"):
        read([str(path)])


def test_a_workbook_that_unpacks_to_gigabytes(tmp_path):
    """The sentence says how many."""
    path = rewritten(tmp_path / "bomb.xlsx", lambda xml: xml)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as package,
        package.open("xl/media/image1.png", "w", force_zip64=True) as part,
    ):
        for _ in range(1100):
            part.write(bytes(1 << 20))
    with pytest.raises(InputError, match=r"bomb\.xlsx: the workbook unpacks to 1\.2 GB"):
        read([str(path)])


def test_rows_that_are_repeated_more_often_than_a_sheet_has_them(tmp_path):
    """As ``.ods`` can say in a few bytes."""
    path = tmp_path / "repeated.ods"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", REPEATED)
    with pytest.raises(InputError, match=r"repeated\.ods: the workbook repeats rows 4,000,000,000 times"):
        read([str(path)])


def test_a_cell_of_millions_of_characters(tmp_path):
    """Is no cell of a table."""
    cell = f'<row r="3"><c r="C3" t="inlineStr"><is><t>https://{"x" * 1_500_000}</t></is></c></row></sheetData>'
    path = rewritten(tmp_path / "long.xlsx", lambda xml: xml.replace("</sheetData>", cell))
    with pytest.raises(InputError, match=r"a cell of sheet Hooks holds 1,500,008 characters"):
        read([str(path)])


def test_workbooks_are_read_after_one_that_broke_the_process(tmp_path):
    """Another process is started, and only one is kept for many workbooks."""
    far = rewritten(tmp_path / "far.xlsx", with_far_cell(""))
    good = [str(rewritten(tmp_path / f"good{number}.xlsx", lambda xml: xml)) for number in range(3)]
    with pytest.raises(InputError):
        read([*good, str(far)])
    assert read(good).rows["BusinessId"].tolist() == ["1001"] * 3


def test_a_damaged_xls_prints_nothing_of_another_language(tmp_path):
    """One sentence from the program, exit code 2."""
    (tmp_path / "hooks.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 4096)
    done = bulkhooks("check", "hooks.xls", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("bulkhooks: hooks.xls: ")


def test_a_line_of_millions_of_characters(tmp_path):
    """Is no record of delimited text, wherever it stands."""
    path = tmp_path / "long.csv"
    path.write_text(f"BusinessId,Action,URL\n1,2,https://x\n1,2,https://{'x' * 9_000_000}\n1,2,https://y\n", "utf-8")
    with pytest.raises(InputError, match=r"long\.csv: a line has more than 8,000,000 bytes"):
        read([str(path)])
