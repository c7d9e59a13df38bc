"""Tables one below the other, and rows that are no webhooks."""

from __future__ import annotations

import csv

import openpyxl
import pytest

from bulkhooks.sheets.reading.reader import read

URL = "https://hooks.example.com/"


@pytest.fixture(params=["hooks.xlsx", "hooks.csv"])
def table(request, tmp_path):
    def table(*rows):
        path = tmp_path / request.param
        if path.suffix == ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(rows)
        else:
            book = openpyxl.Workbook()
            book.active.title = "Hooks"
            for row in rows:
                book.active.append(row)
            book.save(path)
        return read([str(path)])

    return table


def lines(table):
    return [int(place.rpartition("!")[2].rpartition(":")[2]) for place in table.rows["place"]]


HEADER = ["BusinessId", "Action", "URL", "Name"]


def test_a_second_header_begins_a_table_with_its_own_columns(table):
    """Other columns, in another order, under other names; a title above it is no row."""
    made = table(
        HEADER,
        [1001, "BookingCreate", f"{URL}a", "First"],
        [],
        ["Second list"],
        ["Active", "Site", "Trigger", "Endpoint", "Owner"],
        ["no", 1002, "BookingUpdate", f"{URL}b", "Ann"],
        ["BusinessId", "Action", "URL"],
        [1003, "TeamCreated", f"{URL}c"],
    )
    assert lines(made) == [2, 6, 8]
    assert made.rows["URL"].tolist() == [f"{URL}{name}" for name in "abc"]
    assert made.rows["Active"].tolist() == ["", "no", ""]
    assert made.rows["Name"].tolist() == ["First", "", ""]
    assert made.extras["Owner"].tolist() == [None, "Ann", None]
    assert "a title of the next table" in str(made.warnings)
    assert [source.columns["URL"] for source in made.sources] in (["C", "D", "C"], ["URL", "Endpoint", "URL"])


def test_a_header_once_more_is_no_row_in_any_case(table):
    """Nor in other words for the same."""
    made = table(
        HEADER,
        [1001, "BookingCreate", f"{URL}a", "x"],
        HEADER,
        [1002, "BookingCreate", f"{URL}b", "x"],
        ["businessid", "ACTION", "Url", "name:"],
        [1003, "BookingCreate", f"{URL}c", "x"],
    )
    assert lines(made) == [2, 4, 6]
    assert len(made.sources) == 1
    assert "the header once more" in str(made.warnings)


@pytest.mark.parametrize(
    "row",
    [
        ["Total", 2],
        ["Total", "", 2],
        ["Grand total: 2 hooks"],
        ["Summe"],
        ["TOTAL ROWS", "", 2],
        ["Count", 2],
        ["Sub-total:", "2", "2"],
    ],
)
def test_a_line_of_totals_is_no_row(table, row):
    """Also where a number stands in the place of an event or an address."""
    made = table(HEADER, [1001, "BookingCreate", f"{URL}a", "x"], row, [1002, "BookingCreate", f"{URL}b", "y"])
    assert lines(made) == [2, 4]
    assert "a line of totals" in str(made.warnings)


@pytest.mark.parametrize("row", [["Total", "", "", 2], ["Total: 2 hooks"], ["Sum", 2, "", ""]])
def test_a_total_in_the_column_of_addresses_is_no_row(table, row):
    """It stands in the first column, whichever that is."""
    made = table(["URL", "BusinessId", "Action", "Active"], [f"{URL}a", 1001, "BookingCreate", "yes"], row)
    assert lines(made) == [2]


def test_a_location_that_is_called_like_a_total_is_a_row(table):
    """For it has an event and an address."""
    made = table(["Location", *HEADER[1:]], ["Total", "BookingCreate", f"{URL}a", ""], ["Summe", 6, f"{URL}b", ""])
    assert lines(made) == [2, 3]


def test_rows_of_nothing_but_defaults_are_skipped_in_one_warning(table):
    """As check boxes are filled down; one that holds anything else is a row."""
    filler = [["", "", "", "Hook", "no", "acme", "", ""]] * 900
    made = table(
        [*HEADER, "Active", "Account", "Description", "Note"],
        [1001, "BookingCreate", f"{URL}a", "x", "no", "acme", "d", "n"],
        *filler,
        ["", "", "", "Hook", "no", "acme", "", "a note"],
        ["", "", f"{URL}b", "Hook", "no", "acme", "", ""],
    )
    assert lines(made) == [2, 903, 904]
    (warning,) = made.warnings
    assert (warning.code, warning.row) == ("defaults-only", -1)
    assert "895 more" in warning.place
    assert "'Active'" in warning.sentence


RESULTS = ["Row", "BusinessId", "Action", "URL", "Active", "Status", "WebhookId", "ErrorCode"]


@pytest.mark.parametrize("status", ["deleted", "Restored", "missing", "changed"])
def test_what_an_undo_did_is_never_sent(table, status):
    """Whatever its results are given to."""
    made = table(
        RESULTS,
        ["h.csv:2", 1001, "BookingCreate", f"{URL}a", "", status, 7, ""],
        ["h.csv:3", 1002, "BookingCreate", f"{URL}b", "", "pending", "", ""],
    )
    assert lines(made) == [3]
    assert "undo" in str(made.warnings)


@pytest.mark.parametrize("status", ["invalid", "failed", "pending", "unknown"])
def test_an_unfinished_row_of_results_is_kept_though_its_cells_are_empty(table, status):
    """It would be lost, and the file called valid; a row that a person filled down is another matter."""
    made = table(
        RESULTS,
        ["h.csv:2", "", "", "", "", status, "", ""],
        ["h.csv:3", "", "", "", "no", status, "", "missing-value"],
        ["", "", "", "", "no", "", "", ""],
    )
    assert lines(made) == [2, 3]
