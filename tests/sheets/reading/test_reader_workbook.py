"""Workbooks as input: real files of every writer there is."""

from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import xlsxwriter
import xlwt
from openpyxl.worksheet.table import Table as ExcelTable

from bulkhooks.errors import InputError, UsageError
from bulkhooks.sheets.examples import EXAMPLES
from bulkhooks.sheets.normalizing.expand import expand
from bulkhooks.sheets.normalizing.normalize import normalize
from bulkhooks.sheets.reading.grid import letter
from bulkhooks.sheets.reading.reader import read
from bulkhooks.webhook import RESULT_COLUMNS

at = dt.datetime  # spreadsheets have no time zones
DATA = Path(__file__).parents[2] / "data"
HEADER = ["BusinessId", "Action", "URL"]


def fields(table, *names):
    return list(zip(*(table.rows[name] for name in names), strict=True))


def rewritten(path, change):
    """The workbook with the XML of its first sheet changed."""
    other = path.with_name("other.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, change(content.decode()) if name.endswith("sheet1.xml") else content)
    return str(other)


def test_cells_become_the_text_that_a_person_sees(book):
    """Whole numbers without a fraction, never in scientific notation; dates in ISO 8601; booleans in words."""
    values = [1001.0, 12.5, 1e20, 12345678901.0, True, at(2024, 1, 2), at(2024, 1, 2, 3, 4), "0012"]
    table = read([book({"Hooks": [HEADER, *([value, "x", "u"] for value in values)]})])
    assert table.rows["BusinessId"].tolist() == [
        "1001", "12.5", "100000000000000000000", "12345678901", "true", "2024-01-02", "2024-01-02T03:04:00", "0012"
    ]  # fmt: skip


def test_other_columns_keep_their_types(book):
    """Numbers, dates, times, booleans and text, to the letter; nothing is None."""
    values = [1.5, 3, True, dt.date(2024, 1, 2), at(2024, 1, 2, 3, 4, 5), dt.time(3, 4), " sp ", None]
    rows = [["1", "x", "u", value] for value in values]
    extras = read([book({"Hooks": [[*HEADER, "Own"], *rows]})]).extras
    assert extras["Own"].tolist() == values
    assert [type(value) for value in extras["Own"]][2:] == list(map(type, values))[2:]


def test_every_sheet_with_a_header_is_read_in_workbook_order(book):
    """Whatever is hidden in them; notes are left alone."""

    def hide(made):
        made["A"].row_dimensions[2].hidden = True
        made["A"].column_dimensions["A"].hidden = True
        made["A"].auto_filter.ref = "A1:C3"

    sheets = {"B": [HEADER, [2, "x", "u"]], "Notes": [["Action", "later"]], "A": [["Title"], [], HEADER, [1, "x", "u"]]}
    table = read([book(sheets, hide)])
    assert fields(table, "place", "BusinessId") == [("B!2", "2"), ("A!4", "1")]
    assert table.cell(1, "URL") == "A!C4"
    assert table.rows["source"].tolist() == [0, 1]


def test_a_table_need_not_begin_in_the_first_cell(book):
    """Places count from A1, whatever is empty before it."""

    def fill(made):
        for column, text in enumerate(["URL", "Action", None, "Own"], start=3):
            made["Hooks"].cell(5, column, text)
            made["Hooks"].cell(8, column, "x")

    table = read([book({"Hooks": []}, fill)])
    assert (table.rows["place"].tolist(), table.cell(0, "Action")) == (["Hooks!8"], "Hooks!D8")
    assert table.extras.columns.tolist() == ["Column E", "Own"]


def test_columns_beyond_z():
    """Are named as the spreadsheet names them."""
    assert [letter(position) for position in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_several_inputs_and_sheets_have_both_names(book):
    """So that a place is found in any of them."""
    sheet = {"Hooks": [HEADER, [1, "x", "u"]]}
    table = read([book(sheet, name="a.xlsx"), book(sheet, name="b.xlsx")])
    assert table.rows["place"].tolist() == ["a.xlsx:Hooks!2", "b.xlsx:Hooks!2"]


def test_chosen_sheets_are_the_only_ones_read(book):
    """The table of locations is read all the same."""
    sheets = {
        "A": [HEADER, [1, "x", "u"]],
        "B": [HEADER, [2, "x", "u"]],
        "Locations": [["BusinessId", "Name", "Groups"], [1, "Soho", "uk"]],
    }
    table = read([book(sheets)], sheets=["b"])
    assert table.rows["place"].tolist() == ["B!2"]
    assert table.locations.name_of == {1: "Soho"}


def test_a_sheet_that_no_workbook_has_is_named(book):
    """With those there are."""
    with pytest.raises(UsageError, match=r"--sheet 'Hook'.*the sheets there are: Hooks, Notes"):
        read([book({"Hooks": [HEADER, [1, "x", "u"]], "Notes": []})], sheets=["Hook"])


def test_the_sheet_locations_is_a_table_of_locations(book):
    """Also where it has a URL of its own; a line without a usable id is named and left out."""
    locations = [["Id", "Name", "URL", "Groups"], [1001, "Soho", "https://soho.example", "@london"], ["new", "Bank"]]
    table = read([book({"Hooks": [HEADER, ["Soho", "x", "u"]], "locations": locations})])
    assert len(table.rows) == 1
    assert table.locations.groups == {"london": [1001]}
    assert table.warnings == [
        "locations!A3: 'new' is not the id of a location, a whole number; the line is left out"
        " of the table of locations"
    ]


def test_a_merged_cell_counts_as_if_each_held_the_value(book):
    """Down, across, and past the last row that has a cell of its own."""

    def merge(made):
        for cells in ("A2:A4", "B3:B4", "D2:E2"):
            made["Hooks"].merge_cells(cells)

    rows = [[*HEADER, "Own", "More"], [1, "x", "u", "both"], [None, "y", "v"], [None, None, "w"]]
    table = read([book({"Hooks": rows}, merge)])
    assert fields(table, "BusinessId", "Action", "URL") == [("1", "x", "u"), ("1", "y", "v"), ("1", "y", "w")]
    assert table.extras["More"].tolist() == ["both", None, None]


def test_a_whole_column_merged_does_not_make_a_million_rows(book):
    """It ends where the other columns do."""

    def merge(made):
        made["Hooks"].merge_cells("D2:D3")

    path = Path(book({"Hooks": [[*HEADER, "Own"], [1, "x", "u", "note"]]}, merge))
    table = read([rewritten(path, lambda xml: xml.replace('"D2:D3"', '"D2:D1048576"'))])
    assert (len(table.rows), table.warnings) == (1, [])


def test_merged_cells_of_an_xls(tmp_path):
    """As in .xlsx; whole numbers and dates too."""
    made = xlwt.Workbook()
    sheet = made.add_sheet("Hooks")
    for column, header in enumerate([*HEADER, "Since"]):
        sheet.write(0, column, header)
    sheet.write_merge(1, 2, 0, 0, 1001)
    for row in (1, 2):
        sheet.write(row, 1, "x")
        sheet.write(row, 2, "u")
        sheet.write(row, 3, at(2024, 1, 2), xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    made.save(str(tmp_path / "old.xls"))
    table = read([str(tmp_path / "old.xls")])
    assert fields(table, "place", "BusinessId") == [("Hooks!2", "1001"), ("Hooks!3", "1001")]
    assert table.extras["Since"].tolist() == [dt.date(2024, 1, 2)] * 2


def test_an_ods(tmp_path):
    """As pandas writes it."""
    frame = pd.DataFrame({"Location": [1001, "0012"], "Event": ["x", "y"], "URL": ["u", None], "Cost": [1.5, 2]})
    frame.to_excel(tmp_path / "sheet.ods", index=False, sheet_name="Hooks")
    table = read([str(tmp_path / "sheet.ods")])
    assert fields(table, "place", "BusinessId", "URL") == [("Hooks!2", "1001", "u"), ("Hooks!3", "0012", "")]
    assert table.extras["Cost"].tolist() == [1.5, 2]


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "ods"])
def test_what_libreoffice_makes_of_a_workbook(suffix):
    """The same rows in every format; .ods alone does not tell of merged cells, nor .xls and .ods of errors."""
    table = read([str(DATA / f"libreoffice.{suffix}")])
    assert fields(table, "BusinessId", "Action", "URL") == [
        ("1001", "BookingCreate", "https://x.example/in"),
        ("" if suffix == "ods" else "1001", "CoworkerCreate", "https://x.example/in/b"),
        ("0012", "BookingUpdate", ""),
    ]
    assert table.rows["Active"].iat[0] in {"true", "1"}
    assert table.extras["Since"].tolist() == [dt.date(2024, 1, 2), at(2024, 1, 2, 3, 4), None]
    assert table.extras["Cost"].tolist() == [1.5, 3, None]
    assert flaws(table) == ([(2, "Hooks!C4", "formula-error", "#DIV/0!")] if suffix == "xlsx" else [])


def test_excel_tables_and_their_totals(book):
    """A row of totals is named and skipped."""

    def add(made):
        made["Hooks"].add_table(ExcelTable(displayName="Hooks", ref="A1:D3", totalsRowCount=1))

    table = read([book({"Hooks": [[*HEADER, "Cost"], [1, "x", "u", 5], ["Total", None, None, 5]]}, add)])
    assert len(table.rows) == 1
    assert table.warnings == ["Hooks!3: skipped: this looks like a line of totals"]


def test_examples_of_the_template_are_skipped(book):
    """Those that were left standing to the letter; one that was changed is sent."""
    header = ["BusinessId", "Action", "URL", "Description"]
    examples = [[example[name] for name in header] for example in EXAMPLES]
    changed = [1002, *examples[0][1:]]
    table = read([book({"Hooks": [header, *examples, changed]})])
    assert table.rows["BusinessId"].tolist() == ["1002"]
    assert "Hooks!2, Hooks!3, Hooks!4: skipped: an example" in table.warnings[0]


def test_headers_that_say_the_same_are_named(book):
    """And headers close to a field that is missing."""
    table = read([book({"Hooks": [["Site", "Action", "Event", "Endpoit"], [1, "x", "y", "u"]]})])
    assert [(warning.code, warning.place) for warning in table.warnings] == [
        ("unused-column", "Hooks!C1"), ("unused-column", "Hooks!D1")
    ]  # fmt: skip
    assert "'Event' means the same as 'Action', which counts" in str(table.warnings[0])
    assert '--map "Endpoit=URL"' in str(table.warnings[1])
    assert table.extras.to_dict("list") == {"Event": ["y"], "Endpoit": ["u"]}


def test_a_results_workbook_is_read_without_its_summaries(book):
    """Every sheet of results, and no other that was made with them."""
    row = dict.fromkeys(RESULT_COLUMNS) | {
        "BusinessId": 1,
        "Action": "x",
        "URL": "u",
        "Status": "created",
        "WebhookId": 77,
    }
    sheets = {
        "Results": [[*RESULT_COLUMNS, "Own"], [*row.values(), 1.5]],
        "Results 2": [[*RESULT_COLUMNS, "Own"], [*(row | {"Status": "failed"}).values(), "'=x"]],
        "Summary": [["Location", "Action"], ["Soho", 1]],
        "Problems": [["URL", "Action"], ["u", 1]],
    }
    table = read([book(sheets)], columns={"Hook address": "URL"})
    assert fields(table, "place", "known_id") == [("Results!2", 77), ("Results 2!2", 0)]
    assert table.extras.to_dict("list") == {"Own": [1.5, "'=x"]}


def test_sheets_called_summary_count_where_there_are_no_results(book):
    """For then they are the user's own."""
    assert len(read([book({"Summary": [HEADER, [1, "x", "u"]]})]).rows) == 1


def test_a_file_is_what_it_is_whatever_its_suffix(book, tmp_path):
    """A workbook named .csv or .xls, text named .xls or .xlsx."""
    path = book({"Hooks": [HEADER, [1, "x", "u"]]})
    for name in ("book.csv", "book.xls", "book.ods", "book.xlsm"):
        shutil.copy(path, tmp_path / name)
        assert read([str(tmp_path / name)]).rows["place"].tolist() == ["Hooks!2"]
    for name in ("text.xls", "text.xlsx"):
        (tmp_path / name).write_text("BusinessId\tAction\tURL\n1\tx\tu\n", "utf-8")
        assert read([str(tmp_path / name)]).rows["place"].tolist() == [f"{name}:2"]


def test_a_sheet_that_claims_to_be_huge_is_not(book):
    """Some programs always name the last cell of all, and formats reach far."""
    path = Path(book({"Hooks": [HEADER, [1, "x", "u"]]}))
    claim = 'ref="A1:XFD1048576"'
    assert len(read([rewritten(path, lambda xml: xml.replace('ref="A1:C2"', claim))]).rows) == 1


# formula-error


def flaws(table):
    return [(flaw.row, flaw.place, flaw.code, flaw.value) for flaw in table.flaws]


def test_errors_and_formulas_without_a_value_are_told_from_empty_cells(book):
    """A row that holds nothing else does not vanish, also past the last cell with a value."""
    rows = [HEADER, [1, "x", "#REF!"], [2, "=B2", None], [], [None, None, "#N/A"], [None, None, '="https://"&A2']]
    table = read([book({"Hooks": rows})])
    assert table.rows["place"].tolist() == ["Hooks!2", "Hooks!3", "Hooks!5", "Hooks!6"]
    assert flaws(table) == [
        (0, "Hooks!C2", "formula-error", "#REF!"),
        (1, "Hooks!B3", "formula-error", "=B2"),
        (2, "Hooks!C5", "formula-error", "#N/A"),
        (3, "Hooks!C6", "formula-error", '="https://"&A2'),
    ]
    assert "Correct its formula" in str(table.flaws[0])
    assert "save it and try again" in str(table.flaws[1])
    assert table.rows["URL"].tolist() == [""] * 4


def test_flaws_are_counted_over_all_sheets_and_inputs(book):
    """Their row is that of the whole table."""
    path = book({"A": [HEADER, [1, "x", "u"]], "B": [["Note", *HEADER], ["", 2, "x", "#DIV/0!"]]})
    assert flaws(read([path])) == [(1, "B!D2", "formula-error", "#DIV/0!")]


def test_a_merged_error_is_one_in_every_cell(book):
    """For each counts as if it held it."""

    def merge(made):
        made["Hooks"].merge_cells("A2:A3")

    table = read([book({"Hooks": [HEADER, ["#NAME?", "x", "u"], [None, "y", "v"]]}, merge)])
    assert [flaw.place for flaw in table.flaws] == ["Hooks!A2", "Hooks!A3"]


def test_errors_in_other_columns_are_carried_as_text(book):
    """They are no problem of the row, and not lost."""
    table = read([book({"Hooks": [[*HEADER, "Own"], [1, "x", "u", "#N/A"], [2, "x", "u", "=A2"]]})])
    assert table.extras["Own"].tolist() == ["#N/A", "=A2"]
    assert table.flaws == []


def test_formulas_with_saved_values_are_their_values(tmp_path):
    """An empty text among them, which Excel marks as text."""
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as made:
        sheet = made.add_worksheet("Hooks")
        sheet.write_row(0, 0, [*HEADER, "Name"])
        sheet.write_formula(1, 0, "=1000+1", None, 1001)
        sheet.write_formula(1, 1, '="Booking"&"Create"', None, "BookingCreate")
        sheet.write_string(1, 2, "u")
        sheet.write_formula(1, 3, '=IF(1,"","")', None, "")
    table = read([rewritten(tmp_path / "book.xlsx", lambda xml: xml.replace('<c r="D2">', '<c r="D2" t="str">'))])
    assert fields(table, "BusinessId", "Action", "Name") == [("1001", "BookingCreate", "")]
    assert table.flaws == []


def test_xml_with_prefixes_and_without_references_is_understood(book):
    """Not every program writes a sheet as Excel does."""
    rows = [[('t="str"', name) for name in HEADER], [("", "1"), ('t="str"', "x"), ('t="e"', "#REF!")]]
    cells = ("".join(f"<x:c {kind}><x:v>{value}</x:v></x:c>" for kind, value in row) for row in rows)
    data = "".join(f"<x:row>{row}</x:row>" for row in cells)
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = f'<x:worksheet xmlns:x="{space}"><x:sheetData>{data}</x:sheetData></x:worksheet>'
    path = Path(book({"Hooks": [HEADER, [1, "x", "u"]]}))
    assert flaws(read([rewritten(path, lambda _: xml)])) == [(0, "Hooks!C2", "formula-error", "#REF!")]


def test_no_table_in_any_sheet(book):
    """The nearest row is named, with its sheet."""
    with pytest.raises(
        InputError, match=r"row 2 of sheet Plan is the header, besides 'Action': give --map \"Hook address=URL\""
    ):
        read([book({"Notes": [["hello"]], "Plan": [["x"], ["Action", "Hook address"]]})])


def test_each_workbook_has_its_own_names_and_groups(tmp_path):
    """A star means every location of the workbook in which it stands; a text file beside them has all tables."""
    for name, locations in (("a.xlsx", [(1, "A"), (2, "B")]), ("b.xlsx", [(3, "A")])):
        book = openpyxl.Workbook()
        book.active.title = "Hooks"
        for line in (("BusinessId", "Action", "URL"), ("*", "6", f"https://{name}/x"), ("A", "7", f"https://{name}/x")):
            book.active.append(line)
        sheet = book.create_sheet("Locations")
        for line in (("BusinessId", "Name"), *locations):
            sheet.append(line)
        book.save(tmp_path / name)
    (tmp_path / "c.csv").write_text("BusinessId,Action,URL\n*,8,https://c.csv/x\n")
    table = read([str(tmp_path / name) for name in ("a.xlsx", "b.xlsx", "c.csv")])
    fields = normalize(table, locations=table.locations, accounts=(), account="default", name_template="{Location}")
    webhooks = expand(fields).webhooks
    found = [
        (place.partition(":")[0], number)
        for place, number in zip(webhooks["place"], webhooks["business_id"], strict=True)
    ]
    assert found == [
        ("a.xlsx", 1), ("a.xlsx", 2), ("a.xlsx", 1), ("b.xlsx", 3), ("b.xlsx", 3),
        ("c.csv", 1), ("c.csv", 2), ("c.csv", 3),
    ]  # fmt: skip


def test_an_example_that_was_only_half_written_over_is_not_sent(tmp_path):
    """Its description is dropped, and its URL is a problem."""
    book = openpyxl.Workbook()
    example = dict(EXAMPLES[0])
    book.active.append(list(example))
    book.active.append(["1002", *list(example.values())[1:]])
    book.active.append(["1003", "6", "https://mine.io/x", example["Description"]])
    book.save(tmp_path / "hooks.xlsx")
    table = read([str(tmp_path / "hooks.xlsx")])
    assert table.rows["Description"].tolist() == ["", ""]
    assert [(flaw.code, flaw.row) for flaw in table.flaws] == [("bad-url", 0)]


def test_a_corrected_id_of_a_results_file_has_its_own_name(tmp_path):
    """The name beside it was that of the wrong id."""
    book = openpyxl.Workbook()
    book.active.title = "Results"
    header = ("Row", "BusinessId", "Location", "Action", "URL", "Status", "WebhookId")
    for line in (
        header,
        ("h!2", 1002, "9999", "6", "https://a.io/x", "failed", None),
        ("h!3", 1002, "Ours", "7", "https://a.io/x", "failed", None),
    ):
        book.active.append(line)
    book.save(tmp_path / "out.xlsx")
    table = read([str(tmp_path / "out.xlsx")])
    fields = normalize(table, locations=table.locations, accounts=(), account="default", name_template="{Location}")
    assert expand(fields).webhooks["name"].tolist() == ["1002", "Ours"]


def test_two_decorated_headers_of_a_field_are_refused(book):
    """Both are named, and how to say which counts; without that a webhook might be live that was meant not to be."""
    path = book({"Hooks": [["BusinessId", "Action", "URL", "Active?", "Enabled (Y/N)"], [1, "x", "u", "", "N"]]})
    with pytest.raises(InputError, match=r"'Active\?' and 'Enabled \(Y/N\)' .*--map \"Active\?=Active\" or --map"):
        read([path])
    assert read([path], columns={"Enabled (Y/N)": "Active"}).rows["Active"].tolist() == ["N"]


def test_decorated_headers_are_read_without_a_word(book):
    """As people write what a column takes."""
    header = [
        "Business Id (number)",
        "Action (event)",
        "URL *",
        "Active (yes/no)",
        "Account name",
        "Replaces (old URL)",
    ]
    table = read([book({"Hooks": [header, [1001, "x", "u", "no", "acme", "v"]]})])
    assert table.rows.loc[0, ["Active", "Account", "Replaces"]].tolist() == ["no", "acme", "v"]
    assert table.warnings == []
