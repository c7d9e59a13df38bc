"""Packages that are put together oddly: what can be kept is kept, the rest is one sentence and no copy."""

from __future__ import annotations

import random
import re
import shutil
import warnings
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font, PatternFill

from bulkhooks.errors import OutputError
from bulkhooks.sheets.values import LocationLine, RunFacts
from bulkhooks.sheets.writeback.checked import Mark, checked_copy
from bulkhooks.sheets.writeback.copy import write_back
from bulkhooks.sheets.writing.outputs import Outputs
from bulkhooks.webhook import RESULT_COLUMNS
from tests.sheets.samples import row, summary
from tests.sheets.writeback.producers import by_openpyxl, by_openpyxl_plain, by_xlsxwriter
from tests.sheets.writeback.soundness import assert_kept, assert_reads_as_before, assert_sound, loaded, parts

MARKS = [Mark("Hooks", "A3", "Hooks!A3: no such location"), Mark("Hooks", "D4", "Hooks!D4: odd", is_warning=True)]
GIVEN = Path(__file__).parents[2] / "data" / "workbooks"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results workbook with two rows, one invalid, and so with the table of locations."""
    path = tmp_path_factory.mktemp("results") / "hooks.results.xlsx"
    rows = [row(2), row(3, "invalid", ErrorCode="bad-url", Error="Hooks!C3: no address")]
    with Outputs([path]) as outputs:
        outputs.write(
            RESULT_COLUMNS,
            rows,
            summary(rows),
            RunFacts({"Server": "x"}, [LocationLine(1001, "Soho"), LocationLine(1002, "Mayfair")]),
        )
    return path


def repacked(source, target, change=lambda name, content: content, rename=lambda name: name, more=()):
    """The same parts, each changed and renamed; None leaves one out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(rename(name), content)
        for name, content in more:
            new.writestr(name, content)
    return target


def both(workbook, results, folder):
    """Both kinds of copy, sound and reading as before."""
    copy = write_back(workbook, results, folder / "copy.xlsx")
    assert_sound(copy, workbook)
    assert_reads_as_before(workbook, copy)
    checked = checked_copy(workbook, MARKS, folder / "checked.xlsx")
    assert_sound(checked, workbook)
    assert_reads_as_before(workbook, checked, {(mark.sheet, mark.cell) for mark in MARKS})
    return loaded(copy), loaded(checked)


@pytest.mark.parametrize("name", ["plain", "linked", "located"])
def test_workbooks_that_were_damaged_once(tmp_path, results, name):
    """Empty lists of styles, and a table of locations of their own beside invalid rows."""
    workbook = shutil.copy(GIVEN / f"{name}.xlsx", tmp_path / "hooks.xlsx")
    copy, _ = both(Path(workbook), results, tmp_path)
    assert copy.sheetnames.count("Locations") == 1
    assert copy["Results"].auto_filter.ref is not None


@pytest.mark.parametrize("make", [by_openpyxl, by_xlsxwriter])
def test_names_with_a_prefix_are_understood(tmp_path, results, make):
    """Some programs write every element of the workbook and its styles with a prefix."""

    def prefixed(name, content):
        if not re.fullmatch(r"xl/(workbook|styles|worksheets/sheet1)\.xml", name):
            return content
        content = re.sub(rb"<(/?)(?=[a-zA-Z]+[ />])", rb"<\1x:", content)
        return content.replace(b' xmlns="', b' xmlns:x="')

    both(repacked(make(tmp_path / "made.xlsx"), tmp_path / "hooks.xlsx", prefixed), results, tmp_path)


def test_a_workbook_without_styles_gets_those_that_readers_look_for(tmp_path, results):
    """Its own cells keep the look of cells without a style."""

    def without(name, content):
        if name in {"xl/styles.xml", "xl/theme/theme1.xml"}:
            return None
        content = re.sub(rb"<(Relationship|Override) [^<>]*(styles|theme)[^<>]*/>", b"", content)
        return re.sub(rb' s="\d+"', b"", content) if "worksheets" in name else content

    workbook = repacked(by_openpyxl_plain(tmp_path / "made.xlsx"), tmp_path / "hooks.xlsx", without)
    copy, _ = both(workbook, results, tmp_path)
    assert copy["Results"]["A1"].font.b is True
    assert copy["Hooks"]["A1"].font.b is not True
    assert "xl/styles.xml" in parts(tmp_path / "copy.xlsx")


def test_absolute_targets_and_missing_properties(tmp_path, results):
    """References that begin at the root, and nothing in docProps."""

    def changed(name, content):
        if name.startswith("docProps"):
            return None
        content = re.sub(rb"<(Relationship|Override) [^<>]*docProps[^<>]*/>", b"", content)
        return (
            content.replace(b'Target="worksheets/', b'Target="/xl/worksheets/')
            if "workbook.xml.rels" in name
            else content
        )

    both(repacked(by_xlsxwriter(tmp_path / "made.xlsx"), tmp_path / "hooks.xlsx", changed), results, tmp_path)


@pytest.mark.parametrize(
    "rename",
    [lambda name: name.replace("xl/worksheets", "xl\\worksheets"), lambda name: f"/{name}", str.upper],
    ids=["backslashes", "slash", "capitals"],
)
def test_odd_names_in_the_archive_are_found_and_stay(tmp_path, results, rename):
    """Programs that read by the exact name cannot read the original either, so only the parts are looked at."""
    workbook = repacked(by_openpyxl(tmp_path / "made.xlsx"), tmp_path / "hooks.xlsx", rename=rename)
    for copy in (
        write_back(workbook, results, tmp_path / "copy.xlsx"),
        checked_copy(workbook, MARKS, tmp_path / "checked.xlsx"),
    ):
        assert_sound(copy, workbook)
        with zipfile.ZipFile(copy) as new, zipfile.ZipFile(workbook) as old:
            assert set(old.namelist()) <= set(new.namelist())
    assert_kept(workbook, tmp_path / "copy.xlsx")


def test_alternate_content_and_what_follows_it_keep_their_order(tmp_path, results):
    """Excel puts such blocks between the children of a workbook and of a sheet."""
    namespace = b' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    block = b'<mc:AlternateContent%b><mc:Choice Requires="x15"/></mc:AlternateContent>' % namespace

    def changed(name, content):
        if name == "xl/workbook.xml":
            return content.replace(b"<bookViews>", block + b"<bookViews>").replace(
                b"<definedNames", block + b"<definedNames"
            )
        return content

    workbook = repacked(by_xlsxwriter(tmp_path / "made.xlsx"), tmp_path / "hooks.xlsx", changed)
    both(workbook, results, tmp_path)
    assert_kept(workbook, tmp_path / "copy.xlsx")


def test_where_an_earlier_sheet_goes_the_others_are_counted_again(tmp_path, results):
    """Fewer sheets of results than before: filters, names and the shown sheet belong to the same sheets as before."""
    first = write_back(by_xlsxwriter(tmp_path / "made.xlsx"), results, tmp_path / "first.xlsx")
    book = openpyxl.load_workbook(first)
    spare = book.copy_worksheet(book["Results"])
    spare.title = "Results 2"
    book.move_sheet(spare, -len(book.sheetnames))
    book["Hooks"].print_title_rows = "1:1"
    book.active = book.sheetnames.index("Summary")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book.save(tmp_path / "hooks.xlsx")
    copy = loaded(write_back(tmp_path / "hooks.xlsx", results, tmp_path / "copy.xlsx"))
    assert_sound(tmp_path / "copy.xlsx", tmp_path / "hooks.xlsx")
    assert copy.sheetnames == [name for name in book.sheetnames if name != "Results 2"]
    assert copy.active.title == "Summary"
    assert copy["Hooks"].print_title_rows == "$1:$1"
    assert copy["Summary"].auto_filter.ref == "A1:B5"


def _bomb(folder):
    """A part that says of itself that it unpacks to 4 GB."""
    content = bytearray(by_openpyxl_plain(folder / "made.xlsx").read_bytes())
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = (0xF0000000).to_bytes(4, "little")
    return _written(folder, bytes(content))


def _with_part(folder, name, content=b""):
    return repacked(by_openpyxl_plain(folder / "made.xlsx"), folder / "hooks.xlsx", more=[(name, content)])


def _with_change(folder, part, old, new):
    def changed(name, content):
        assert name != part or re.search(old, content)
        return re.sub(old, new, content) if name == part else content

    return repacked(by_openpyxl_plain(folder / "made.xlsx"), folder / "hooks.xlsx", changed)


def _written(folder, content):
    (folder / "hooks.xlsx").write_bytes(content)
    return folder / "hooks.xlsx"


def _encrypted(folder):
    content = bytearray(by_openpyxl_plain(folder / "made.xlsx").read_bytes())
    for place in [found.start() for found in re.finditer(b"PK\x01\x02", content)]:
        content[place + 8] |= 1
    return _written(folder, bytes(content))


REFUSED = {
    "password": (lambda folder: _written(folder, bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)), "password"),
    "zip password": (_encrypted, "password"),
    "signature": (lambda folder: _with_part(folder, "_xmlsignatures/origin.sigs"), "signed"),
    "twice": (lambda folder: _with_part(folder, "XL/Workbook.xml"), "twice"),
    "bomb": (_bomb, "2 GB"),
    "large part": (
        lambda folder: _with_change(folder, "xl/styles.xml", rb"<fonts", b" " * (33 << 20) + b"<fonts"),
        "MB",
    ),
    "document type": (
        lambda folder: _with_change(folder, "xl/workbook.xml", rb"^", b'<!DOCTYPE a [<!ENTITY b "c">]>'),
        "safely",
    ),
    "no sheets": (lambda folder: _with_change(folder, "xl/workbook.xml", rb"<sheets>.*</sheets>", b""), "sheets"),
    "not well formed": (lambda folder: _with_change(folder, "xl/workbook.xml", rb"</workbook>", b""), "safely"),
    "styles of something else": (
        lambda folder: _with_change(folder, "xl/styles.xml", rb"<font>", b"<x/><font>"),
        "safely",
    ),
    "no workbook": (
        lambda folder: _with_change(folder, "_rels/.rels", rb"officeDocument\"", b'other"'),
        "not a workbook",
    ),
    "binary": (lambda folder: _with_change(folder, "xl/workbook.xml", rb"^.*$", b"\x83\x01"), "safely"),
    "empty": (lambda folder: _written(folder, b""), "not a workbook"),
    "text": (lambda folder: _written(folder, b"BusinessId;Action\n"), "not a workbook"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_kept_is_one_sentence_and_no_copy(tmp_path, results, kind):
    """The sentence names the file; nothing is written, not even beside the place."""
    make, word = REFUSED[kind]
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    workbook = make(tmp_path / "in")
    for write_copy in (
        lambda: write_back(workbook, results, tmp_path / "out" / "copy.xlsx"),
        lambda: checked_copy(workbook, MARKS, tmp_path / "out" / "copy.xlsx"),
    ):
        with pytest.raises(OutputError, match=word) as caught:
            write_copy()
        assert "hooks.xlsx" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_entities_are_never_resolved(tmp_path, results):
    """A sheet of theirs that names a file of this machine is refused where it has to be read."""
    secret = tmp_path / "secret.txt"
    secret.write_text("very secret")
    declared = f'<!DOCTYPE a [<!ENTITY b SYSTEM "{secret.as_uri()}">]>'.encode()
    workbook = _with_change(tmp_path, "xl/worksheets/sheet1.xml", rb"<worksheet", declared + b"<worksheet")
    with pytest.raises(OutputError):
        checked_copy(workbook, MARKS, tmp_path / "checked.xlsx")


@pytest.mark.parametrize("seed", range(24))
def test_whatever_bytes_of_a_workbook_change_it_is_a_copy_or_a_sentence(tmp_path, results, seed):
    """Some parts of it are damaged in every way; no other error leaves."""
    chance = random.Random(seed)

    def damaged(name, content):
        if not name.endswith((".xml", ".rels", ".vml")) or chance.random() < 0.6:
            return content
        start = chance.randrange(len(content))
        piece = content[start : start + chance.randrange(1, 40)]
        return chance.choice(
            [
                content[:start] + content[start + len(piece) :],
                content[:start] + piece * 3 + content[start:],
                content.replace(b'="0"', b'="x"', chance.randrange(1, 4)),
                re.sub(rb"<(\w+)( [^<>]*)?/>", b"", content, count=chance.randrange(1, 9)),
                re.sub(rb'"\d+"', b'"99999"', content, count=chance.randrange(1, 5)),
            ]
        )

    make = chance.choice([by_openpyxl, by_xlsxwriter])
    workbook = repacked(make(tmp_path / "made.xlsx"), tmp_path / "hooks.xlsx", damaged)
    for number, write_copy in enumerate(
        (
            lambda place: write_back(workbook, results, place),
            lambda place: checked_copy(workbook, MARKS, place),
        )
    ):
        place = tmp_path / f"copy{number}.xlsx"
        try:
            write_copy(place)
        except OutputError:
            assert not place.exists()
        else:
            assert zipfile.ZipFile(place).testzip() is None


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
NAMES = st.lists(
    st.one_of(st.sampled_from(["Results", "Summary", "problems", "Locations", "It's"]), TEXTS)
    .map(lambda name: re.sub(r"[\[\]:*?/\\]", "_", name).strip("'")[:28])
    .filter(lambda name: name and name.lower() != "history"),
    min_size=1,
    max_size=5,
    unique_by=lambda name: name.lower(),
)


GENERATED = given(
    names=NAMES,
    cells=st.lists(
        st.tuples(st.integers(1, 12), st.integers(1, 8), TEXTS | st.integers() | st.booleans()), max_size=12
    ),
    styled=st.lists(
        st.tuples(st.booleans(), st.sampled_from(["FFAA0000", "FF00BB00"]), st.sampled_from(["0.00", "@", '0 "x"']))
    ),
    marked=st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 15), st.integers(1, 10), st.text(max_size=40)), max_size=8
    ),
    library=st.sampled_from(["openpyxl", "xlsxwriter", "streamed"]),
)
HOWEVER_SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(HOWEVER_SLOW, max_examples=10)
@GENERATED
def test_generated_workbooks(tmp_path_factory, results, names, cells, styled, marked, library):
    """Any names, cells, formats and marks: both copies are sound and every sheet reads as before."""
    _try(tmp_path_factory.mktemp("made"), results, names, cells, styled, marked, library)


@pytest.mark.heavy
@settings(HOWEVER_SLOW, max_examples=400)
@GENERATED
def test_hundreds_of_generated_workbooks(tmp_path_factory, results, names, cells, styled, marked, library):
    """The long form."""
    _try(tmp_path_factory.mktemp("made"), results, names, cells, styled, marked, library)


def _try(folder, results, names, cells, styled, marked, library):
    workbook = folder / "hooks.xlsx"
    if library == "openpyxl":
        _openpyxl(workbook, names, cells, styled)
    else:
        _xlsxwriter(workbook, names, sorted(cells, key=lambda cell: cell[0]), styled, library == "streamed")
    copy = write_back(workbook, results, folder / "copy.xlsx")
    assert_sound(copy, workbook)
    assert_kept(workbook, copy)
    assert_reads_as_before(workbook, copy)
    marks = [
        Mark(names[sheet % len(names)], f"{chr(64 + column)}{number}", text, is_warning=bool(number % 2))
        for sheet, number, column, text in marked
    ]
    checked = checked_copy(copy, marks, folder / "checked.xlsx")
    assert_sound(checked, workbook)
    book = assert_reads_as_before(workbook, checked, {(mark.sheet, mark.cell) for mark in marks})
    for mark in marks:
        assert book[mark.sheet][mark.cell].comment is not None


def _openpyxl(path, names, cells, styled):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in names:
        sheet = book.create_sheet()
        sheet.title = name
        for number, (line, column, value) in enumerate(cells):
            cell = sheet.cell(line, column, f"'{value}" if str(value).startswith("=") else value)
            if styled:
                bold, colour, code = styled[number % len(styled)]
                cell.font, cell.fill, cell.number_format = Font(bold=bold), PatternFill("solid", fgColor=colour), code
    book.save(path)


def _xlsxwriter(path, names, cells, styled, streamed):
    book = xlsxwriter.Workbook(
        path, {"constant_memory": streamed, "strings_to_urls": False, "strings_to_formulas": False}
    )
    formats = [
        book.add_format({"bold": bold, "bg_color": f"#{colour[2:]}", "num_format": code})
        for bold, colour, code in styled
    ]
    for name in names:
        sheet = book.add_worksheet(name)
        for number, (line, column, value) in enumerate(cells):
            form = formats[number % len(formats)] if formats else None
            if isinstance(value, bool):
                sheet.write_boolean(line, column, value, form)
            elif isinstance(value, int):
                sheet.write_number(line, column, float(value % 10**9), form)
            else:
                sheet.write_string(line, column, value, form)
    book.close()
