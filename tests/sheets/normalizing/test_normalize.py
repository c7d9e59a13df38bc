"""From cells to fields: what each means, and every problem of every row in one pass."""

from __future__ import annotations

import dataclasses

import pytest

from bulkhooks.errors import ErrorCode, UsageError
from bulkhooks.report import Problem
from tests.sheets.tables import LOCATIONS, expanded, row, sentence, table, told


def actions_of(cell):
    """The events that an Action cell names."""
    return expanded(table(row(action=cell))).webhooks["action"].tolist()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("BookingCreate", [6]),
        ("booking create", [6]),
        ("BOOKING_CREATE", [6]),
        ("6", [6]),
        ("6.0", [6]),
        ("006", [6]),
        ("６", [6]),
        ("HelpDeskMessageCreated", [45]),
        ("help desk message created", [45]),
        ("HelDeskMessageCreated", [45]),
        ("8, 6; BookingUpdate|2\n3", [8, 6, 7, 2, 3]),
        ("Booking*", [6, 7, 8]),
        ("*Invoice*Payment", [22, 23, 24]),
        ("*", list(range(2, 91))),
        ("None", [1]),
        ("1", [1]),
    ],
)
def test_actions(cell, expected):
    """Names in any case and spacing, numbers, lists and patterns are events, in the order written."""
    assert actions_of(cell) == expected


@pytest.mark.parametrize("cell", ["0", "91", "9" * 5000, "Boking*", "Nothing*", "all events", ",", "*" + "a*" * 5000])
def test_unknown_actions(cell):
    """An unknown event, and a pattern that matches none, are problems."""
    assert told(row(action=cell)) == [("unknown-action", "Hooks!C2")]


def test_nearest_actions():
    """A misspelt event is told with the three nearest."""
    assert sentence(row(action="BokingCreate")) == (
        'Hooks!C2: Unknown event "BokingCreate". The nearest are Booking created (BookingCreate), Booking updated'
        " (BookingUpdate) and Booking deleted (BookingDelete), and `bulkhooks actions` lists all of them"
    )


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("all", "Write * for every event"),
        ("Every event", "Write * for every event"),
        (
            "BookingCreate / BookingUpdate",
            "comma between events: Booking created (BookingCreate), Booking updated (Book",
        ),
        ("Booking created and Event deleted", "Booking created (BookingCreate), Event deleted (CalendarEventDelete)"),
        ("Bookings: created/updated/deleted", "(BookingCreate), Booking updated (BookingUpdate), Booking deleted (Bo"),
        ("BookingCreate BookingUpdate", "Booking created (BookingCreate), Booking updated (BookingUpdate)"),
        ("6 / 7", "Booking created (BookingCreate), Booking updated (BookingUpdate)"),
        (
            "Customer",
            "nearest are Customer created (CoworkerCreate), Customer updated (CoworkerUpdate) and Customer de",
        ),
        ("Location", "The nearest is Location updated (BusinessUpdate), and"),
    ],
)
def test_what_is_no_single_event_is_told_how_to_write_it(cell, hint):
    """All of them, several joined by a slash, "and" or a space, a noun without a verb."""
    assert told(row(action=cell)) == [("unknown-action", "Hooks!C2")]
    assert hint in sentence(row(action=cell))


def test_the_event_that_never_fires():
    """None is taken as written, with a warning, and is never read as an empty cell."""
    for cell in ("None", "none", "1"):
        expansion = expanded(table(row(action=cell)))
        (found,) = expansion.problems
        assert (found.code, found.warning, found.place) == ("never-fires", True, "Hooks!C2")
        assert expansion.webhooks["status"].tolist() == ["planned"]
        assert expansion.webhooks["error"].tolist() == [""]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        *((word, 1) for word in ("true", "TRUE", "Yes", "y", "1", "ON")),
        *((word, 0) for word in ("false", "False", "NO", "n", "0", "off")),
        ("", -1),
    ],
)
def test_active(word, expected):
    """The words for yes and no count in any case; an empty cell says nothing."""
    webhooks = expanded(table(row(Active=word))).webhooks
    assert webhooks["active"].tolist() == [expected]
    assert webhooks["active"].dtype == "int8"


def test_bad_boolean():
    """Any other word in Active is refused."""
    assert told(row(Active="maybe"), row(Active="2")) == [("bad-boolean", "Hooks!G2"), ("bad-boolean", "Hooks!G3")]


def test_accounts():
    """A row without an account has the default; names count whatever their case; of others the nearest is told."""
    webhooks = expanded(table(row(), row(Account="acme", url="https://a.io"), row(Account="ACME"))).webhooks
    assert webhooks["account"].tolist() == ["default", "acme", "acme"]
    assert "Did you mean acme?" in sentence(row(Account="acmee"))
    assert "acme, default or globex" in sentence(row(Account="zzzzzz"))
    assert told(row(Account="zzzzzz")) == [("unknown-account", "Hooks!H2")]


def test_locations_by_name_beside_an_id_column():
    """With the id empty the Location is looked up, and its problems stand at its cell."""
    rows = [row("", Location="floor 2-3"), row("", Location="nowhere"), row("1001", Location="Ours"), row("1001")]
    expansion = expanded(table(*rows), LOCATIONS)
    assert expansion.webhooks["business_id"].tolist() == [1002, 0, 1001, 1001]
    assert expansion.webhooks["location"].tolist() == ["Floor 2-3", "nowhere", "Ours", "Soho, London"]
    assert [(found.code, found.place) for found in expansion.problems] == [("unknown-location", "Hooks!B3")]


def test_missing_values():
    """Location, Action and URL are needed; each that is empty is told at its place."""
    assert told(row("", "", "")) == [
        ("missing-value", "Hooks!A2"), ("missing-value", "Hooks!C2"), ("missing-value", "Hooks!D2"),
    ]  # fmt: skip
    assert told(row(url="“”")) == [("missing-value", "Hooks!D2")]
    assert told(row("", "", ""), workbook=False) == [
        ("missing-value", "hooks.csv:2 BusinessId"),
        ("missing-value", "hooks.csv:2 Action"),
        ("missing-value", "hooks.csv:2 URL"),
    ]


def test_flawed_cells():
    """A cell with a formula error is told as that alone, and its row is invalid."""
    flaw = Problem(1, "Hooks!D3", "formula-error", "#REF!", "the formula gives #REF!; fix it")
    expansion = expanded(table(row(), row(url="", action="Boking"), flaws=[flaw]))
    assert [found.code for found in expansion.problems] == ["unknown-action", "formula-error"]
    assert expansion.webhooks["status"].tolist() == ["planned", "invalid"]
    assert expansion.webhooks["problems"].tolist() == [(), tuple(expansion.problems)]


def test_everything_in_one_pass():
    """All problems of a row are found at once, in the order of the columns, and its one line has them all."""
    expansion = expanded(
        table(
            row(),
            row("0; nowhere", "Foo, 95", "ftp://x.io/{Nope}", Name="{", Active="maybe", Account="x", Replaces="old"),
        )
    )
    assert [(found.code, found.place) for found in expansion.problems] == [
        ("bad-business-id", "Hooks!A3"), ("unknown-location", "Hooks!A3"), ("unknown-action", "Hooks!C3"),
        ("unknown-action", "Hooks!C3"), ("bad-template", "Hooks!D3"),
        ("bad-template", "Hooks!E3"), ("bad-boolean", "Hooks!G3"), ("unknown-account", "Hooks!H3"),
        ("bad-url", "Hooks!I3"),
    ]  # fmt: skip
    good, bad = expansion.webhooks.to_dict("records")
    assert good["status"] == "planned"
    assert bad["status"] == "invalid"
    assert bad["problems"] == tuple(expansion.problems)
    assert (bad["error_code"], bad["error"]) == ("", "")
    assert (bad["business_id"], bad["action"], bad["url"], bad["name"]) == (0, 0, "ftp://x.io/{Nope}", "{")


def test_name_template():
    """--name-template names rows without a Name from any column; one that cannot work is an error of usage."""
    made = table(row(), row(Name="Own"), extras={"Region": ["North", "South"]})
    webhooks = expanded(made, LOCATIONS, name_template="{Region}: {Location} {ActionId}").webhooks
    assert webhooks["name"].tolist() == ["North: Soho, London 6", "Own"]
    for wrong in ("{Regio}", "{", "", " ", "{Name}"):
        with pytest.raises(UsageError, match="--name-template"):
            expanded(made, name_template=wrong)


def test_a_column_with_an_error_stops_only_rows_that_ask_for_it():
    """A formula that broke must not become part of an endpoint."""
    flaw = Problem(0, "Hooks!J2", "formula-error", "#REF!", "the cell holds the error #REF!")
    broken = table(
        row(url="https://x.io/{Key}"),
        row(url="https://x.io/{Key}"),
        row("1002"),
        extras={"Key": ["#REF!", "a", "#REF!"]},
    )
    broken = dataclasses.replace(broken, extra_flaws={"Key": {0: flaw, 2: dataclasses.replace(flaw, row=2)}})
    expansion = expanded(broken)
    assert expansion.webhooks["status"].tolist() == ["invalid", "planned", "planned"]
    assert expansion.problems == [flaw]


def test_fields_may_name_each_other():
    """What comes before is filled in; what comes after may be named where nothing is to be filled in in it."""
    rows = [
        row(url="https://x.io/{Name}", Name="n"),
        row(url="https://x.io/a", Name="{URL} {Description}", Description="d"),
        row(url="https://x.io/{Action}", Name="{URL}"),
    ]
    webhooks = expanded(table(*rows)).webhooks
    assert webhooks["url"].tolist() == ["https://x.io/n", "https://x.io/a", "https://x.io/{Action}"]
    assert webhooks["name"].tolist()[:2] == ["n", "https://x.io/a d"]
    assert [[found.code for found in problems] for problems in webhooks["problems"]] == [[], [], ["bad-template"]]


def test_of_one_cause_one_problem_is_told():
    """An error in the id is not an unknown name as well, nor twice the error of a column that two templates ask for."""
    flaw = Problem(0, "Hooks!A2", ErrorCode.FORMULA_ERROR, "#REF!", "the cell holds the error #REF!")
    assert told(row("", Location="Nowhere"), flaws=[flaw]) == [("formula-error", "Hooks!A2")]
    name = Problem(0, "Hooks!B2", ErrorCode.FORMULA_ERROR, "#N/A", "the cell holds the error #N/A")
    assert told(row(""), flaws=[flaw, name]) == [("formula-error", "Hooks!A2")]
