"""The table of locations."""

from __future__ import annotations

import openpyxl
import pytest

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.locations import Location, Locations, name_key


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
    assert found.rows()[0] == (1001, "Soho  Works", "London, uk", "", "")


def test_a_name_of_two_locations_has_both_ids():
    """Whoever asks for it is told that it is ambiguous."""
    assert Locations([Location(2, "Soho"), Location(1, " soho ")]).by_name == {"soho": [2, 1]}


def test_a_location_on_several_lines_is_one():
    """Its groups are those of all lines."""
    found = Locations([Location(1, "A"), Location(1, "B")])
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
        ("BusinessId,Name,Suspended\n1,B,perhaps\n", r"locations\.csv:2 Suspended: 'perhaps' is neither yes nor no"),
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


@pytest.mark.parametrize("header", ["Network", "RootLocationId", "root location"])
@pytest.mark.parametrize("network", ["900", "Harbour UK", " harbour  uk"])
def test_the_locations_of_a_network_are_the_group_of_its_name(tmp_path, header, network):
    """Whether a column names the network by its id or by its name; ``*`` leaves out the network itself."""
    path = tmp_path / "locations.csv"
    path.write_text(f"BusinessId,Name,{header}\n900,Harbour UK,\n1001,Soho,{network}\n1002,Bank,{network}\n7,X,\n")
    found = Locations.read(str(path))
    assert found.groups == {"harbour uk": [1001, 1002]}
    assert found.networks == {900: "Harbour UK"}
    assert found.without_roots == [1001, 1002, 7]
    assert [line.network for line in found.rows()] == ["", "Harbour UK", "Harbour UK", ""]


def read_text(tmp_path, text):
    (tmp_path / "locations.csv").write_text(text, "utf-8")
    return Locations.read(str(tmp_path / "locations.csv"))


def test_of_two_columns_the_id_of_the_network_counts(tmp_path):
    """Where it is empty, the name does; a network that the table does not have is a group all the same."""
    cells = "BusinessId,Name,Network,RootLocationId\n900,UK,,\n1001,Soho,Elsewhere,900\n1002,Bank,Elsewhere,\n"
    locations = read_text(tmp_path, cells)
    assert locations.groups == {"uk": [1001], "elsewhere": [1002]}
    assert locations.networks == {900: "UK"}


def test_a_network_that_is_not_listed_is_the_group_of_its_id():
    """Nobody said its name; a location that names itself belongs to none, and groups of its name are joined."""
    locations = Locations([Location(1, "A", network="900"), Location(2, "B", network="2"), Location(3, "C", ["900"])])
    assert locations.groups == {"900": [3, 1]}
    assert (locations.networks, locations.without_roots) == ({}, [1, 2, 3])
    assert locations.rows()[1] == (2, "B", "", "", "")


def test_suspended_locations_are_known(tmp_path):
    """By the words for yes and no of the column Active."""
    rows = "".join(f"{number},{word}\n" for number, word in enumerate(["yes", "TRUE", "1", "no", "", "False"], start=1))
    assert read_text(tmp_path, f"Id,Suspended\n{rows}").suspended == {1, 2, 3}


def test_one_letter_may_be_written_in_two_ways():
    """An umlaut as one character or as a letter and its dots is the same name, and so are bent quotes and dashes."""
    assert Locations([Location(1, "King\u2019s Cross \u2013 East")]).by_name[name_key("King's Cross - East")] == [1]
    assert Locations([Location(1, "Z\u00fcrich")]).by_name[name_key("ZU\u0308RICH")] == [1]


def test_names_are_compared_whatever_the_form_of_their_letters():
    """An umlaut may be one character or two, in capitals too; apostrophes and dashes may be a printer's."""
    assert name_key("Zürich") == name_key("Zu\N{COMBINING DIAERESIS}rich") == name_key("ZU\N{COMBINING DIAERESIS}RICH")
    assert name_key("King’s Cross – North") == name_key("king's  cross - north")
    assert name_key("Ｓoho") == name_key("soho")
    assert name_key("Zurich") != name_key("Zürich")
