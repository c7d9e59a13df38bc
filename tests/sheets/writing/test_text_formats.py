"""Results as text: .csv that a spreadsheet does not calculate, .jsonl with types."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math

from hypothesis import example, given
from hypothesis import strategies as st

from bulkhooks.sheets.values import ResultRow
from bulkhooks.sheets.writing.text_formats import CsvWriter, JsonlWriter

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["=1+1", "+1", "-1", "@x", "'=1", "''-1", "'quoted'", "a,b", 'say "hi"', "a\r\nb", "\u2028", "\x85", ";", "\t"]
)
values = texts | st.none() | st.booleans() | st.integers() | st.floats()
columns = st.lists(st.lists(values, min_size=3, max_size=3), min_size=1, max_size=4)


def as_csv(columns, rows):
    file = io.BytesIO()
    writer = CsvWriter(file)
    writer.begin(columns)
    writer.write(list(map(ResultRow, rows)))
    return file.getvalue()


def as_jsonl(columns, rows):
    file = io.BytesIO()
    writer = JsonlWriter(file)
    writer.begin(columns)
    writer.write(list(map(ResultRow, rows)))
    return file.getvalue()


def read_back(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def unguarded(text):
    """A value as the reader of results files takes it: the leading ' of what would be a formula is removed."""
    return text[1:] if text.startswith("'") and text.lstrip("'")[:1] in CALCULATED else text


CALCULATED = {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"}


@given(st.lists(texts, min_size=3, max_size=3), st.lists(st.lists(texts, min_size=3, max_size=3), min_size=1))
@example(["=h", "b", "c"], [["=1+1", "'=1", "''@x"], ["\t=1", "\r\n", "＝1"]])
def test_any_text_comes_back_from_csv_and_none_is_a_formula(header, rows):
    """No value begins like a formula, and each is the one that was written with the ' removed again."""
    found = read_back(as_csv(header, rows))
    assert not any(value[:1] in CALCULATED for line in found for value in line)
    assert [[unguarded(value) for value in line] for line in found] == [header, *rows]


@given(columns)
def test_every_value_of_a_csv_is_written_as_it_would_be_alone(table):
    """Whatever else is in its column, a value has one way to be written."""
    rows = list(zip(*table, strict=True))
    names = [str(number) for number in range(len(table))]
    together = read_back(as_csv(names, rows))[1:]
    alone = [[read_back(as_csv(["x", "y"], [[value, "end"]]))[1][0] for value in line] for line in rows]
    assert together == alone


def test_types_in_csv():
    """Booleans, dates and numbers are text that the reader takes; what is missing is nothing; -5 is guarded too."""
    line = [
        True,
        False,
        None,
        3,
        3.0,
        2.5,
        -5,
        math.nan,
        dt.date(2025, 3, 1),
        dt.datetime.fromisoformat("2025-03-01T09:30"),
    ]
    found = read_back(as_csv(list("abcdefghij"), [line]))[1]
    assert found == ["true", "false", "", "3", "3", "2.5", "'-5", "", "2025-03-01", "2025-03-01T09:30:00"]


def test_csv_opens_well_in_excel():
    """A byte order mark says UTF-8, and lines end as Excel's do."""
    assert as_csv(["Name"], [["Zürich"]]) == "\ufeffName\r\nZürich\r\n".encode()


@given(st.lists(st.lists(values, min_size=2, max_size=2), min_size=1))
def test_any_value_comes_back_from_jsonl_with_its_type(rows):
    """One line a row, whatever is in it; numbers, booleans and null as such; NaN as null, infinity as text."""
    data = as_jsonl(["a", "b"], rows).decode()
    lines = data.splitlines()
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        for found, value in zip(json.loads(line).values(), row, strict=True):
            if isinstance(value, float) and not math.isfinite(value):
                assert found == (None if math.isnan(value) else str(value))
            else:
                assert found == value
                assert isinstance(found, bool) == isinstance(value, bool)


def test_half_a_character_breaks_neither_format():
    """A lone surrogate, which a server's answer may hold, is replaced in .csv and escaped in .jsonl."""
    assert read_back(as_csv(["a"], [["x\ud800y"]]))[1] == ["x?y"]
    assert json.loads(as_jsonl(["a"], [["x\ud800y"]])) == {"a": "x\ud800y"}
