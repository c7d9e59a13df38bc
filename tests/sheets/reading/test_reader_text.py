"""Delimited text as input."""

from __future__ import annotations

import csv
import io
import sys

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.files import label_of
from bulkhooks.sheets.reading.reader import read
from bulkhooks.sheets.values import ResultRow
from bulkhooks.sheets.writing.text_formats import CsvWriter
from bulkhooks.webhook import RESULT_COLUMNS

HEADER = "BusinessId,Action,URL"


@pytest.fixture
def write(tmp_path):
    def write(text, name="hooks.csv", encoding="utf-8"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return str(path)

    return write


def fields(table, *names):
    return list(zip(*(table.rows[name] for name in names), strict=True))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["hooks.csv", "hooks.tsv", "hooks.TXT"])
def test_the_delimiter_is_found_by_the_header(write, delimiter, name):
    """Whatever the suffix says, and though cells hold the other delimiters."""
    rows = [
        ["Title, with; all\tof|them"],
        [],
        ["Site Id", "Event", "Webhook URL", "Note"],
        ["1,2;3|4", "a\tb", "x", "1,5"],
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    table = read([write(text.getvalue(), name)])
    assert fields(table, "BusinessId", "Action", "URL") == [("1,2;3|4", "a\tb", "x")]
    assert table.extras["Note"].tolist() == ["1,5"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(write, encoding):
    """UTF-8 with and without a byte order mark, UTF-16 with one, and Windows-1252."""
    table = read([write(f"{HEADER},Größe\n1001,BookingCreate,https://ü.example,€ 5\n", encoding=encoding)])
    assert fields(table, "BusinessId", "URL") == [("1001", "https://ü.example")]
    assert table.extras.to_dict("list") == {"Größe": ["€ 5"]}


def test_a_file_is_taken_for_utf_8_only_if_all_of_it_is(write):
    """A letter of Windows-1252 far down decides."""
    table = read([write(f"{HEADER}\n".encode() + b"1,2,3\n" * 300_000 + b"1,2,\xfc\n")])
    assert table.rows["URL"].iat[-1] == "ü"


def test_places_count_records_from_the_header(write):
    """Blank records count, title lines do not, and a record may take several lines."""
    table = read([write(f'Title\n\n{HEADER},Note\n1,2,3,"two\nlines"\n\n,,\n4,5,6,\n')])
    assert table.rows["place"].tolist() == ["hooks.csv:2", "hooks.csv:5"]
    assert table.rows["line"].tolist() == [2, 5]
    assert table.cell(1, "URL") == "hooks.csv:5 URL"


def test_a_cell_is_named_by_their_header(write):
    """So that a person finds it."""
    assert read([write("Site,Event,Call back URL\n1,2,3\n")]).cell(0, "URL") == "hooks.csv:2 Call back URL"


def test_text_stays_as_written(write):
    """Leading zeros, long numbers, what looks like a number, a date, a boolean or nothing."""
    values = ["0012", "1e5", "NA", "null", "True", "1.50", "2024-01-02", "9" * 40, " sp ", "#REF!", "=1+1", "'-1"]
    text = "\n".join(f'007,NA,"u",{value}' for value in values)
    table = read([write(f"{HEADER},Value\n{text}\n")])
    assert table.extras["Value"].tolist() == values
    assert set(fields(table, "BusinessId", "Action")) == {("007", "NA")}


def test_what_counts_for_nothing_around_a_field_is_dropped(write):
    """Spaces, non-breaking and zero-width ones, byte order marks and marks of direction; inside it stays."""
    table = read(
        [write(f"{HEADER},Other\n\xa01001 ,\u200bBooking Create\ufeff,\u202ahttps://x/\u200b/y\u202c, \u200b\n")]
    )
    assert fields(table, "BusinessId", "Action", "URL") == [("1001", "Booking Create", "https://x/\u200b/y")]
    assert table.extras["Other"].tolist() == [" \u200b"]


def test_records_of_any_length(write):
    """Short ones are filled up; what is past the header is carried under the column's letter, if anything is there."""
    table = read([write(f"{HEADER}\n1,2,3\n4\n" + "5,6,7,\n" * 30 + "8,9,10,,x\n")])
    assert table.rows["URL"].tolist() == ["3", ""] + ["7"] * 30 + ["10"]
    assert table.extras.columns.tolist() == ["Column E"]
    assert table.extras["Column E"].iat[-1] == "x"


def test_line_ends_of_every_system_and_the_end_mark_of_dos(write):
    """CRLF, LF, CR; and Ctrl-Z at the end is no row."""
    for end in ("\r\n", "\n", "\r"):
        assert len(read([write(f"{HEADER}\n1,2,3\n4,5,6\n\x1a".replace("\n", end))]).rows) == 2


def test_very_long_cells(write):
    """The standard library's limit does not count, wherever the cell is."""
    long = "x" * 300_000
    table = read([write(f"{HEADER},Long\n1,2,3,{long}\n" + "1,2,3,\n" * 30 + f"4,5,6,{long},more\n")])
    assert table.extras["Long"].str.len().max() == 300_000
    assert table.extras["Column E"].iat[-1] == "more"


@pytest.mark.skipif(int(pd.__version__.partition(".")[0]) < 3, reason="older parsers end a cell there")
def test_zero_bytes(write):
    """They end no cell."""
    assert read([write(f"{HEADER},Zero\n1,2,3,a\0b\n")]).extras["Zero"][0] == "a\0b"


def test_a_long_title_does_not_hide_the_header(write):
    """However much stands above it."""
    assert len(read([write(f'"{"long " * 50_000}"\n{HEADER}\n1,2,3\n')]).rows) == 1


def test_standard_input(monkeypatch):
    """CSV, in the same encodings, with places of its own."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Site;Event;URL\n1;2;ü\n".encode("cp1252"))))
    table = read(["-"])
    assert fields(table, "place", "URL") == [("stdin:2", "ü")]
    assert label_of("-") == "stdin"


def test_several_inputs_follow_each_other(write):
    """Each with its name; the other columns of all of them, empty where one has none."""
    table = read([write(f"{HEADER},A\n1,2,3,x\n", "one.csv"), write("B,URL,Event\ny,4,5\n", "two.csv")])
    assert table.rows["place"].tolist() == ["one.csv:2", "two.csv:2"]
    assert table.extras.to_dict("list") == {"A": ["x", None], "B": [None, "y"]}
    assert [source.input for source in table.sources] == [0, 1]


def test_inputs_of_the_same_name_are_told_apart_by_their_paths(write):
    """As they were given."""
    paths = [write(f"{HEADER}\n1,2,3\n", name) for name in ("a/hooks.csv", "b/hooks.csv")]
    assert read(paths).rows["place"].tolist() == [f"{path}:2" for path in paths]


def test_rows_that_are_no_webhooks_are_skipped_with_a_word(write):
    """Notes, totals and the header once more; each is named."""
    table = read([write(f"{HEADER},Count\n1,2,3,4\nGrand total:,,,48\n,,,a note\n{HEADER},Count\n5,,,\n")])
    assert table.rows["place"].tolist() == ["hooks.csv:2", "hooks.csv:6"]
    assert [warning.split(":", 2)[1] for warning in table.warnings] == ["4", "5", "3"]
    assert all("skipped" in warning for warning in table.warnings)


RESULTS = ",".join([*RESULT_COLUMNS, "Status (input)", "'=Sum"])


def result(status, identifier, *, description="", own="", more=""):
    cells = dict.fromkeys(RESULT_COLUMNS, "")
    cells |= {"Row": "Hooks!2", "BusinessId": "1001", "Location": "Soho", "Action": "BookingCreate", "ActionId": "6"}
    cells |= {"URL": "u", "Status": status, "WebhookId": identifier, "Description": description}
    return ",".join([*cells.values(), own, more])


def test_a_results_file_keeps_the_ids_of_what_is_done(write):
    """Created, updated and exists; the others are tried again."""
    rows = [result(status, "77") for status in ("created", "updated", "exists", "failed", "pending", "Created", "")]
    table = read([write("\n".join([RESULTS, *rows, result("created", "x")]))])
    assert table.rows["known_id"].tolist() == [77, 77, 77, 0, 0, 77, 0, 0]
    assert table.sources[0].has_results
    assert table.rows["Location"].tolist() == ["Soho"] * 8
    assert table.rows["place"].iat[0] == "hooks.csv:2"


def test_a_results_file_gives_up_its_own_columns_and_its_quotes(write):
    """Only what was guarded against being a formula loses one quote, in headers too."""
    table = read([write("\n".join([RESULTS, result("failed", "", description="'-d", own="''=x", more="'it")]))])
    assert table.extras.to_dict("list") == {"Status (input)": ["'=x"], "=Sum": ["'it"]}
    assert table.rows["Description"].tolist() == ["-d"]


def test_elsewhere_quotes_stay(write):
    """For there they are the user's own."""
    assert read([write(f"{HEADER},Own\n1,2,3,'=x\n")]).extras["Own"].tolist() == ["'=x"]


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_text_comes_through_to_the_letter(write, rows, delimiter, encoding, end):
    """In every dialect and encoding."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["URL", "Action", "One", "Two"])
    writer.writerows(["u", "a", *row] for row in rows)
    table = read([write(text.getvalue(), encoding=encoding)])
    assert fields(table, "URL") == [("u",)] * len(rows)
    assert list(zip(*(table.extras[name] for name in ("One", "Two")), strict=True)) == [
        tuple(cell or None for cell in row) for row in rows
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(CELL | st.sampled_from(["=1", "'=1", "''@", "'", "-", "'x", "+\n"]), min_size=1, max_size=6))
def test_what_the_results_say_comes_back_as_it_was(tmp_path, values):
    """The quote before what would be a formula is put there and taken away again, once."""
    done = dict.fromkeys(RESULT_COLUMNS) | {"Action": "x", "URL": "u", "Status": "created", "WebhookId": 7}
    with (tmp_path / "hooks.results.csv").open("wb") as file:
        writer = CsvWriter(file)
        writer.begin([*RESULT_COLUMNS, "Own"])
        writer.write([ResultRow([*done.values(), value]) for value in values])
    table = read([str(tmp_path / "hooks.results.csv")])
    assert table.extras["Own"].tolist() == [value or None for value in values]
    assert set(table.rows["known_id"]) == {7}


@pytest.mark.parametrize(("written", "known"), [("7", 7), ("7.0", 7), ("1,007", 1007), ("7.00", 7)])
def test_ids_of_results_are_read_as_programs_write_them(tmp_path, written, known):
    """Numbers as measures, which is what a column becomes when another program saves the file."""
    path = tmp_path / "out.csv"
    path.write_text(f'Row,BusinessId,Action,URL,Status,WebhookId\nh.csv:2,1001,6,https://a.io,created,"{written}"\n')
    table = read([str(path)])
    assert table.rows["known_id"].tolist() == [known]
    assert not table.flaws


@pytest.mark.parametrize("written", ["", "seven", "9.00719925474099E+15", "-1"])
def test_a_row_that_is_done_without_an_id_is_a_problem(tmp_path, written):
    """It would be sent again, and delivered twice."""
    path = tmp_path / "out.csv"
    path.write_text(f"Row,BusinessId,Action,URL,Status,WebhookId\nh.csv:2,1001,6,https://a.io,created,{written}\n")
    (flaw,) = read([str(path)]).flaws
    assert (flaw.code, flaw.place, flaw.value) == ("missing-value", "out.csv:2 WebhookId", written)


def test_a_file_of_empty_lines_is_told_in_our_words(tmp_path):
    """No library speaks to the user."""
    path = tmp_path / "hooks.csv"
    path.write_text("\n" * 30 + "BusinessId,Action,URL\n1001,6,https://a.io\n")
    with pytest.raises(InputError, match="no header found"):
        read([str(path)])
