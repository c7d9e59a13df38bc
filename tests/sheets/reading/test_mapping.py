"""Inputs whose headers are not known: what is proposed, and what is said of those that are no tables."""

from __future__ import annotations

import shlex

import openpyxl
import pytest

from bulkhooks.errors import InputError, Unmapped
from bulkhooks.sheets.reading.mapping import map_option
from bulkhooks.sheets.reading.reader import read

URL = "https://hooks.example.com/in"


@pytest.fixture
def book(tmp_path):
    def book(*rows, locations=()):
        made = openpyxl.Workbook()
        made.active.title = "Hooks"
        for row in rows:
            made.active.append(row)
        if locations:
            sheet = made.create_sheet("Locations")
            sheet.append(["BusinessId", "Name"])
            for line in locations:
                sheet.append(line)
        made.save(tmp_path / "hooks.xlsx")
        return str(tmp_path / "hooks.xlsx")

    return book


def proposed(path):
    """The columns of the proposal, which its sentence gives as one line of options, and with which the file is read."""
    with pytest.raises(Unmapped) as caught:
        read([path])
    found = caught.value
    assert found.path == path
    assert map_option(found.columns) in str(found)
    assert len(read([path], columns=found.columns).rows) > 0
    return found.columns


def test_columns_are_known_by_what_stands_in_them(book):
    """Below a title that speaks of webhooks, by addresses, events and switches; a known header needs nothing."""
    path = book(
        ["Our webhook rollout", "draft"],
        [],
        ["Webhooks 2025"],
        ["Site ID", "Webhook type", "Destination", "Live?", "Remark"],
        [1001, "BookingCreate", URL, "yes", "x"],
        [1002, "booking update; TeamCreated", f"{URL}2", "no", "y"],
    )
    assert proposed(path) == {"Webhook type": "Action", "Destination": "URL", "Live?": "Active"}


def test_ids_and_names_of_known_locations_are_locations(book):
    """Whatever the column is called."""
    rows = ["Soho", "BookingCreate", URL], ["Bank", "BookingCreate", URL]
    names = book(["Flex", "What", "To"], *rows, locations=[[1001, "Soho"], [1002, "Bank"]])
    assert proposed(names) == {"Flex": "BusinessId", "What": "Action", "To": "URL"}
    numbers = book(["Seats", "Centre", "What", "To"], [10, "1001-1003", "BookingCreate", URL])
    assert proposed(numbers) == {"Centre": "BusinessId", "What": "Action", "To": "URL"}


def test_names_tell_where_cells_do_not(book):
    """A misspelt header above events as numbers, and addresses without a scheme."""
    path = book(["Place id", "Evnt", "Hook address"], [1, 6, "hooks.example.com"])
    assert proposed(path) == {"Place id": "BusinessId", "Evnt": "Action", "Hook address": "URL"}


def test_what_is_lacking_is_said(book):
    """And what was mapped by hand is in the line too."""
    path = book(["Call", "To"], ["BookingCreate", URL])
    with pytest.raises(Unmapped, match="no column looks like the BusinessId"):
        read([path])
    with pytest.raises(Unmapped) as caught:
        read([book(["Place", "Which"], ["x", URL])], columns={"Place": "Name"})
    assert caught.value.columns == {"Place": "Name", "Which": "URL"}


def test_data_in_the_first_row_is_not_quoted(tmp_path):
    """It is no header, and nothing in it a name to map."""
    path = tmp_path / "hooks.csv"
    path.write_text(f"1001,BookingCreate,{URL}/a\n1002,BookingUpdate,{URL}/b\n", "utf-8")
    with pytest.raises(InputError, match=r"is data already.*BusinessId, Action, URL") as caught:
        read([str(path)])
    assert "1001" not in str(caught.value)
    assert "--map" not in str(caught.value)


def test_lines_that_are_quoted_as_a_whole_are_told(tmp_path):
    """They are one value each."""
    path = tmp_path / "hooks.csv"
    path.write_text(f'"BusinessId;Action;URL"\n"1001;BookingCreate;{URL}"\n', "utf-8")
    with pytest.raises(InputError, match="Each line as a whole is in quotes"):
        read([str(path)])


def test_a_table_on_its_side_is_told(book):
    """With its headers, and how to turn it."""
    path = book(["BusinessId", 1001, 1002], ["Action", "BookingCreate", "BookingUpdate"], ["URL", URL, URL])
    with pytest.raises(InputError, match=r"lies on its side: 'BusinessId', 'Action', 'URL' stand.*Transpose"):
        read([path])


def test_nothing_like_a_table(tmp_path):
    """What is known of mapping is all there is to say."""
    path = tmp_path / "hooks.csv"
    path.write_text("one\ntwo\n", "utf-8")
    with pytest.raises(InputError, match='--map "THEIR COLUMN=FIELD"'):
        read([str(path)])


@pytest.mark.parametrize(
    "header", ["Hook\naddress", 'The "URL"', "Cost in $", "it's", "a=b", "Wow!", "back\\slash `x`"]
)
def test_options_are_quoted_for_a_shell(header):
    """Whatever stands in a header."""
    words = shlex.split(map_option({header: "URL", "What": "Action"}))
    assert words == ["--map", f"{' '.join(header.split())}=URL", "--map", "What=Action"]
