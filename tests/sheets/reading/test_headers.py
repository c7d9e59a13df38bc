"""Headers as people write them."""

from __future__ import annotations

import pytest

from bulkhooks.errors import UsageError
from bulkhooks.sheets.reading.headers import Headers, lay_out, nearest_field
from bulkhooks.sheets.strings import folded
from bulkhooks.webhook import EARLIER, RESULT_COLUMNS


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("BusinessId", "BusinessId"),
        ("business id", "BusinessId"),
        ("LOCATION_ID", "BusinessId"),
        ("Webhook\nURL", "URL"),
        ("End-point URL*", "URL"),
        ("\u200bＵＲＬ\xa0", "URL"),
        ("events", "Action"),
        ("Is active?", "Active"),
        ("Hook name", "Name"),
        ("Tenant", "Account"),
        ("Owner", ""),
        ("", ""),
    ],
)
def test_case_spaces_and_punctuation_of_a_header_do_not_count(header, field):
    """A header means the same however it is typed."""
    assert Headers().kind(header) == field


def test_a_header_of_punctuation_alone_stays_itself():
    """Headers such as # and % are not all one and the same."""
    assert folded("#") != folded("%") != ""


def test_the_header_is_the_first_row_with_two_known_columns_one_of_them_url_or_action():
    """Title lines, and rows that name only one field, are not the header."""
    rows = [["Webhooks"], ["Name", "Description"], ["URL", "Endpoint"], ["Owner", "URL"], ["Event", "Site"]]
    assert Headers().find(rows) == 4


def test_the_header_is_looked_for_in_twenty_rows():
    """What stands in row 21 is data."""
    assert Headers().find([[]] * 19 + [["URL", "Action"]]) == 19
    assert Headers().find([[]] * 20 + [["URL", "Action"]]) is None


def layout(*row, mapped=None):
    return lay_out(row, Headers(mapped))


def test_a_location_is_the_business_id_where_there_is_no_other():
    """With a BusinessId header beside it, Location is the display name; alone it holds the ids."""
    assert layout("Site", "Action").fields == {"BusinessId": 0, "Action": 1}
    assert layout("Site", "Action", "SiteId").fields == {"Location": 0, "Action": 1, "BusinessId": 2}


def test_action_counts_before_action_id_wherever_it_stands():
    """The number is then carried along under a name that is not a column of the results."""
    found = layout("ActionId", "Action", "URL")
    assert found.fields["Action"] == 1
    assert found.extras == {"ActionId (input)": 0}
    assert layout("ActionId", "URL").fields == {"Action": 0, "URL": 1}


def test_of_two_headers_of_a_field_the_first_counts():
    """The other is carried along, and both are named."""
    found = layout("Endpoint", "URL", "Action")
    assert found.fields["URL"] == 0
    assert found.extras == {"URL (input)": 1}
    assert found.doubles == [(0, 1)]


def test_a_mapped_header_counts_before_the_aliases():
    """--map decides, and a header that it gives another meaning loses its own."""
    found = layout("URL", "Event", "Hook address", mapped={"hook ADDRESS": "url"})
    assert found.fields == {"URL": 2, "Action": 1}
    assert layout("Location", "Action", mapped={"Location": "Name"}).fields == {"Name": 0, "Action": 1}


def test_columns_are_carried_under_names_that_are_their_own():
    """Same names are numbered, names of the results marked, and columns without a name have their letter."""
    found = layout("URL", "Action", "Owner", "Owner", "Status", "Row", "", "Owner (2)")
    assert list(found.extras) == [
        "Owner", "Owner (2)", "Status (input)", "Row (input)", "Column G", "Owner (2) (2)"
    ]  # fmt: skip
    assert found.nameless == {6}


def test_replaces_is_a_field_and_carried_as_well():
    """So that results keep it; under our name where --map gave it that meaning."""
    assert layout("URL", "Action", "Replaces").extras == {"Replaces": 2}
    assert layout("URL", "Action", "Old", mapped={"Old": "Replaces"}).extras == {"Replaces": 2}


def test_the_columns_of_a_results_file_are_not_carried():
    """Only what the input had of its own is, and a column of its own that means the same does not count."""
    found = layout(*RESULT_COLUMNS, "Status (input)", "Endpoint")
    assert list(found.extras) == ["Status (input)", "Endpoint"]
    read_back = ("Status", "WebhookId", "ErrorCode", *EARLIER)
    assert found.results == {name: RESULT_COLUMNS.index(name) for name in read_back}
    assert found.fields["URL"] == 5
    assert found.doubles == []


def test_map_does_not_take_a_results_file_apart():
    """In results the columns have our names, whatever they were called when they were read first."""
    found = lay_out(RESULT_COLUMNS, Headers({"Location": "Name"}))
    assert found.fields["Location"] == 2
    assert found.fields["Name"] == 6


def test_an_unknown_field_in_map_is_named():
    """With the nearest one."""
    with pytest.raises(UsageError, match=r"no field 'Adress'; the nearest is URL"):
        Headers({"Hook": "Adress"})


def test_a_mapped_header_that_no_input_has_is_named():
    """With the nearest one, and what there is."""
    headers = Headers({"Hook adress": "URL"})
    with pytest.raises(UsageError, match=r"'Hook adress'.*nearest is 'Hook address'"):
        headers.check_used(["Hook address", "Action"])
    headers.check_used(["HOOK-ADRESS"])


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Busines Id", "BusinessId"),
        ("Hook address", "URL"),
        ("Which event", "Action"),
        ("Amount", ""),
        ("Activ", "Active"),
    ],
)
def test_the_nearest_field_of_a_wrong_header(header, field):
    """By spelling, or by the word in it that gives it away."""
    assert nearest_field(header) == field


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Active (yes/no)", "Active"),
        ("Replaces (old URL)", "Replaces"),
        ("URL *", "URL"),
        ("*URL (required):", "URL"),
        ("URL [https] {live}", "URL"),
        ("Enabled?", "Active"),
        ("Active（ja/nein）", "Active"),
        ("Account name", "Account"),
        ("Old URL", "Replaces"),
        ("previous-url", "Replaces"),
        ("Replace", "Replaces"),
        ("[URL]", "URL"),
        ("URL (input)", ""),
        ("Active ( Input )", ""),
        ("Active status", ""),
    ],
)
def test_decoration_of_a_header_does_not_count(header, field):
    """Brackets with what stands in them, stars, colons and question marks; what results carry along stays as it is."""
    assert Headers().kind(header) == field


def test_of_two_headers_the_one_without_decoration_counts():
    """Of two with it none does, unless --map names one."""
    found = layout("Active (yes/no)", "Enabled", "URL", "Action")
    assert (found.fields["Active"], found.doubles, found.unclear) == (1, [(1, 0)], None)
    assert layout("Active?", "Enabled (Y/N)", "URL", "Action").unclear == (0, 1)
    found = layout("Active?", "Enabled (Y/N)", "URL", "Action", mapped={"Enabled (Y/N)": "Active"})
    assert (found.fields["Active"], found.unclear) == (1, None)
    found = layout("Active?", "Active:", "URL", "Action", mapped={"Active:": "Active"})
    assert (found.fields["Active"], found.unclear) == (1, None)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Active status", "Active"),
        ("Enabled/Disabled", "Active"),
        ("Is it active", "Active"),
        ("Nexudus account", "Account"),
        ("Replaces what", "Replaces"),
        ("Locations manager", "BusinessId"),
        ("Owner", ""),
        ("Company name", ""),
        ("URL (input)", "URL"),
        ("Active (input)", "Active"),
    ],
)
def test_a_header_that_begins_like_a_known_one_is_unused(header, field):
    """Or ends like one that is ignored only with harm."""
    headers = Headers()
    found = headers.unused(lay_out(["BusinessId", "Action", "URL", header], headers))
    assert found == ([(3, field)] if field else [])
