"""Which locations belong to which network: told by the records, or asked for with the fewest requests."""

from __future__ import annotations

import httpx
import pytest

from bulkhooks.errors import Unauthorized
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.listing.networks import table_of_locations
from bulkhooks.provision.session import Session
from bulkhooks.provision.terms import AccountConfig, Terms
from tests.nexudus.conftest import authorization

pytestmark = pytest.mark.anyio

TREE = {900: None, 1001: 900, 1002: 900, 950: None, 1003: 950, 7: None}
NAMES = {900: "Harbour UK", 950: "Harbour DE"}


class Directory(httpx.AsyncBaseTransport):
    """An API with nothing but locations, by id their network.

    ``tells``: whether the records of a search have ``RootLocationId``; ``refusal``: status of a search by the filter;
    ``filters``: whether the filter is known. ``asked`` are the networks that were asked for, None for all locations.
    """

    def __init__(self, tree=TREE, *, tells=False, refusal=None, filters=True, page_size=500):
        self.tree, self.tells, self.refusal, self.filters, self.page_size = tree, tells, refusal, filters, page_size
        self.asked = []

    async def handle_async_request(self, request):
        query = request.url.params
        root = query.get("Business_RootLocation")
        self.asked.append(root and int(root))
        if root and self.refusal:
            return httpx.Response(self.refusal, json={"Message": "not for you"})
        found = [number for number, top in self.tree.items() if not root or not self.filters or str(top) == root]
        page, size = int(query["page"]), min(int(query["size"]), self.page_size)
        records = [self._record(number) for number in found[(page - 1) * size : page * size]]
        return httpx.Response(
            200, json={"Records": records, "CurrentPageSize": size, "HasNextPage": page * size < len(found)}
        )

    def _record(self, number):
        record = {"Id": number, "Name": NAMES.get(number, f"Place {number}"), "Suspended": number == 1002}
        return {**record, "RootLocationId": self.tree[number]} if self.tells else record


async def table(tmp_path, directory):
    config = AccountConfig("default", "https://spaces.example.com", authorization({"NEXUDUS_TOKEN": "token-of-tests"}))
    with Journal(tmp_path / "journal.db") as journal:
        async with Session(journal, Terms(transport=directory)) as session:
            return await table_of_locations(await session.open(config))


async def test_records_that_name_their_network_are_enough(tmp_path):
    """One search, and no other."""
    directory = Directory(tells=True)
    found = await table(tmp_path, directory)
    assert found.networks == {900: "Harbour UK", 950: "Harbour DE"}
    assert found.groups == {"harbour uk": [1001, 1002], "harbour de": [1003]}
    assert (found.suspended, found.without_networks) == ({1002}, "")
    assert directory.asked == [None]


async def test_where_no_record_has_a_network_nothing_is_asked(tmp_path):
    """Null says that there is none, a field that is missing says nothing."""
    directory = Directory(dict.fromkeys(TREE), tells=True)
    assert (await table(tmp_path, directory)).networks == {}
    assert directory.asked == [None]


async def test_what_records_do_not_tell_is_asked_once_a_top_location(tmp_path):
    """A location that turned out to belong to another is not asked for what belongs to it."""
    directory = Directory()
    found = await table(tmp_path, directory)
    assert found.networks == {900: "Harbour UK", 950: "Harbour DE"}
    assert found.groups == {"harbour uk": [1001, 1002], "harbour de": [1003]}
    assert directory.asked == [None, 7, 900, 950]


async def test_networks_of_several_pages_are_read_to_the_end(tmp_path):
    """Of the locations of a network as of all."""
    directory = Directory({900: None, **dict.fromkeys(range(1001, 1008), 900)}, page_size=3)
    found = await table(tmp_path, directory)
    assert found.groups == {"harbour uk": list(range(1001, 1008))}
    assert directory.asked == [None, None, None, 900, 900, 900]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_where_the_filter_is_refused_the_table_says_so(tmp_path, status):
    """The locations are known all the same; nothing more is asked."""
    directory = Directory(refusal=status)
    found = await table(tmp_path, directory)
    assert found.ids == list(TREE)
    assert (found.networks, found.groups) == ({}, {})
    assert "does not tell which locations belong to" in found.without_networks
    assert set(directory.asked) == {None, 7}


async def test_a_server_that_takes_no_notice_of_the_filter_is_found_out(tmp_path):
    """It answers with every location, the one that was asked for among them; one such answer is enough."""
    directory = Directory(filters=False)
    found = await table(tmp_path, directory)
    assert (found.networks, found.groups) == ({}, {})
    assert "takes no notice of the filter" in found.without_networks
    assert directory.asked == [None, 7]


async def test_where_nothing_may_be_listed_that_is_told(tmp_path):
    """As before: whoever asks decides whether the names are needed."""

    class Nothing(Directory):
        async def handle_async_request(self, request):
            return httpx.Response(401, json={"Message": "no"})

    with pytest.raises(Unauthorized):
        await table(tmp_path, Nothing())
