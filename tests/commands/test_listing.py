"""Servers whose lists shift, repeat, lag, or hold what cannot be read: nothing is made twice or guessed."""

from __future__ import annotations

import json

import pytest

from bulkhooks import run
from tests.commands.odd import OddServer, job_at

PLACES = range(1001, 1011)


def column(report, name):
    return report.results[name].tolist()


def statuses(report):
    return column(report, "Status")


def without(*fields):
    """The pages lack these fields."""

    def bend(server, ask, status, body):
        if not ask.is_search:
            return status, body
        said = json.loads(body)
        return status, json.dumps({name: value for name, value in said.items() if name not in fields}).encode()

    return bend


def with_fields(**fields):
    """The pages have these fields in place of their own."""

    def bend(server, ask, status, body):
        return (status, json.dumps({**json.loads(body), **fields}).encode()) if ask.is_search else (status, body)

    return bend


@pytest.mark.parametrize(
    "bend",
    [
        None,
        without("TotalPages", "HasNextPage"),
        without("TotalItems", "TotalPages"),
        without("TotalItems", "TotalPages", "HasNextPage", "CurrentPageSize"),
        without("TotalItems", "HasNextPage"),
        with_fields(TotalPages=1, HasNextPage=False),
        with_fields(TotalPages=99, HasNextPage=True),
        with_fields(TotalItems=0, HasNextPage=None),
        with_fields(TotalItems="many", HasNextPage="perhaps"),
        with_fields(CurrentPageSize=500),
    ],
)
@pytest.mark.parametrize("page_size", [3, 5, 10])
def test_whatever_a_page_says_of_itself_every_record_is_found(tmp_path, bend, page_size):
    with OddServer(bend, page_size=page_size) as server:
        ids = server.fill(PLACES)
        ran = run(job_at(tmp_path, server, PLACES))
    assert (statuses(ran), column(ran, "WebhookId")) == (["exists"] * 10, ids)
    assert server.count("POST") == 0


def test_a_record_deleted_between_two_pages_hides_none(tmp_path):
    """The total is another on the second page: the list is asked for again."""

    def bend(server, ask, status, body):
        if ask.number == 1:
            del server.webhooks[101]
        return status, body

    with OddServer(bend, page_size=4) as server:
        server.fill([5000, *PLACES])
        ran = run(job_at(tmp_path, server, PLACES))
    assert statuses(ran) == ["exists"] * 10
    assert server.count("POST") == 0


def test_a_list_that_never_stands_still_has_failed(tmp_path):
    """Three times, and then the rows are failed and nothing is sent."""

    def bend(server, ask, status, body):
        server.add(5000 + ask.number)
        return status, body

    with OddServer(bend, page_size=4) as server:
        server.fill(PLACES)
        ran = run(job_at(tmp_path, server, [*PLACES, 1099]))
    assert (set(statuses(ran)), set(column(ran, "ErrorCode")), ran.exit_code) == ({"failed"}, {"api-error"}, 1)
    assert server.count("POST") == 0
    assert len(server.log) < 30


def cached(server, ask, status, body):
    """A cache that takes no notice of the query: every page is the first."""
    if not ask.is_search:
        return status, body
    return 200, json.dumps(server.page(type(ask)("GET", ask.path, {**ask.query, "page": "1"}, 0))).encode()


def empty_middle(server, ask, status, body):
    """The second page is empty, though there are more."""
    if not ask.is_search or ask.query["page"] != "2":
        return status, body
    return 200, json.dumps({**json.loads(body), "Records": []}).encode()


def less_than_promised(server, ask, status, body):
    """The total counts one more than the pages hold."""
    if not ask.is_search:
        return status, body
    return 200, json.dumps({**json.loads(body), "TotalItems": len(server.webhooks) + 1}).encode()


@pytest.mark.parametrize("bend", [cached, empty_middle, less_than_promised])
def test_a_list_that_cannot_be_whole_fails_its_rows(tmp_path, bend):
    """Nothing is sent, in few requests."""
    with OddServer(bend, page_size=4) as server:
        server.fill(PLACES)
        ran = run(job_at(tmp_path, server, [*PLACES, 1099]))
    assert (set(statuses(ran)), set(column(ran, "ErrorCode")), ran.exit_code) == ({"failed"}, {"api-error"}, 1)
    assert server.count("POST") == 0
    assert len(server.log) < 20


def test_an_empty_page_that_was_a_slip_is_asked_for_again(tmp_path):
    """Once only: the second time the list is whole."""

    def bend(server, ask, status, body):
        return empty_middle(server, ask, status, body) if ask.number == 2 else (status, body)

    with OddServer(bend, page_size=4) as server:
        server.fill(PLACES)
        ran = run(job_at(tmp_path, server, [*PLACES, 1099]))
    assert statuses(ran) == ["exists"] * 10 + ["created"]


# Records that cannot be read


def in_place_of(webhook_id, text):
    """A record of the search is this text instead."""

    def bend(server, ask, status, body):
        if not ask.is_search:
            return status, body
        said = json.loads(body)
        records = [b"@" if each["Id"] == webhook_id else json.dumps(each).encode() for each in said["Records"]]
        page = json.dumps({**said, "Records": []}).encode()
        return status, page.replace(b'"Records": []', b'"Records": [' + b", ".join(records) + b"]").replace(b"@", text)

    return bend


ODD = {
    "half a surrogate pair": rb'{"Id": 102, "BusinessId": 1002, "Action": 6, "URL": "https://h.ex/", "Name": "\ud83d"}',
    "no UTF-8": b'{"Id": 102, "BusinessId": 1002, "Action": 6, "URL": "https://h.example/", "Name": "\xe9"}',
    "no id": b'{"BusinessId": 1002, "Action": 6, "URL": "https://hooks.example.com/in", "Name": "x"}',
    "an id of null": b'{"Id": null, "BusinessId": 1002, "Action": 6, "URL": "https://hooks.example.com/in"}',
    "a huge id": b'{"Id": 99999999999999999999999, "BusinessId": 1002, "Action": 6, "URL": "https://h.example/"}',
    "a huge event": b'{"Id": 102, "BusinessId": 1002, "Action": ' + b"9" * 5000 + b', "URL": "https://h.example/"}',
    "an event in words": b'{"Id": 102, "BusinessId": 1002, "Action": "six", "URL": "https://h.example/"}',
    "a URL that is a list": b'{"Id": 102, "BusinessId": 1002, "Action": 6, "URL": ["https://h.example/"]}',
    "a name that is a number": b'{"Id": 102, "BusinessId": 1002, "Action": 6, "URL": "https://h.example/", "Name": 5}',
    "no URL": b'{"Id": 102, "BusinessId": 1002, "Action": 6}',
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_a_record_that_cannot_be_read_costs_its_own_location(tmp_path, text):
    """It is named; the rows of its location are failed, and the rest goes on."""
    with OddServer(in_place_of(102, text)) as server:
        server.fill([1001, 1002])
        ran = run(job_at(tmp_path, server, [1001, 1002, 1003]))
    assert (statuses(ran), ran.exit_code) == (["exists", "failed", "created"], 1)
    assert column(ran, "ErrorCode")[1] == "api-error"
    (warning,) = ran.summary.warnings
    assert warning.code == "not-listed"
    assert "location 1002" in warning.example
    assert "102" in warning.example or "whose id cannot be read" in warning.example


@pytest.mark.parametrize(
    "text",
    [
        b"null",
        b'"x"',
        b'{"Id": 102, "Action": 6, "URL": "https://h.example/"}',
        b'{"Id": 102, "BusinessId": "Soho", "Action": 6, "URL": "https://h.example/"}',
        b'{"Id": 102, "BusinessId": 1e999, "Action": 6, "URL": "https://h.example/"}',
        b'{"Id": 102, "BusinessId": ' + b"7" * 30 + b', "Action": 6, "URL": "https://h.example/"}',
    ],
)
def test_a_record_of_no_known_location_fails_the_listing(tmp_path, text):
    with OddServer(in_place_of(102, text)) as server:
        server.fill([1001, 1002])
        ran = run(job_at(tmp_path, server, [1001, 1002, 1003]))
    assert (statuses(ran), ran.exit_code) == (["failed"] * 3, 1)
    assert set(column(ran, "ErrorCode")) == {"api-error"}
    assert server.count("POST") == 0


def test_a_byte_order_mark_before_the_json_is_no_part_of_it(tmp_path):
    """Before a search as before the answer to a write: nothing is in doubt by it."""
    with OddServer(lambda server, ask, status, body: (status, b"\xef\xbb\xbf" + body)) as server:
        server.fill([1001])
        ran = run(job_at(tmp_path, server, [1001, 1002]))
    assert (statuses(ran), column(ran, "Verified"), server.count("POST")) == (["exists", "created"], [None, None], 1)


# Pages of HTML

PAGES = [b"<!DOCTYPE html><title>Blocked</title>", b"\xef\xbb\xbf \r\n<html><body>no</body></html>", b"<h1>403</h1>"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("code", [200, 401, 403, 404])
def test_a_web_page_is_an_outage_whatever_its_status(tmp_path, code, page):
    """Whoever answers in the place of the API decides nothing: all is pending, exit 4, and nothing was sent."""
    with OddServer(lambda server, ask, status, body: (code, page)) as server:
        ran = run(job_at(tmp_path, server, [1001, 1002], give_up_after=0.3))
    assert (statuses(ran), ran.exit_code) == (["pending"] * 2, 4)
    assert server.count("POST") == 0


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize("content", [b"", b"no", b'{"Message": "denied"}'])
def test_a_refusal_of_the_api_itself_leaves_the_journal_to_decide(tmp_path, code, content):
    """An empty body is the API's as well."""

    def bend(server, ask, status, body):
        return (code, content) if ask.is_search else (status, body)

    with OddServer(bend) as server:
        ran = run(job_at(tmp_path, server, [1001, 1002]))
    assert (statuses(ran), [each.code for each in ran.summary.warnings]) == (["created"] * 2, ["not-listed"])


# Searches that lag


def test_what_a_search_does_not_show_yet_is_read_by_id(tmp_path):
    """The same command twice makes nothing twice; what is really gone is made again."""
    with OddServer(lag=3) as server:
        first = run(job_at(tmp_path, server, PLACES))
        again = run(job_at(tmp_path, server, PLACES))
        assert (statuses(again), column(again, "WebhookId")) == (["exists"] * 10, column(first, "WebhookId"))
        assert server.count("GET", "/api/sys/webhooks/") == 3
        del server.webhooks[column(first, "WebhookId")[9]]
        third = run(job_at(tmp_path, server, PLACES))
    assert statuses(third) == ["exists"] * 9 + ["created"]
    assert len(server.stored()) == len(set(server.stored()))


def test_where_reading_is_not_permitted_the_list_decides(tmp_path):
    """Three refusals, and no more are asked for."""

    def bend(server, ask, status, body):
        return (401, b"") if ask.method == "GET" and not ask.is_search else (status, body)

    with OddServer(bend) as server:
        run(job_at(tmp_path, server, PLACES))
        server.webhooks.clear()
        again = run(job_at(tmp_path, server, PLACES, concurrency=1))
    assert statuses(again) == ["created"] * 10
    assert server.count("GET", "/api/sys/webhooks/") == 3


def test_what_of_ours_can_neither_be_listed_nor_read_is_not_made_again(tmp_path):
    """Its rows are failed; the others are made."""

    def bend(server, ask, status, body):
        return (500, b"") if ask.method == "GET" and not ask.is_search else (status, body)

    with OddServer(bend, lag=0) as server:
        run(job_at(tmp_path, server, [1001]))
        server.webhooks.clear()
        again = run(job_at(tmp_path, server, [1001, 1002], retries=0, give_up_after=2))
    assert "created" not in statuses(again)[:1]
    assert server.count("POST") <= 2
