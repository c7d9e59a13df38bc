"""The table of locations."""

from __future__ import annotations

import openpyxl
import pytest

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.locations import Locations


def test_ids_names_and_groups_are_found(tmp_path):
    """Names whatever the case and spacing, groups with and without @, ids with leading zeros."""
    path = tmp_path / "locations.csv"
    path.write_text(
        'Title\nId;Name;Groups\n01001;Soho  Works;"@London, uk"\n1002;Wien;\n;;\n1003;Bank;London|UK\n', "utf-8"
    )
    found = Locations.read(str(path))
    assert found
    assert found.ids == [1001, 1002, 1003]
    assert found.name_of == {1001: "Soho  Works", 1002: "Wien", 1003: "Bank"}
    assert found.by_name["soho works"] == [1001]
    assert found.groups == {"london": [1001, 1003], "uk": [1001, 1003]}
    assert found.rows()[0] == (1001, "Soho  Works", "London, uk")


def test_a_name_of_two_locations_has_both_ids():
    """Whoever asks for it is told that it is ambiguous."""
    assert Locations.from_records([(2, "Soho"), (1, " soho ")]).by_name == {"soho": [2, 1]}


def test_a_location_on_several_lines_is_one():
    """Its groups are those of all lines."""
    found = Locations.from_records([(1, "A"), (1, "B")])
    assert found.ids == [1]
    assert found.name_of == {1: "A"}
    assert found.by_name == {"a": [1], "b": [1]}


def test_without_a_table_it_is_false():
    """Which is how the rest knows that names cannot be looked up."""
    assert not Locations()


def test_of_a_workbook_the_sheet_locations_is_read(tmp_path):
    """Though a sheet before it looks like one too."""
    book = openpyxl.Workbook()
    book.active.append(["BusinessId", "Name", "URL"])
    book.active.append([7, "a webhook", "https://x.example"])
    sheet = book.create_sheet("LOCATIONS")
    sheet.append(["BusinessId", "Name"])
    sheet.append([1001, "Soho"])
    book.save(tmp_path / "book.xlsx")
    assert Locations.read(str(tmp_path / "book.xlsx")).name_of == {1001: "Soho"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("BusinessId,Name\n1001,A\nx,B\n", r"locations\.csv:3 BusinessId: 'x' is not the id of a location"),
        ("BusinessId,Name\n,B\n", r"locations\.csv:2 BusinessId: the location 'B' has no id"),
        (
            "Place,Name\n1,B\n",
            r"locations\.csv: no table of locations in it; it needs a header with BusinessId and Name",
        ),
        ("BusinessId,Name\n", r"locations\.csv: no table of locations"),
        ("", r"locations\.csv: the file is empty"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path, text, sentence):
    """One sentence says where and why."""
    (tmp_path / "locations.csv").write_text(text, "utf-8")
    with pytest.raises(InputError, match=sentence):
        Locations.read(str(tmp_path / "locations.csv"))
