"""Results as JSON lines are read back like those in other formats."""

from __future__ import annotations

import json

import pytest

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.reader import read
from bulkhooks.sheets.values import ResultRow
from bulkhooks.sheets.writing.text_formats import CsvWriter, JsonlWriter
from bulkhooks.webhook import RESULT_COLUMNS


def result(number, status="failed", **fields):
    values = {
        "Row": f"Hooks!{number}",
        "BusinessId": 1000 + number,
        "Action": "BookingCreate",
        "URL": "https://h.io/in",
    }
    values |= {"Active": False, "Status": status, "WebhookId": 77 if status == "created" else None}
    return [(values | fields).get(column) for column in RESULT_COLUMNS]


def written(path, kind, rows):
    with path.open("wb") as file:
        writer = kind(file)
        writer.begin([*RESULT_COLUMNS, "Seats", "Note"])
        writer.write([ResultRow(row) for row in rows])
    return str(path)


def test_they_are_read_as_the_same_results_in_csv(tmp_path):
    """Ids, doubts, fields and the input's own columns; nothing of an undo."""
    rows = [
        [*result(2, "created"), 12, "=x"],
        [*result(3, "failed", ErrorCode="in-doubt", Description="'it"), None, None],
        [*result(4, "deleted"), None, None],
        [*result(5, "pending", BusinessId=None, URL=None, Action=None), None, "two\nlines"],
    ]
    lines = read([written(tmp_path / "x.results.jsonl", JsonlWriter, rows)])
    commas = read([written(tmp_path / "x.results.csv", CsvWriter, rows)])
    columns = [name for name in lines.rows.columns if name not in {"place", "line"}]
    assert lines.rows[columns].to_dict("list") == commas.rows[columns].to_dict("list")
    assert lines.extras["Note"].tolist() == ["=x", None, "two\nlines"]
    assert lines.extras["Seats"].tolist() == [12, None, None]
    assert lines.rows["known_id"].tolist() == [77, 0, 0]
    assert lines.rows["place"].tolist() == ["x.results.jsonl:1", "x.results.jsonl:2", "x.results.jsonl:4"]
    assert lines.cell(1, "URL") == "x.results.jsonl:2 URL"


@pytest.mark.parametrize("lines", ["{}\n[1]\n", '{"Row": 1}\nno json\n', "[" * 100_000])
def test_a_line_that_is_no_object_is_told(tmp_path, lines):
    """With its number."""
    (tmp_path / "x.jsonl").write_text(lines, "utf-8")
    with pytest.raises(InputError, match=r"x\.jsonl: line [12] is no JSON object"):
        read([str(tmp_path / "x.jsonl")])


def test_objects_with_the_fields_of_an_input_are_its_rows(tmp_path):
    """Under any known names, in any order; numbers, booleans and null are what a cell would hold."""
    objects = [
        {"Location": 1001, "Event": "BookingCreate", "Endpoint": "https://h.io/a", "Active": True, "Seats": 12},
        {"Endpoint": "https://h.io/b", "Event": 7, "Location": None, "Site": "x"},
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, objects)), "utf-8")
    table = read([str(tmp_path / "x.jsonl")], columns={"Site": "Name"})
    assert table.rows["URL"].tolist() == ["https://h.io/a", "https://h.io/b"]
    assert table.rows["Action"].tolist() == ["BookingCreate", "7"]
    assert table.rows["Active"].tolist() == ["true", ""]
    assert table.rows["Name"].tolist() == ["", "x"]
    assert table.extras["Seats"].tolist() == [12, None]
    assert table.rows["place"].tolist() == ["x.jsonl:1", "x.jsonl:2"]


def test_other_json_lines_are_no_input(tmp_path):
    """Neither results nor fields that are known."""
    (tmp_path / "x.jsonl").write_text(json.dumps({"id": 1, "target": "https://h.io"}), "utf-8")
    with pytest.raises(InputError, match=r"neither results .* nor rows of an input"):
        read([str(tmp_path / "x.jsonl")])
