"""The BusinessId cell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhooks.sheets.normalizing.business_ids import WIDEST, IdReader
from bulkhooks.sheets.reading.locations import Location, Locations
from tests.sheets.tables import LOCATIONS, NOWHERE

WITH_TABLE = IdReader(LOCATIONS)
WITHOUT = IdReader(NOWHERE)
ALL = list(LOCATIONS.ids)


def ids(cell, reader=WITH_TABLE):
    found, findings = reader.read(cell)
    assert not findings
    return list(found)


def problems(cell, reader=WITH_TABLE):
    return [(finding.code, finding.sentence) for finding in reader.read(cell)[1]]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1001", [1001]),
        ("0001001", [1001]),
        ("1001.0", [1001]),
        ("１００１", [1001]),
        ("9223372036854775807", [2**63 - 1]),
        ("1001, 1002; 1003|1004\n1005", [1001, 1002, 1003, 1004, 1005]),
        ("1001,1002", [1001, 1002]),
        ("1001,,1002,", [1001, 1002]),
        ("001,002", [1, 2]),
        ("１００１，１００２", [1001, 1002]),
        ("1003, 1001, 1003", [1003, 1001, 1003]),
        ("1001-1003", [1001, 1002, 1003]),
        ("1001 – 1003; 7", [1001, 1002, 1003, 7]),
        ("5-5", [5]),
    ],
)
def test_numbers(cell, expected):
    """Ids, lists and ranges are understood in every usual way of writing them, and stay in the order written."""
    assert ids(cell) == ids(cell, WITHOUT) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("soho,  LONDON", [1001]),
        ("Floor 2-3", [1002]),
        ("22 bishopsgate", [1003]),
        ("Soho, London, Floor 2-3; 1009", [1001, 1002, 1009]),
        ("1009\n22 Bishopsgate,Soho, London", [1009, 1003, 1001]),
        ("@London", [1001, 1002, 1003]),
        ("@city, 7", [1003, 7]),
        ("*", [1001, 1002, 1003, 1004, 1005, 1006]),
        ("ALL", [1001, 1002, 1003, 1004, 1005, 1006]),
    ],
)
def test_names(cell, expected):
    """Names, also such as hold commas, dashes and digits, groups and the word for all come from the table."""
    assert ids(cell) == expected


@pytest.mark.parametrize("cell", ["0", "-5", "000", "9223372036854775808", "9" * 5000, "1.5", "#", "0-5", "1001 1002"])
def test_impossible_numbers(cell):
    """What can be no id is refused, with a word on how ids are written."""
    ((code, sentence),) = problems(cell)
    assert code == "bad-business-id"
    assert "id" in sentence
    assert len(sentence) < 300


@pytest.mark.parametrize(
    ("cell", "one", "several"), [("2,002", "2002", "2, 002"), ("1,234,567", "1234567", "1, 234, 567")]
)
def test_thousands_separators(cell, one, several):
    """What looks like one number with thousands separators is not guessed at: both ways of writing it are told."""
    for written in (cell, f"7; {cell}", f"1001, {cell}, 5"):
        ((code, sentence),) = problems(written)
        assert code == "bad-business-id"
        assert f"Write {one} " in sentence
        assert several in sentence
    assert ids(several) == [int(part) for part in several.split(", ")]


@pytest.mark.parametrize(
    "cell", ["1,001-1,010", "1,001-1010", "990-1,010", "1.234.567", "1 234", "2024-10-12T00:00:00"]
)
def test_misread_numbers(cell):
    """Ranges with thousands separators, other separators and dates that were ranges are refused."""
    assert [code for code, _ in problems(cell)] == ["bad-business-id"]


def test_ranges_run_forwards():
    """A range that runs backwards is shown the right way round."""
    assert problems("1010-1001") == [("bad-business-id", '"1010-1001" is a range that runs backwards. Write 1001-1010')]


def test_widest_range():
    """10,000 ids are a range, 10,001 are too wide."""
    assert len(ids(f"1-{WIDEST}")) == WIDEST
    ((code, sentence),) = problems(f"1-{WIDEST + 1}")
    assert code == "too-wide"
    assert "10,001" in sentence


@pytest.mark.parametrize("cell", ["Soho", "@london", "*", "all"])
def test_names_need_a_table(cell):
    """Without a table of locations a name is not found, and the sentence says how to give one."""
    ((code, sentence),) = problems(cell, WITHOUT)
    assert code == "unknown-location"
    assert "--locations" in sentence
    assert "sheet Locations" in sentence


def test_unknown_names():
    """A name close to one in the table is suggested, of groups also those there are, of twins their ids."""
    assert '"Soho, London"' in problems("Soho Londn")[0][1]
    assert "@london" in problems("@londn")[0][1]
    assert "@london or @city" in problems("@nowhere")[0][1]
    assert "1004 or 1005" in problems("TWIN")[0][1]
    assert {code for cell in ("Soho Londn", "@londn", "@", "TWIN", "xyz") for code, _ in problems(cell)} == {
        "unknown-location"
    }


def test_the_rest_of_a_cell_is_still_read():
    """Every wrong item of a cell is told, and the right ones count, so that the rest of the row can be checked."""
    found, findings = WITH_TABLE.read("1001; nowhere; 0; 1002")
    assert list(found) == [1001, 1002]
    assert [finding.code for finding in findings] == ["unknown-location", "bad-business-id"]
    assert len(WITH_TABLE.read("x,y,z," + ",".join(f"a{number}" for number in range(500)))[1]) == 21


numbers = st.integers(1, 2**63 - 1).map(lambda number: (str(number), [number]))
zeros = st.integers(1, 10**6).map(lambda number: (f"000{number}", [number]))
ranges = st.tuples(st.integers(1, 10**9), st.integers(0, 50), st.sampled_from(["-", " - ", "–"])).map(
    lambda drawn: (f"{drawn[0]}{drawn[2]}{drawn[0] + drawn[1]}", list(range(drawn[0], drawn[0] + drawn[1] + 1)))
)
named = st.sampled_from(
    [
        ("Soho, London", [1001]),
        ("floor 2-3", [1002]),
        ("22 Bishopsgate", [1003]),
        ("@city", [1003]),
        ("*", LOCATIONS.ids),
    ]
)


@given(
    st.lists(numbers | zeros | ranges | named, min_size=1, max_size=8), st.sampled_from(["; ", ", ", "|", "\n", " ;"])
)
def test_items_come_back(items, separator):
    """Whatever items stand in a cell, and however they are separated, their ids come back in order."""
    cell = separator.join(text for text, _ in items)
    assert ids(cell) == [number for _, expected in items for number in expected]


@given(st.text(max_size=60) | st.text("0123456789,;-– .@*\nSoho", max_size=40))
def test_any_text(cell):
    """No text is an error of the program: a cell that is not empty names ids or has a problem."""
    for reader in (WITH_TABLE, WITHOUT):
        found, findings = reader.read(cell)
        assert not cell or len(found) or findings
        assert all(0 < number < 2**63 for number in found)
        assert all(finding.code in {"bad-business-id", "unknown-location", "too-wide"} for finding in findings)


NETWORK = Locations(
    [
        Location(900, "Harbour UK"),
        Location(1001, "Soho", network="900"),
        Location(1002, "Bank", network="900", suspended=True),
        Location(7, "Alone"),
    ]
)


@pytest.mark.parametrize(
    ("cell", "expected", "codes"),
    [
        ("@Harbour UK", [1001, 1002], ["suspended-location"]),
        ("@harbour  uk, 7", [1001, 1002, 7], ["suspended-location"]),
        ("900", [900], ["network-location"]),
        ("Harbour UK", [900], ["network-location"]),
        ("900-901", [900, 901], ["network-location"]),
        ("900, 1002", [900, 1002], ["network-location", "suspended-location"]),
        ("*", [1001, 1002, 7], ["suspended-location"]),
        ("all", [1001, 1002, 7], ["suspended-location"]),
        ("1001", [1001], []),
        ("1001-1001, Alone", [1001, 7], []),
        ("Bank", [1002], ["suspended-location"]),
    ],
)
def test_networks(cell, expected, codes):
    """A network's name behind @ is its locations, its id and name the network alone, which a warning says."""
    reader = IdReader(NETWORK)
    found, findings = reader.read(cell)
    assert list(found) == expected
    assert [finding.code for finding in findings] == codes
    assert all(finding.warning for finding in findings)
    assert len(reader.remarks) == (cell in {"*", "all"})


def test_warnings_of_silent_locations_say_what_to_do():
    """The names and ids, and what to write for the locations of the network."""
    network, suspended = problems("900, 1002", IdReader(NETWORK))
    assert network[1] == (
        "Harbour UK (900) is a network: a webhook there is silent for what happens at the locations of the network."
        " Write @Harbour UK for those"
    )
    assert suspended[1] == "Bank (1002) is suspended in Nexudus, and nothing is sent from there"


def test_a_group_that_may_be_a_network_says_why_it_is_not_known():
    """Where the API did not tell which locations belong to which network."""
    reader = IdReader(Locations([Location(900, "Harbour UK")], without_networks="the API does not tell (401)"))
    assert problems("@Harbour UK", reader) == [
        (
            "unknown-location",
            '"@Harbour UK" may be a network, but the API does not tell (401). Write the ids of its locations',
        )
    ]
    assert ids("*", reader) == [900]
    assert reader.remarks == [
        "* and all name every location, and among them there may be networks, for the API does not tell (401)"
    ]
