"""All pages of a search as one list, or an error."""

from __future__ import annotations

import pytest

from bulkhooks.nexudus.models import Record
from bulkhooks.nexudus.pages import Odd, Page
from bulkhooks.provision.listing.walk import MOST_UNCOUNTED_PAGES, ListingFailed, whole


def record(number):
    return Record(id=number, business_id=1001, action=6, url="https://hooks.example.com/in")


async def not_waited(failures):
    raise AssertionError("these lists are asked for once")


@pytest.mark.parametrize("has_next", [True, None])
@pytest.mark.parametrize("total", [None, 10**6])
async def test_pages_that_never_end_are_asked_for_in_bounded_number(total, has_next):
    """Each has a record that no other has; the total, if there is one, is never reached."""
    asked = []

    async def page(number):
        asked.append(number)
        return Page([record(number)] if number > 1 else [record(10**6 + n) for n in range(500)], total, has_next)

    with pytest.raises(ListingFailed, match="do not end"):
        await whole(page, not_waited)
    assert len(asked) <= 5 * MOST_UNCOUNTED_PAGES


@pytest.mark.parametrize("total", [None, 400])
async def test_records_without_an_id_do_not_hide_that_pages_repeat(total):
    asked = []

    async def page(number):
        asked.append(number)
        return Page([record(1)], total, None, [Odd(None, 1002, "Id: missing"), Odd(None, 1002, "Id: missing")])

    with pytest.raises(ListingFailed, match="repeat"):
        await whole(page, not_waited)
    assert asked == [1, 2]


@pytest.mark.parametrize("shifting", [1, 2, 3])
async def test_a_list_that_shifts_is_asked_for_again_after_a_pause_and_not_for_ever(shifting):
    """A search that lags shows one record more in each of so many lists, between their two pages."""
    asked, paused = [], []

    async def page(number):
        asked.append(number)
        lists = asked.count(1)
        shown = 4 + 2 * min(lists, shifting + 1) + (number > 1 and lists <= shifting)
        return Page([record(number * 10 + n) for n in range(shown // 2)], shown, number == 1)

    async def pause(failures):
        paused.append((failures, asked[-1]))

    if shifting < 3:
        assert (await whole(page, pause)).count == 4 + 2 * (shifting + 1)
    else:
        with pytest.raises(ListingFailed, match="from 10 to 11 between two pages, 3 times in a row"):
            await whole(page, pause)
    assert paused == [(1, 2), (2, 2)][:shifting]


@pytest.mark.parametrize("told", [None, 0])
async def test_beyond_the_end_a_page_need_not_tell_the_total(told):
    async def page(number):
        return Page([record(1), record(2)], None, None) if number == 1 else Page([], told, False)

    assert (await whole(page, not_waited)).count == 2


async def test_an_empty_page_that_tells_a_total_which_no_page_before_told_is_no_end():
    """Between the two pages a record was deleted, and the third took a place on the first page that was asked for."""
    pages = [
        Page([record(1), record(2)], None, None),
        Page([], 2, False),
        Page([record(2), record(3)], 2, False),
    ]

    async def page(_):
        return pages.pop(0)

    async def pause(_):
        pass

    assert sorted((await whole(page, pause)).records) == [2, 3]
