"""All pages of a search as one list, or an error."""

from __future__ import annotations

import pytest

from bulkhooks.nexudus.models import Record
from bulkhooks.nexudus.pages import Odd, Page
from bulkhooks.provision.listing.walk import MOST_UNCOUNTED_PAGES, ListingFailed, whole


def record(number):
    return Record(id=number, business_id=1001, action=6, url="https://hooks.example.com/in")


@pytest.mark.parametrize("has_next", [True, None])
@pytest.mark.parametrize("total", [None, 10**6])
async def test_pages_that_never_end_are_asked_for_in_bounded_number(total, has_next):
    """Each has a record that no other has; the total, if there is one, is never reached."""
    asked = []

    async def page(number):
        asked.append(number)
        return Page([record(number)] if number > 1 else [record(10**6 + n) for n in range(500)], total, has_next)

    with pytest.raises(ListingFailed, match="do not end"):
        await whole(page)
    assert len(asked) <= 5 * MOST_UNCOUNTED_PAGES


@pytest.mark.parametrize("total", [None, 400])
async def test_records_without_an_id_do_not_hide_that_pages_repeat(total):
    asked = []

    async def page(number):
        asked.append(number)
        return Page([record(1)], total, None, [Odd(None, 1002, "Id: missing"), Odd(None, 1002, "Id: missing")])

    with pytest.raises(ListingFailed, match="repeat"):
        await whole(page)
    assert asked == [1, 2]
