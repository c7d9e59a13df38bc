"""From fields to webhooks."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.locations import Location, Locations
from bulkhooks.sheets.reading.source import FIELDS
from tests.sheets.tables import LOCATIONS, NOWHERE, URL, expanded, row, table, told


def test_columns():
    """The webhooks have the columns that the engine builds on: whole numbers, and texts as objects."""
    webhooks = expanded(table(row(Description="d", Active="no", Replaces="https://old.io", known_id=7))).webhooks
    assert {name: str(kind) for name, kind in webhooks.dtypes.items()} == {
        "row": "int64", "place": "object", "account": "object", "business_id": "int64", "location": "object",
        "action": "int64", "url": "object", "url_key": "object", "name": "object", "description": "object",
        "active": "int8", "replaces": "object", "known_id": "int64", "known_doubt": "bool",
        "status": "object", "error_code": "object", "error": "object", "problems": "object",
    }  # fmt: skip
    assert webhooks.to_dict("records") == [
        {
            "row": 0, "place": "Hooks!2", "account": "default", "business_id": 1001, "location": "1001", "action": 6,
            "url": URL, "url_key": URL, "name": "1001 - BookingCreate", "description": "d", "active": 0,
            "replaces": "https://old.io", "known_id": 7, "known_doubt": False,
            "status": "planned", "error_code": "", "error": "", "problems": (),
        }
    ]  # fmt: skip


def test_no_rows():
    """A table without rows asks for nothing."""
    expansion = expanded(table())
    assert len(expansion.webhooks) == 0
    assert expansion.problems == []


def test_order():
    """A row becomes its locations, and for each of them its actions, in the order written."""
    webhooks = expanded(table(row("1003, 1001", "8; 6"), row("7", "2"))).webhooks
    assert webhooks[["row", "business_id", "action"]].values.tolist() == [
        [0, 1003, 8], [0, 1003, 6], [0, 1001, 8], [0, 1001, 6], [1, 7, 2],
    ]  # fmt: skip
    assert webhooks.index.tolist() == [0, 1, 2, 3, 4]


def test_templates():
    """Every webhook has its own values in URL (percent-encoded), Name, Description and Replaces."""
    made = table(
        row(
            "1001-1002",
            "6, 7",
            "https://x.io/{BusinessId}/{location}/{Action}/{ActionId}?r={Sales Region}&when={When}",
            Name="{Location}: {Action} {{x}}",
            Description="{Name} at {URL} for {Account}",
            Replaces="https://old.io/{ActionId}",
        ),
        extras={"Sales Region": ["A&B"], "When": [dt.date(2024, 3, 1)]},
    )
    second = expanded(made, LOCATIONS).webhooks.iloc[1]
    assert second["url"] == "https://x.io/1001/Soho%2C%20London/BookingUpdate/7?r=A%26B&when=2024-03-01"
    assert second["name"] == "Soho, London: BookingUpdate {x}"
    assert second["description"] == f"{second['name']} at {second['url']} for default"
    assert second["replaces"] == "https://old.io/7"


def test_values_with_types():
    """Values of other columns stand in a template as delimited text has them."""
    made = table(*[row(Name="<{Own}>")] * 5, extras={"Own": [1, 1.5, True, "1", None]})
    assert expanded(made).webhooks["name"].tolist() == ["<1>", "<1.5>", "<true>", "<1>", "<>"]


def test_empty_value_in_a_url():
    """A column that a URL asks for and that is empty stops the row: its events would go to another endpoint."""
    rows = [row(url="https://x.io/{Tenant}/in"), row(url="https://{Tenant}.io"), row(Name="{Tenant}")]
    made = table(*rows, extras={"Tenant": [None, None, None]})
    expansion = expanded(made)
    assert [(found.code, found.place) for found in expansion.problems] == [
        ("missing-value", "Hooks!D2"), ("missing-value", "Hooks!D3"),
    ]  # fmt: skip
    assert "{Tenant}" in expansion.problems[0].sentence
    assert expansion.webhooks["name"].tolist()[2] == "1001 - BookingCreate"


def test_a_name_that_stays_empty():
    """Where neither the cell nor the template of names gives a name, it is missing."""
    made = table(row(), row(Name="x"), extras={"Own": [None, None]})
    expansion = expanded(made, name_template="{Own} ")
    assert [(found.code, found.place) for found in expansion.problems] == [("missing-value", "Hooks!E2")]


def test_urls_are_checked_as_sent():
    """A URL is checked with its blanks filled in, webhook by webhook; a row is told once and has one line then."""
    made = table(row("1001-1002", "6, 7", "https://{Location}.example.com"), row())
    expansion = expanded(made, LOCATIONS)
    (found,) = expansion.problems
    assert (found.code, found.place, found.row) == ("bad-url", "Hooks!D2", 0)
    assert "Soho%2C%20London.example.com" in found.sentence
    assert expansion.webhooks["status"].tolist() == ["invalid", "planned"]
    assert expansion.webhooks["url"].tolist() == ["https://{Location}.example.com", URL]
    assert told(row("1001-1002", "6", "https://h{BusinessId}.example.com")) == []


def test_url_warnings():
    """http and private addresses are warned of once a row, and stop nothing."""
    expansion = expanded(table(row("1-3", "6, 7", "http://10.0.0.1/{BusinessId}")))
    assert [(found.code, found.warning) for found in expansion.problems] == [
        ("insecure-url", True), ("private-url", True),
    ]  # fmt: skip
    assert expansion.webhooks["status"].tolist() == ["planned"] * 6
    assert expansion.webhooks["problems"].tolist() == [tuple(expansion.problems)] * 6


def test_duplicates():
    """The same account, location, action and URL a second time is a duplicate that names the first place."""
    rows = [
        row("1001", "6", "https://x.io/A", Name="first"),
        row("1001", "6", "HTTPS://X.IO/A", Name="second"),
        row("1001", "6", "https://x.io/a"),
        row("1001", "6", "https://x.io/A", Account="acme"),
        row("2; 2", "6; 6", "https://x.io/A"),
        row("0", "6", "https://x.io/A"),
    ]
    webhooks = expanded(table(*rows)).webhooks
    assert webhooks["status"].tolist() == ["planned", "duplicate", *["planned"] * 3, *["duplicate"] * 3, "invalid"]
    second = webhooks.iloc[1]
    assert second["error_code"] == ""
    assert second["error"].startswith("Hooks!A3: ")
    assert "Hooks!2 " in second["error"]
    assert "Hooks!6 " in webhooks["error"].iloc[5]


def test_known_ids():
    """The id of a results file stays with its row's only webhook, and with the first of twins."""
    rows = [row("1001", "6"), row("1001", "6", known_id=5), row("7, 8", "6", known_id=6), row("9", known_id=7)]
    assert expanded(table(*rows)).webhooks["known_id"].tolist() == [5, 5, 0, 0, 7]


def test_done_rows_are_taken_literally():
    """On rows that are done the texts are the server's, braces and all."""
    done = expanded(table(row(url="https://x.io/{x}", Name="{Action}", Description="}", known_id=5))).webhooks
    assert done[["url", "name", "description", "status"]].values.tolist() == [
        ["https://x.io/{x}", "{Action}", "}", "planned"]
    ]


def test_far_too_many():
    """An input that asks for more webhooks than anybody can mean is refused as a whole, with its widest row."""
    with pytest.raises(InputError, match=r"89,000,000 webhooks.*Hooks!2"):
        expanded(table(*[row("1-10000", "*")] * 100))


def test_equal_texts_are_one_object():
    """A million webhooks do not hold a million copies of the same text."""
    webhooks = expanded(table(row("1-50", "6,7", "https://x.io/{Action}"), row("1-50", "8", "https://x.io/b"))).webhooks
    for name, most in (("url", 3), ("url_key", 3), ("account", 1), ("location", 50), ("place", 2)):
        assert len({id(text) for text in webhooks[name]}) <= most
    assert all(url is key for url, key in zip(webhooks["url"], webhooks["url_key"], strict=True))


ids = st.lists(st.integers(1, 40), min_size=1, max_size=5)
numbers = st.lists(st.integers(1, 90), min_size=1, max_size=4)


@settings(deadline=None)
@given(st.lists(st.tuples(ids, numbers, st.sampled_from("ab")), max_size=5))
def test_every_webhook_once(rows):
    """There are locations x actions webhooks a row, each identity is planned once, and first where it stands first."""
    made = table(
        *(row("; ".join(map(str, one)), ", ".join(map(str, two)), f"https://{host}.io") for one, two, host in rows)
    )
    expected = [
        (number, location, action, f"https://{host}.io")
        for number, (one, two, host) in enumerate(rows)
        for location in one
        for action in two
    ]
    webhooks = expanded(made).webhooks
    found = list(webhooks[["row", "business_id", "action", "url"]].itertuples(index=False, name=None))
    assert found == expected
    planned = [status == "planned" for status in webhooks["status"]]
    seen = set()
    for (_, *identity), is_planned in zip(expected, planned, strict=True):
        assert is_planned == (tuple(identity) not in seen)
        seen.add(tuple(identity))


cells = (
    st.text(max_size=30) | st.text("{}*@,;-0123456789 Bookinghtps:/.\n", max_size=30) | st.just("1001") | st.just(URL)
)


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(FIELDS, cells)), min_size=1, max_size=4), st.booleans())
def test_any_text_in_any_cell(rows, with_table):
    """Whatever stands in a row, it is never lost: it has webhooks, or one invalid line with its problems."""
    expansion = expanded(table(*rows), LOCATIONS if with_table else NOWHERE)
    stopped = {found.row for found in expansion.problems if not found.warning}
    for number, lines in expansion.webhooks.groupby("row"):
        if number in stopped:
            assert lines["status"].tolist() == ["invalid"]
            assert all(found.place.startswith("Hooks!") for found in lines["problems"].iat[0])
            assert not all(found.warning for found in lines["problems"].iat[0])
        else:
            assert set(lines["status"]) <= {"planned", "duplicate"}
            assert lines["url"].all()
            assert (lines["business_id"] > 0).all()
            assert (lines["action"] > 0).all()
    assert sorted(set(expansion.webhooks["row"])) == list(range(len(rows)))


def test_what_would_be_sent_is_looked_at_for_what_is_odd():
    """Braces that were doubled are sent, those of a column are filled in; the row is planned with a warning."""
    found = expanded(
        table(row(url="https://hooks.example.com/{{BusinessId}}/{Action}"), row(url=URL + "/{BusinessId}"))
    )
    (warning,) = found.problems
    assert (warning.code, warning.place, warning.warning) == ("odd-url", "Hooks!D2", True)
    assert warning.value == "https://hooks.example.com/{BusinessId}/BookingCreate"
    assert found.webhooks["status"].tolist() == ["planned", "planned"]
    assert found.webhooks["problems"].tolist() == [(warning,), ()]


def test_two_addresses_in_a_cell_are_refused():
    """For one webhook has one; an odd end of a URL that is none is not told as well."""
    assert told(row(url=f"{URL}, {URL};")) == [("bad-url", "Hooks!D2")]
    assert told(row(Replaces=f"{URL};{URL}")) == [("bad-url", "Hooks!I2")]


def test_a_warning_about_some_locations_or_events_stands_at_these_alone():
    """Not at the others that the same cells name."""
    locations = Locations([Location(1, "Open"), Location(2, "Shut", suspended=True)])
    webhooks = expanded(table(row("*", "None, BookingCreate")), locations).webhooks
    codes = [[problem.code for problem in problems] for problems in webhooks["problems"]]
    assert codes == [["never-fires"], [], ["suspended-location", "never-fires"], ["suspended-location"]]
