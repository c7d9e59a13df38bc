"""The table of failures, answers: what each status and body means, and the sentence that goes with it."""

from __future__ import annotations

import json

import httpx
import pytest

from bulkhooks.errors import Conflict, Forbidden, InDoubt, Invalid, NotFound, Refused, Throttled, Unauthorized
from bulkhooks.nexudus.responses import LONGEST_WAIT, retry_after
from tests.nexudus.conftest import BODY, CREATED, client_of

pytestmark = pytest.mark.anyio

REJECTED = {
    "Message": "Name: is a required field",
    "Value": None,
    "Errors": [{"AttemptedValue": None, "Message": "is a required field", "PropertyName": "Name"}],
    "WasSuccessful": False,
}
PAGE = b"<!DOCTYPE html><html><head><title>Sign in to\n the  Wi-Fi</title></head><body>" + b"<p>x</p>" * 9000


async def created(*args, **kwargs) -> int:
    """What comes of a create that is answered so."""
    async with client_of(lambda request: httpx.Response(*args, **kwargs)) as client:
        return await client.create(BODY)


async def test_success_with_an_id_is_created():
    """The id of the documentation's example answer is returned."""
    assert await created(200, content=CREATED) == 87654321


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (301, {"Location": "https://elsewhere.example.com/login?ticket=s3cret"}, Refused),
        (304, {}, Refused),
        (400, {}, Invalid),
        (401, {}, Unauthorized),
        (402, {}, Refused),
        (403, {}, Forbidden),
        (404, {}, NotFound),
        (405, {}, Refused),
        (407, {}, Refused),
        (409, {}, Conflict),
        (422, {}, Refused),
        (500, {}, InDoubt),
        (500, {"Retry-After": "3"}, InDoubt),
        (502, {}, InDoubt),
        (503, {}, InDoubt),
        (504, {}, InDoubt),
        (599, {}, InDoubt),
        (200, {}, InDoubt),
        (204, {}, InDoubt),
        (299, {}, InDoubt),
    ],
)
async def test_the_status_decides(status, headers, kind):
    """Each status means one kind of failure; a page of HTML in place of an answer leaves it in doubt, and is never
    shown."""
    for content in (b"", PAGE):
        if content and 400 <= status < 500 and status != 407:
            kind = InDoubt
        with pytest.raises(kind) as caught:
            await created(status, headers=headers, content=content)
        assert type(caught.value) is kind or kind is Unauthorized
        assert caught.value.http_status == status
        sentence = str(caught.value)
        assert "<" not in sentence
        assert "\n" not in sentence
        assert "s3cret" not in sentence
        assert len(sentence) <= 400


@pytest.mark.parametrize(("status", "alive"), [(409, True), (429, True), (503, False)])
async def test_throttled_names_how_long(status, alive):
    """409, 429 and 503 with Retry-After are throttling, and only a 503 is no sign of life."""
    with pytest.raises(Throttled) as caught:
        await created(status, headers={"Retry-After": "2"})
    assert (caught.value.retry_after, caught.value.alive, caught.value.http_status) == (2.0, alive, status)


async def test_429_needs_no_header():
    """A 429 without Retry-After is throttling for a time that is not named."""
    with pytest.raises(Throttled) as caught:
        await created(429)
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 1.0),
        (" 30 ", 30.0),
        ("1.5", 1.5),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("1e3", None),
        ("٣", None),
        ("9" * 400, LONGEST_WAIT),
        ("Wed, 01 Jan 2025 12:00:30 GMT", 30.0),
        ("Wed, 01 Jan 2025 11:00:00 GMT", None),
        ("Wed, 99 Jan 2025 11:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
    ],
)
def test_retry_after(text, seconds):
    """Seconds and dates are understood, what names no time gives None, and nothing is believed beyond a day."""
    headers = {"Retry-After": text.encode(), "Date": "Wed, 01 Jan 2025 12:00:00 GMT"}
    assert retry_after(httpx.Response(429, headers=headers), now=0) == seconds


def test_a_date_without_the_servers_own_is_taken_by_our_clock():
    """Retry-After as a date is measured against our clock where the server names no Date."""
    answer = httpx.Response(429, headers={"Retry-After": "Thu, 01 Jan 1970 00:01:00 GMT"})
    assert retry_after(answer, now=20) == 40.0


async def test_validation_errors_are_told_as_property_and_message():
    """All errors of a 400 are told, each as the property and what is wrong with it."""
    second = {"AttemptedValue": 0, "Message": "must be greater than 0", "PropertyName": "BusinessId"}
    with pytest.raises(Invalid) as caught:
        await created(400, json={**REJECTED, "Errors": [*REJECTED["Errors"], second]})
    assert str(caught.value) == "Name: is a required field; BusinessId: must be greater than 0"
    assert caught.value.error_code == "api-validation"


async def test_without_a_list_the_message_is_told():
    """A 400 whose errors are missing is told by its summary."""
    with pytest.raises(Invalid, match=r"^Name: is a required field$"):
        await created(400, json={**REJECTED, "Errors": None})


async def test_200_that_was_not_successful_is_refused():
    """WasSuccessful is trusted, not the status, even beside an id."""
    with pytest.raises(Invalid, match=r"^Name: is a required field$"):
        await created(200, json={**REJECTED, "Value": {"Id": 5}})


async def test_an_id_is_not_lost_for_want_of_a_word():
    """An id without errors is a success where WasSuccessful is missing; with errors, or with no id, it is in doubt."""
    assert await created(200, json={"Value": {"Id": 5}}) == 5
    for said in ({"Value": {"Id": 5}, "Errors": REJECTED["Errors"]}, {"Value": None}, {}):
        with pytest.raises(InDoubt):
            await created(200, json=said)


@pytest.mark.parametrize("value", [None, {}, {"Id": 0}, {"Id": "x"}, 5, [], {"Id": -3}])
async def test_success_without_an_id_is_in_doubt(value):
    """A create that succeeded without naming an id has to be looked up."""
    with pytest.raises(InDoubt):
        await created(200, json={"WasSuccessful": True, "Value": value})


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"{", b"\xff\xfe", b"OK", CREATED[:-1], PAGE])
async def test_a_200_that_cannot_be_read_is_in_doubt(content):
    """What no API answers leaves the create in doubt."""
    with pytest.raises(InDoubt):
        await created(200, content=content)


async def test_a_page_that_answers_in_its_place_is_named():
    """A proxy's page is told by its title and nothing else of it."""
    with pytest.raises(InDoubt, match=r"web page \('Sign in to the Wi-Fi'\)"):
        await created(200, content=PAGE)


async def test_a_redirect_is_not_followed_and_its_aim_named_without_query():
    """A 3xx fails and says where it points, but not with what."""
    asked = []

    def redirect(request):
        asked.append(request.url)
        return httpx.Response(302, headers={"Location": "https://user:pw@login.example.com/in?ticket=s3cret#x"})

    async with client_of(redirect) as client:
        with pytest.raises(Refused, match=r"to https://login\.example\.com/in \(302 Found\)") as caught:
            await client.create(BODY)
    assert caught.value.error_code == "api-error"
    assert len(asked) == 1


async def test_sentences_of_the_api_are_cut_and_lose_queries():
    """A long message with line breaks and a URL becomes one short line without the URL's query."""
    message = "Url: https://bob:pw@hooks.example.com/in?token=s3cret is\r\n\tnot\x00 allowed " + "because " * 200
    with pytest.raises(Conflict) as caught:
        await created(409, json={"Message": message})
    assert str(caught.value).startswith(
        "the API answered 409 Conflict: Url: https://hooks.example.com/in is not allowed"
    )
    assert len(str(caught.value)) == 400
    assert "s3cret" not in str(caught.value)


async def test_changes_and_deletions_go_by_the_same_table():
    """PUT and DELETE succeed by WasSuccessful, need no id, and fail as a create does."""
    said = {"WasSuccessful": True}
    async with client_of(lambda request: httpx.Response(200, json=said)) as client:
        await client.update({"Id": 5, **BODY})
        await client.delete(5)
    for status, kind in ((404, NotFound), (204, InDoubt), (500, InDoubt)):
        async with client_of(lambda request, status=status: httpx.Response(status)) as client:
            with pytest.raises(kind):
                await client.delete(5)
            with pytest.raises(kind):
                await client.update({"Id": 5, **BODY})


async def test_a_record_is_returned_with_every_field():
    """Reading by id gives the fields as the API names them, those it does not know included."""
    record = {"Id": 5, **BODY, "Description": "ü", "SystemId": None, "New": {"a": [1]}}
    async with client_of(lambda request: httpx.Response(200, json=record)) as client:
        assert await client.read(5) == record


@pytest.mark.parametrize("content", [b"null", b"[]", b"{}", b'"x"', PAGE])
async def test_what_is_no_record_is_in_doubt(content):
    """An answer without a record is never taken for one, for it would be put back."""
    async with client_of(lambda request: httpx.Response(200, content=content)) as client:
        with pytest.raises(InDoubt):
            await client.read(5)
        with pytest.raises(InDoubt):
            await client.search(1, 500)


async def test_a_search_asks_for_what_it_is_told():
    """Page, size and filters are sent under the API's names, and those not given are left out."""
    asked = []

    def search(request):
        asked.append(str(request.url))
        page = {"Records": [{"Id": 7, **BODY}], "CurrentPageSize": 25, "TotalItems": 1, "TotalPages": 1}
        return httpx.Response(200, json=page)

    async with client_of(search, base_url="https://spaces.example.com/eu") as client:
        page = await client.search(2, 500, business_id=1001, action=6)
        await client.businesses(1, 500)
    assert [(record.id, record.business_id, record.url) for record in page.records] == [(7, 1001, BODY["URL"])]
    assert asked == [
        "https://spaces.example.com/eu/api/sys/webhooks?page=2&size=500&orderBy=Id&dir=Ascending&WebHook_Business=1001&WebHook_Action=6",
        "https://spaces.example.com/eu/api/sys/businesses?page=1&size=500&orderBy=Id&dir=Ascending",
    ]


async def test_the_body_is_what_was_given():
    """A create is a JSON body with the fields given and no other, whatever characters are in them."""
    asked = []

    def create(request):
        asked.append(request)
        return httpx.Response(200, content=CREATED)

    body = {**BODY, "Name": "Zürich – 🏢 \ud800"}
    async with client_of(create) as client:
        await client.create(body)
    (request,) = asked
    assert (request.method, str(request.url)) == ("POST", "https://spaces.example.com/api/sys/webhooks")
    assert json.loads(request.content) == body
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] == "Bearer token-of-tests"
    assert request.headers["User-Agent"].startswith("bulkhooks/")
