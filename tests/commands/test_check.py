"""What ``check`` writes: its problems as a results file, and copies of workbooks with the wrong cells marked."""

from __future__ import annotations

import csv

import pytest
from openpyxl import Workbook, load_workbook

from bulkhooks import Job, check
from bulkhooks.errors import UsageError
from bulkhooks.webhook import RESULT_COLUMNS

ROWS = [
    ["BusinessId", "Action", "URL", "Owner"],
    [1001, "BookingCreate", "https://a.example/x", "Ann"],
    [1002, "Bookng", "a.example/x", "Ben"],
    [1001, "BookingCreate", "https://a.example/x", "Cas"],
    [1003, "BookingCreate", "http://a.example/x", "Dee"],
]


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "hooks.xlsx"
    made = Workbook()
    made.active.title = "My hooks"
    for row in ROWS:
        made.active.append(row)
    made.save(path)
    return path


@pytest.mark.parametrize("suffix", ["xlsx", "csv", "jsonl"])
def test_the_problems_are_written_as_a_results_file(book, tmp_path, suffix):
    """Nothing is sent, so what could be sent is planned; the exit code is that of the check."""
    out = tmp_path / f"problems.{suffix}"
    report = check(Job(input=book, output=out))
    assert (report.exit_code, report.summary.outputs) == (1, [str(out)])
    assert report.counts == {"planned": 2, "invalid": 1, "duplicate": 1}


def test_the_rows_of_that_file_say_what_is_wrong(book, tmp_path):
    check(Job(input=book, output=tmp_path / "problems.csv"))
    with (tmp_path / "problems.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [*RESULT_COLUMNS, "Owner"]
    assert [row["Status"] for row in rows] == ["planned", "invalid", "duplicate", "planned"]
    assert rows[1]["ErrorCode"] == "unknown-action; bad-url"
    assert rows[1]["Error"].startswith("My hooks!B3: ")
    assert rows[3]["Warning"].startswith("insecure-url: ")
    assert [row["Owner"] for row in rows] == ["Ann", "Ben", "Cas", "Dee"]


def test_the_input_itself_is_not_overwritten(book):
    before = book.read_bytes()
    with pytest.raises(UsageError, match="this is the input itself"):
        check(Job(input=book, output=book))
    assert book.read_bytes() == before


def test_a_copy_has_the_wrong_cells_coloured_with_their_sentences_and_a_link(book, tmp_path):
    """Beside the input, whose own bytes stay."""
    before = book.read_bytes()
    report = check(Job(input=book, write_back=True))
    assert (report.exit_code, report.summary.outputs) == (1, [str(tmp_path / "hooks.checked.xlsx")])
    assert book.read_bytes() == before
    copy = load_workbook(tmp_path / "hooks.checked.xlsx")
    sheet = copy["My hooks"]
    marked = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment}
    assert marked == {"B3", "C3", "C5"}
    assert {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.fill.fill_type} == marked
    assert "Bookng" in sheet["B3"].comment.text
    links = [cell.hyperlink.location for row in copy["Problems"].iter_rows() for cell in row if cell.hyperlink]
    assert "'My hooks'!B3" in links


def test_each_of_several_inputs_has_its_own_copy_and_text_has_none(book, tmp_path):
    """Places have the file's name then; the marks find their sheet all the same."""
    other = tmp_path / "other.xlsx"
    made = Workbook()
    made.active.append(ROWS[0])
    made.active.append([1009, "BookingCreate", "ftp://b.example"])
    made.save(other)
    (tmp_path / "text.csv").write_text("BusinessId,Action,URL\n1005,BookingCreate,https://a.example/x\n")
    report = check(Job(input=[book, other, tmp_path / "text.csv"], write_back=True))
    assert report.summary.outputs == [str(tmp_path / "hooks.checked.xlsx"), str(tmp_path / "other.checked.xlsx")]
    assert any("text.csv is no workbook" in str(warning) for warning in report.warnings)
    sheet = load_workbook(tmp_path / "other.checked.xlsx")["Sheet"]
    assert [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment] == ["C2"]


def test_a_copy_that_cannot_be_written_costs_the_copy_alone(book, tmp_path):
    """A folder stands where it would go: a sentence, and the exit code of the check."""
    (tmp_path / "hooks.checked.xlsx").mkdir()
    report = check(Job(input=book, write_back=True))
    assert (report.exit_code, report.summary.outputs) == (1, [])
    assert any("no copy was written" in str(warning) for warning in report.warnings)
