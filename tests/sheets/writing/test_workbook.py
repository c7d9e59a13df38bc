"""The results workbook, as openpyxl, calamine and LibreOffice find it."""

from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import subprocess
import time
import zipfile

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from bulkhooks.report import ErrorCount
from bulkhooks.sheets.values import ResultRow, RunFacts
from bulkhooks.sheets.writing.outputs import Outputs
from bulkhooks.sheets.writing.workbook import WorkbookWriter
from bulkhooks.webhook import RESULT_COLUMNS, Status
from tests.sheets.samples import HEALTH_COLUMNS, problem, row, sheet_rows, summary, write

SOFFICE = shutil.which("soffice")


def rows_of_every_status():
    return [
        *(row(number) for number in range(2, 10)),
        row(10, "exists", WebhookId=5),
        row(11, "failed", problem("api-validation", "Name: is a required field", "Hooks!11"), HttpStatus=400),
        row(12, "failed", problem("api-validation", "Name: is a required field", "Hooks!12"), HttpStatus=400),
        row(
            13,
            "invalid",
            problem("bad-business-id", "'abc' is no id", "Hooks!A13"),
            problem("bad-url", "'x' is no web address", "Hooks!C13"),
            BusinessId="abc",
        ),
    ]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A workbook with rows of several outcomes and three columns of the user's own."""
    place = tmp_path_factory.mktemp("results") / "r.xlsx"
    own = [["=1+1", 7, True]] * 12
    rows = [
        ResultRow([*result.cells, *more], result.problems)
        for result, more in zip(rows_of_every_status(), own, strict=True)
    ]
    write([place], rows, ["Formula", "Count", "Ready"])
    return place


@pytest.fixture(scope="module")
def book(path):
    """That workbook as openpyxl has it."""
    return openpyxl.load_workbook(path)


def test_summary_is_seen_first_then_results_then_problems(book):
    """The sheets stand in the order in which a person wants them, with Summary open."""
    assert book.sheetnames == ["Summary", "Results", "Problems", "Events"]
    assert book.active.title == "Summary"


def test_results_have_a_frozen_header_a_filter_and_widths(book):
    """The header stays in sight, every column can be filtered, and is about as wide as what is in it."""
    sheet = book["Results"]
    assert [cell.value for cell in sheet[1]] == [*RESULT_COLUMNS, "Formula", "Count", "Ready"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:X13"
    assert sheet.column_dimensions["F"].width > 25
    assert sheet.column_dimensions["Z"].width < 40
    assert sheet["O11"].alignment.wrap_text
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows == "$1:$1"


def test_ids_are_numbers_and_texts_are_texts(book):
    """A WebhookId can be calculated with; a formula that somebody wrote as text stays what it says."""
    line = book["Results"][2]
    by_name = dict(zip((cell.value for cell in book["Results"][1]), line, strict=True))
    assert by_name["WebhookId"].value == 87_000_002
    assert by_name["BusinessId"].data_type == "n"
    assert (by_name["Formula"].value, by_name["Formula"].data_type) == ("=1+1", "s")
    assert by_name["Ready"].value is True
    assert by_name["URL"].hyperlink is None


def test_status_is_coloured_by_one_conditional_format_that_knows_every_status(book):
    """One range has the rules, and the words themselves stay as they are."""
    (formatted,) = book["Results"].conditional_formatting
    assert str(formatted.sqref) == "K2:K13"
    assert {rule.formula[0].strip('"') for rule in formatted.rules} == set(map(str, Status))
    assert {line["Status"] for line in sheet_rows_of(book)} == {"created", "exists", "failed", "invalid"}


def sheet_rows_of(book):
    header, *rows = book["Results"].iter_rows(values_only=True)
    return [dict(zip(header, values, strict=True)) for values in rows]


def test_colours_differ_in_lightness_too():
    """Printed in grey, what is wrong still stands out from what is done, and each look has a sign of its own."""
    from bulkhooks.sheets.writing.style import LOOKS

    def lightness(colour):
        red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    assert lightness(LOOKS["done"].fill) - lightness(LOOKS["wrong"].fill) > 100
    assert lightness(LOOKS["same"].fill) - lightness(LOOKS["doubt"].fill) > 30
    assert all(abs(lightness(look.fill) - lightness(look.ink)) > 100 for look in LOOKS.values())
    assert len({look.sign for look in LOOKS.values()}) == len(LOOKS)


def test_summary_says_how_it_went_with_counts_by_status_location_and_action(book):
    """One sentence first, the next step, then every count beside its word, then what was run."""
    lines = [[cell for cell in line if cell not in {None, ""}] for line in book["Summary"].iter_rows(values_only=True)]
    assert lines[0] == ["3 of 12 webhooks need a look: 8 created, 1 exists, 1 invalid and 2 failed."]
    assert any("run this very file" in str(line[0]) for line in lines if line)
    assert ["created", 8] in [line[:2] for line in lines]
    assert ["failed", 2] in [line[:2] for line in lines]
    assert ["BookingCreate", 8, 1, 1, 2, 12] in lines
    assert ["Site 11", 0, 0, 0, 1, 1] in lines
    assert ["Run id", "20250301-093000-7f3a"] in lines
    assert ["Server", "https://spaces.nexudus.com"] in lines
    assert ["Input", "hooks.xlsx"] in lines


def test_charts_carry_their_numbers(path, book):
    """A viewer that does not calculate finds the counts inside both charts."""
    assert len(book["Summary"]._charts) == 2
    with zipfile.ZipFile(path) as package:
        by_status = package.read("xl/charts/chart1.xml").decode()
        by_location = package.read("xl/charts/chart2.xml").decode()
    cached = re.search(r"<c:numCache>.*?</c:numCache>", by_status)
    assert re.findall(r"<c:v>(\d+)</c:v>", cached[0]) == ["8", "1", "1", "2"]
    assert "<c:v>failed</c:v>" in by_location
    assert "<c:v>Site 11</c:v>" in by_location


def test_problems_tell_each_error_once_with_a_link_to_its_rows(book):
    """The same sentence of several rows is one line: how often, what to do, and where, one click away."""
    lines = list(book["Problems"].iter_rows(min_row=2))
    found = {(line[1].value, line[2].value): line for line in lines}
    line = found["api-validation", "Name: is a required field"]
    assert line[0].value == 2
    assert [line[4].value, line[5].value] == ["Hooks!11", "Hooks!12"]
    target = line[5].hyperlink.location
    assert target == "'Results'!A12"
    assert book["Results"][target.rpartition("!")[2]].value == "Hooks!12"
    assert found["bad-business-id", "'abc' is no id"][4].value == "Hooks!A13"
    assert found["bad-url", "'x' is no web address"][4].value == "Hooks!C13"
    assert all(line[3].value for line in lines)


def test_the_documents_properties_name_the_run(book):
    """Title and keywords carry the run's id, so that a file that went astray is known again."""
    assert "20250301-093000-7f3a" in book.properties.title
    assert book.properties.keywords == "20250301-093000-7f3a"
    assert book.properties.created.year == 2025


def test_past_what_a_sheet_holds_the_results_go_on_in_the_next():
    """`Results 2` has the header again, its own filter and colours, and links find their way to it."""
    file = io.BytesIO()
    writer = WorkbookWriter(file, rows_a_sheet=4)
    writer.begin(RESULT_COLUMNS)
    rows = [row(number) for number in range(2, 11)]
    rows[7] = row(9, "failed", problem("api-error", "500", "Hooks!9"))
    writer.write(rows[:3])
    writer.write(rows[3:])
    writer.finish(summary(rows), RunFacts())
    writer.abandon()
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["Summary", "Results", "Results 2", "Results 3", "Problems", "Events"]
    assert [book[name].max_row for name in book.sheetnames[1:4]] == [5, 5, 2]
    assert book["Results 3"].auto_filter.ref == "A1:U2"
    assert [str(formatted.sqref) for formatted in book["Results 2"].conditional_formatting] == ["K2:K5"]
    target = book["Problems"]["E2"].hyperlink.location
    assert target == "'Results 2'!A5"
    assert book["Results 2"]["A5"].value == "Hooks!9"


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_rows_still_make_a_workbook(tmp_path, count):
    """No row at all is said in one sentence, and one is not "1 webhooks"."""
    write([tmp_path / "r.xlsx"], [row(number) for number in range(2, 2 + count)])
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames == ["Summary", "Results", "Problems", "Events"]
    assert book["Results"].max_row == 1 + count
    assert (
        book["Summary"]["A1"].value
        == [
            "Nothing to do: not one row asks for a webhook.",
            "All is well with 1 webhook: 1 created.",
        ][count]
    )
    assert book["Problems"]["A2"].value == "There are none."


def test_what_is_pending_says_when_it_goes_on(tmp_path):
    """A run that the daily cap ended tells what is left and from when the limits let it go on."""
    rows = [row(2), row(3, "pending"), row(4, "pending")]
    write([tmp_path / "r.xlsx"], rows, status="incomplete", resume_at="2025-03-02T09:30:00.000Z")
    lines = [
        str(line[0]) for line in openpyxl.load_workbook(tmp_path / "r.xlsx")["Summary"].iter_rows(values_only=True)
    ]
    assert lines[0].startswith("Not finished: 2 of 3 webhooks still to be sent.")
    assert any("2025-03-02 09:30:00 UTC" in line for line in lines)


def test_very_many_locations_are_shortened_with_a_word(tmp_path):
    """Two thousand locations have a line, those with something wrong first; the rest is one line with the sum."""
    rows = [row(number) for number in range(2, 2_504)]
    rows[2_400] = row(2_402, "failed", problem("api-error", "500", "Hooks!2402"))
    write([tmp_path / "r.xlsx"], rows)
    lines = [line[:4] for line in openpyxl.load_workbook(tmp_path / "r.xlsx")["Summary"].iter_rows(values_only=True)]
    first = next(number for number, line in enumerate(lines) if line[0] == "Location") + 1
    assert lines[first] == ("Site 2402", 0, 1, 1)
    assert lines[first + 2_000] == ("and 502 more", 502, 0, 502)


def test_the_sheet_of_health_counts_health_and_gathers_what_failing_webhooks_say(tmp_path):
    """With the columns of `health` the verdict is Health, and Problems are the last errors."""
    rows = [
        [1001, "Soho", "BookingCreate", "https://a.example.com", "A", "healthy", True, 0, None, None, 1, None],
        [
            1001,
            "Soho",
            "BookingCreate",
            "https://b.example.com",
            "B",
            "disabled",
            False,
            10,
            "404 Not Found",
            None,
            2,
            "",
        ],
        [
            1002,
            "Camden",
            "BookingCreate",
            "https://b.example.com",
            "B",
            "disabled",
            False,
            10,
            "404 Not Found",
            None,
            3,
            "",
        ],
        [1002, "Camden", "BookingCreate", "https://c.example.com", "C", "never fired", True, 0, None, None, 4, None],
    ]
    with Outputs([tmp_path / "h.xlsx"]) as outputs:
        failing = [problem("disabled", str(values[8]), str(values[10])) if values[8] else None for values in rows]
        lines = [ResultRow(values, [found] if found else []) for values, found in zip(rows, failing, strict=True)]
        outputs.write(HEALTH_COLUMNS, lines, summary(), RunFacts())
    book = openpyxl.load_workbook(tmp_path / "h.xlsx")
    assert [line["Health"] for line in sheet_rows(tmp_path / "h.xlsx", "Health")] == [values[5] for values in rows]
    assert book.sheetnames[0] == book.active.title == "Health"
    assert book["Summary"]["A1"].value.startswith("2 of 4 webhooks need a look")
    (line,) = book["Problems"].iter_rows(min_row=2, values_only=True)
    assert (line[0], line[1], line[2], line[4], line[5]) == (2, "disabled", "404 Not Found", "2", "3")


def test_calamine_reads_what_openpyxl_reads(path, book):
    """The fast reader finds the same values."""
    rows = CalamineWorkbook.from_path(path).get_sheet_by_name("Results").to_python()
    expected = [
        ["" if value is None else value for value in line] for line in book["Results"].iter_rows(values_only=True)
    ]
    assert rows == expected


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_it_and_saves_it_with_the_same_values(tmp_path, path, book):
    """A round through LibreOffice changes no value, so the results may be corrected there and run again."""
    command = [
        SOFFICE,
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
    ]
    subprocess.run([*command, "--outdir", tmp_path / "saved", path], check=True, capture_output=True, timeout=120)
    saved = openpyxl.load_workbook(tmp_path / "saved" / path.name, data_only=True)
    assert saved.sheetnames == book.sheetnames
    for name in ("Results", "Problems"):
        before, after = (list(file[name].iter_rows(values_only=True, max_col=24)) for file in (book, saved))
        assert [[value or None for value in line] for line in after[: len(before)]] == [
            [value or None for value in line] for line in before
        ]
    assert saved["Results"]["V2"].value == "=1+1"
    assert saved["Results"]["V2"].data_type == "s"


def test_results_offer_the_drop_downs_of_the_template(path):
    """Red rows are corrected in place: events from the sheet Events, yes or no; other values may be typed."""
    book = openpyxl.load_workbook(path)
    lists = {str(found.sqref): found for found in book["Results"].data_validations.dataValidation}
    assert lists["D2:D13"].formula1 == "Events!$B$2:$B$91"
    assert lists["I2:I13"].formula1 == '"yes,no"'
    assert {found.errorStyle for found in lists.values()} == {"warning"}
    assert book["Events"].max_row == 91


def test_names_of_locations_are_offered_where_their_table_goes_along(tmp_path):
    rows = [
        row(2, "invalid", problem("unknown-location", "No location", "Hooks!A2"), BusinessId="Sohoo", Location=None)
    ]
    with Outputs([tmp_path / "r.xlsx"]) as outputs:
        outputs.write(RESULT_COLUMNS, rows, summary(rows), RunFacts({}, [(1001, "Soho", "london")]))
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert any(str(found.sqref).startswith("B2") for found in book["Results"].data_validations.dataValidation)
    assert book["Locations"]["B2"].value == "Soho"


def test_what_is_printed_ends_with_the_warnings(path):
    assert openpyxl.load_workbook(path)["Results"].print_area.endswith("$P$13")


def test_the_summary_lists_warnings(tmp_path):
    """Each code once, with how often and an example."""
    told = [ErrorCount("insecure-url", 3, "Hooks!C2: http")]
    write([tmp_path / "r.xlsx"], [row(2)], warnings=told)
    lines = [line[:3] for line in openpyxl.load_workbook(tmp_path / "r.xlsx")["Summary"].iter_rows(values_only=True)]
    assert ("insecure-url", 3, "Hooks!C2: http") in lines


def test_the_times_of_the_summary_are_dates_local_and_beside_it_utc(tmp_path, monkeypatch):
    """A spreadsheet calculates with them; the header above says which is which."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        rows = [row(2), row(3, "pending")]
        write([tmp_path / "r.xlsx"], rows, status="incomplete", resume_at="2025-03-02T09:30:00.250Z")
    finally:
        monkeypatch.undo()
        time.tzset()
    cells = openpyxl.load_workbook(tmp_path / "r.xlsx")["Summary"].iter_rows()
    lines = {line[0].value: (line[1], line[3]) for line in cells}
    times = {name: [cell.value for cell in pair] for name, pair in lines.items()}
    assert times["Moment"] == ["Local time", "UTC"]
    assert list(map(str, times["Started"])) == ["2025-03-01 15:00:00", "2025-03-01 09:30:00"]
    assert list(map(str, times["Can go on"])) == ["2025-03-02 15:00:00", "2025-03-02 09:30:00"]
    moments = [time for name in ("Started", "Finished", "Can go on") for time in times[name]]
    assert set(map(type, moments)) == {dt.datetime}


def test_a_long_description_is_wrapped_and_whole(tmp_path):
    """It runs neither into the next cell nor over the edge of a page."""
    text = "Sends what is booked to the accounts department, which writes the invoices by hand on Mondays"
    write([tmp_path / "r.xlsx"], [row(2, Description=text)])
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")["Results"]
    cell = next(cell for cell in sheet[2] if cell.value == text)
    assert cell.alignment.wrap_text
    assert sheet.row_dimensions[2].height > 15
