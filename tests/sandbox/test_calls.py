"""The calls on webhooks and locations, over real HTTP, as bulkhooks/docs/nexudus.md has them."""

from __future__ import annotations

import json
from functools import partial

import pytest

from bulkhooks.actions import NAMES
from bulkhooks.sandbox.options import parse_networks
from tests.sandbox.conftest import WEBHOOKS, body, create, running, stats


def test_create_answers_as_the_seed_does(client):
    """A created webhook is answered with every key of the documentation's example, and only those."""
    answer = client.post(WEBHOOKS, json=body())
    said = answer.json()
    assert answer.status_code == 200
    assert list(said) == [
        "Status",
        "Message",
        "Value",
        "OpenInDialog",
        "OpenInWindow",
        "RedirectURL",
        "JavaScript",
        "UpdatedOn",
        "UpdatedBy",
        "Errors",
        "WasSuccessful",
    ]
    assert (said["Status"], said["WasSuccessful"], said["Errors"]) == (200, True, None)
    assert said["Message"] == "WebHook was successfully created."
    assert isinstance(said["Value"]["Id"], int)


def test_one_missing_name_is_answered_to_the_letter(client):
    """The 400 for a missing name is the documentation's example, byte for byte as JSON."""
    answer = client.post(WEBHOOKS, json=body(Name=None))
    assert answer.status_code == 400
    assert answer.json() == {
        "Message": "Name: is a required field",
        "Value": None,
        "Errors": [{"AttemptedValue": None, "Message": "is a required field", "PropertyName": "Name"}],
        "WasSuccessful": False,
    }


def test_every_error_is_listed_at_once(client):
    """A body with everything wrong is answered with one error for each field, and nothing is stored."""
    wrong = {"BusinessId": 9, "Name": " ", "Action": 91, "URL": "ftp://x", "Description": 5, "Active": "yes"}
    said = client.post(WEBHOOKS, json=wrong).json()
    assert [error["PropertyName"] for error in said["Errors"]] == list(wrong)
    assert [error["AttemptedValue"] for error in said["Errors"]] == list(wrong.values())
    assert said["Message"].startswith("BusinessId: is not a location of this account; Name: is a required field; ")
    assert stats(client)["webhooks"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("BusinessId", "1001"),
        ("BusinessId", True),
        ("BusinessId", 1001.0),
        ("BusinessId", 10**40),
        ("Action", 0),
        ("Action", "6"),
        ("Action", 6.5),
        ("Action", True),
        ("URL", "hooks.example.com"),
        ("URL", "https://"),
        ("URL", "https://[bad"),
        ("URL", "https://a b.example"),
        ("URL", "https://a.example:99999/"),
        ("URL", 7),
        ("Name", ["x"]),
        ("Active", 1),
    ],
)
def test_a_wrong_value_is_rejected(client, field, value):
    """A value of the wrong type or out of range is a 400 that names its field and repeats the value."""
    answer = client.post(WEBHOOKS, json=body(**{field: value}))
    assert answer.status_code == 400
    assert [(error["PropertyName"], error["AttemptedValue"]) for error in answer.json()["Errors"]] == [(field, value)]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"Action": NaN}', b'{"Action": 1e999}', b"[" * 9000, b"\xff"]
)
def test_a_body_that_is_no_object_is_rejected(client, content):
    """Whatever is not a JSON object is a 400 in the same shape."""
    answer = client.post(WEBHOOKS, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["WasSuccessful"] is False
    assert answer.json()["Message"]


def test_all_ninety_actions_are_taken(client):
    """Every number from 1 to 90 can be created."""
    for action in range(1, len(NAMES) + 1):
        create(client, Action=action)
    assert stats(client)["webhooks"] == 90


def test_nothing_is_unique(client):
    """The same body twice makes two webhooks; the stats say that one repeats another."""
    assert create(client) != create(client)
    assert (stats(client)["webhooks"], stats(client)["duplicates"]) == (2, 1)


def test_a_record_has_every_field(client):
    """A webhook read by id has every field of bulkhooks/docs/nexudus.md, and Active is on where nothing sets it."""
    record = client.get(f"{WEBHOOKS}/{create(client, Description='why')}").json()
    assert " ".join(sorted(record)) == (
        "Action Active BusinessId CreatedOn Description ErrorCount Id IsNew LastError LastTrigger Name SystemId URL"
        " UniqueId UpdatedBy UpdatedOn"
    )
    assert (record["Description"], record["Active"], record["ErrorCount"]) == ("why", True, 0)
    assert record["UpdatedBy"] == "admin@example.com"


def test_texts_come_back_as_they_were_sent(client):
    """Names in any script come back to the letter, even half a surrogate pair."""
    name = "Zürich 東京 🏢 \ud83c <b> \u0000"
    content = body() | {"Name": name}
    written = client.post(WEBHOOKS, content=json.dumps(content).encode())
    assert client.get(f"{WEBHOOKS}/{written.json()['Value']['Id']}").json()["Name"] == name


def test_a_put_clears_what_it_leaves_out(client):
    """An update without Description and Active empties the one and switches off the other."""
    id_ = create(client, Description="why", Active=True)
    answer = client.put(WEBHOOKS, json=body(Id=id_, Name="New"))
    record = client.get(f"{WEBHOOKS}/{id_}").json()
    assert answer.json()["Message"] == "WebHook was successfully updated."
    assert (record["Name"], record["Description"], record["Active"]) == ("New", None, False)


def test_a_put_leaves_the_servers_own_fields(client):
    """An update cannot write delivery health or dates: what the body says of them is passed over."""
    id_ = create(client)
    before = client.get(f"{WEBHOOKS}/{id_}").json()
    client.put(WEBHOOKS, json=before | {"ErrorCount": 7, "LastError": "x", "CreatedOn": "x", "UniqueId": "x"})
    after = client.get(f"{WEBHOOKS}/{id_}").json()
    assert after | {"UpdatedOn": ""} == before | {"UpdatedOn": ""}


def test_a_put_may_move_a_webhook(client):
    """A webhook that is given another location is found there and no longer where it was."""
    id_ = create(client)
    client.put(WEBHOOKS, json=body(Id=id_, BusinessId=1002))
    assert client.get(WEBHOOKS, params={"WebHook_Business": 1001}).json()["TotalItems"] == 0
    assert client.get(WEBHOOKS, params={"WebHook_Business": 1002}).json()["Records"][0]["Id"] == id_


def test_a_put_needs_an_id_and_all_required_fields(client):
    """An update without Id, or without a required field, is a 400 that names it."""
    id_ = create(client)
    for changes, field in (({}, "Id"), ({"Id": id_, "URL": None}, "URL"), ({"Id": "x"}, "Id")):
        answer = client.put(WEBHOOKS, json=body(**changes))
        assert (answer.status_code, answer.json()["Errors"][0]["PropertyName"]) == (400, field)


def test_a_deleted_webhook_is_gone_for_good(client):
    """A deleted webhook is a 404 from then on, and its id is not given again."""
    id_ = create(client)
    assert client.delete(f"{WEBHOOKS}/{id_}").json()["WasSuccessful"] is True
    assert client.get(f"{WEBHOOKS}/{id_}").status_code == 404
    assert client.delete(f"{WEBHOOKS}/{id_}").status_code == 404
    assert client.put(WEBHOOKS, json=body(Id=id_)).status_code == 404
    assert create(client) > id_


@pytest.mark.parametrize(
    "path", ["/api/sys/webhooks/abc", "/api/sys/webhooks/0", "/api/sys/webhooks/" + "9" * 5000, "/api/x"]
)
def test_what_is_not_there_is_404(client, path):
    """An unknown id or path is a 404, whatever it looks like."""
    assert client.get(path).status_code == 404


def test_a_search_gives_partial_records(client):
    """A search leaves Description empty and gives every other field."""
    id_ = create(client, Description="why")
    full = client.get(f"{WEBHOOKS}/{id_}").json()
    assert client.get(WEBHOOKS).json()["Records"] == [full | {"Description": None}]


def test_pages_hold_25_unless_asked_and_500_at_most(client):
    """Without a size a page has 25 records; over 500 asked for, 500 come and CurrentPageSize says so."""
    for number in range(530):
        create(client, Name=str(number))
    default = client.get(WEBHOOKS).json()
    assert (len(default["Records"]), default["CurrentPageSize"], default["TotalPages"]) == (25, 25, 22)
    assert (default["CurrentPage"], default["HasNextPage"], default["TotalItems"]) == (1, True, 530)
    large = client.get(WEBHOOKS, params={"size": 10_000}).json()
    assert (len(large["Records"]), large["CurrentPageSize"]) == (500, 500)
    last = client.get(WEBHOOKS, params={"size": 500, "page": 2}).json()
    assert (len(last["Records"]), last["HasNextPage"]) == (30, False)
    assert client.get(WEBHOOKS, params={"size": 500, "page": 3}).json()["Records"] == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"WebHook_Business": "1002"}, ["b"]),
        ({"WebHook_Action": "7"}, ["c"]),
        ({"WebHook_URL": "https://HOOKS.example.com/in"}, ["a", "b", "c"]),
        ({"WebHook_URL": "https://hooks.example.com/"}, []),
        ({"WebHook_Name": "B"}, ["b"]),
        ({"WebHook_Active": "false"}, ["c"]),
        ({"WebHook_Business": "1001", "WebHook_Active": "TRUE"}, ["a"]),
        ({"from_WebHook_ErrorCount": "1"}, []),
        ({"to_WebHook_ErrorCount": "0"}, ["a", "b", "c"]),
        ({"from_WebHook_LastTrigger": "2020-01-01"}, []),
        ({"from_WebHook_CreatedOn": "2020-01-01T00:00:00Z", "to_WebHook_CreatedOn": "2999-01-01"}, ["a", "b", "c"]),
        ({"WebHook_Unheard_Of": "x", "WebHook_Name": ""}, ["a", "b", "c"]),
        ({"orderBy": "Name", "dir": "Descending"}, ["c", "b", "a"]),
        ({"orderBy": "WebHook_Action", "dir": "desc"}, ["c", "a", "b"]),
        ({"orderBy": "LastTrigger"}, ["a", "b", "c"]),
        ({"dir": "1"}, ["c", "b", "a"]),
    ],
)
def test_searches_filter_and_sort(client, query, names):
    """Filters hold all at once, text in any case; ranges include their ends; the order is that asked for."""
    create(client, Name="a")
    create(client, Name="b", BusinessId=1002)
    create(client, Name="c", Action=7, Active=False)
    found = client.get(WEBHOOKS, params=query).json()
    assert [record["Name"] for record in found["Records"]] == names
    assert found["TotalItems"] == len(names)


@pytest.mark.parametrize(
    ("query", "order", "direction"),
    [({}, "Id", 0), ({"orderBy": "Name"}, "Name", 0), ({"orderBy": "Name", "dir": "Descending"}, "Name", 1)],
)
def test_a_page_tells_how_it_is_sorted(client, query, order, direction):
    """The field and the direction, 0 up and 1 down, as the API has them on every page."""
    found = client.get(WEBHOOKS, params=query).json()
    assert (found["CurrentOrderField"], found["CurrentSortDirection"]) == (order, direction)


@pytest.mark.parametrize(
    "query",
    [
        {"WebHook_Action": "x"},
        {"from_WebHook_LastTrigger": "soon"},
        {"WebHook_Active": "maybe"},
        {"orderBy": "Colour"},
        {"page": "x"},
    ],
)
def test_a_search_that_makes_no_sense_is_rejected(client, query):
    """A filter, order or page that cannot be read is a 400 that names it."""
    answer = client.get(WEBHOOKS, params=query)
    assert answer.status_code == 400
    assert answer.json()["Errors"][0]["PropertyName"] in query


def test_locations_have_ids_and_distinct_names():
    """The locations asked for are listed by id, each with a name of its own."""
    with running(locations=tuple(range(1, 2101))) as client:
        found = [
            record
            for number in range(1, 6)
            for record in client.get("/api/sys/businesses", params={"size": 500, "page": number}).json()["Records"]
        ]
    assert [record["Id"] for record in found] == list(range(1, 2101))
    assert len({record["Name"] for record in found}) == 2100
    assert found[1000]["Name"] == "London Central"


def test_a_network_has_its_locations():
    """Each record names its network; the filter finds what belongs to one, under either of its names."""
    networks = parse_networks(["900 Harbour UK=1001-1002", "950=2001"])
    with running(locations=(1001, 1003), network=networks, suspended=(1003,)) as client:
        search = partial(client.get, "/api/sys/businesses")
        found = {record["Id"]: record for record in search().json()["Records"]}
        for name in ("Business_RootLocation", "Business_RootLocationId"):
            of_one = [record["Id"] for record in search(params={name: 900}).json()["Records"]]
            assert of_one == [1001, 1002]
    assert {number: record["RootLocationId"] for number, record in found.items()} == {
        900: None, 950: None, 1001: 900, 1002: 900, 1003: None, 2001: 950,
    }  # fmt: skip
    assert found[900]["Name"] == "Harbour UK"
    assert [number for number, record in found.items() if record["Suspended"]] == [1003]


def test_without_networks_every_location_is_one_by_itself():
    """The default has 40 locations, none of them a network or suspended."""
    with running() as client:
        found = client.get("/api/sys/businesses", params={"size": 500}).json()["Records"]
    assert len(found) == 40
    assert {(record["RootLocationId"], record["Suspended"]) for record in found} == {(None, False)}


def test_ids_begin_where_they_are_told():
    """With ids_from the first webhook has that id."""
    with running(ids_from=87654321) as client:
        assert [create(client), create(client)] == [87654321, 87654322]
