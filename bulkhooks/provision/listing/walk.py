"""All pages of a search, as one list that is complete, or an error: never a list that lacks something without a word.

Pages come in the order of ids, one request each, while somebody else may create and delete. What tells that a list is
not complete:

============================================  ==========================================================
the total is another than on an earlier page  something was created or deleted: listed again
fewer records than the total, and no more     something was deleted before the place of the next page, or
                                              the server is wrong: listed again
more records than the total                   likewise
a page without a record that is new           a cache in between, or pages that never end: failed at once
more pages than any account has               failed at once
============================================  ==========================================================

A list that is asked for again follows after a pause, for a search that lags behind shifts until it has caught up. After
``ATTEMPTS`` times the listing has failed. Neither ``TotalPages`` nor ``CurrentPageSize`` is believed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bulkhooks.errors import Refused
from bulkhooks.nexudus.models import Business, Record
from bulkhooks.nexudus.pages import Odd, Page

ATTEMPTS = 3
"""How often one list is begun before it has failed."""

MOST_PAGES = 10_000
"""Of a counted list: 250,000 webhooks in pages of 25, fifty days of the API's limit on writes."""

MOST_UNCOUNTED_PAGES = 1_000
"""Of a list without a total, after which nobody waits for its end: 500,000 webhooks in pages of 500."""

T = TypeVar("T", Record, Business)


class ListingFailed(Refused):
    """The server's list cannot be had whole: what is there is not known, so nothing may be sent for it."""

    exit_code = 4


class _Shifted(Exception):
    """This time the list is not complete; another time it may be."""


@dataclass(slots=True)
class Listed(Generic[T]):
    """A complete list: the records by id, and those that cannot be read."""

    records: dict[int, T] = field(default_factory=dict)
    odd: list[Odd] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Records so far, readable or not."""
        return len(self.records) + len(self.odd)

    def take(self, page: Page[T]) -> bool:
        """Add a page's records; whether one of them is new."""
        before = self.count
        self.records.update((record.id, record) for record in page.records)
        known = {odd.id for odd in self.odd if odd.id is not None}
        self.odd += [odd for odd in page.odd if odd.id not in known]
        return self.count > before


async def whole(
    page: Callable[[int], Awaitable[Page[T]]],
    pause: Callable[[int], Awaitable[None]],
    first: Page[T] | None = None,
) -> Listed[T]:
    """Every record of a search. ``page`` asks for the page of that number, from 1; ``first`` is page 1 if it is known.

    ``pause`` waits after that many lists which were not complete. Raises ``ListingFailed``, and what ``page`` raises.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _once(page, first)
        except _Shifted as reason:
            first = None
            if attempt == ATTEMPTS:
                raise ListingFailed(f"{reason}, {ATTEMPTS} times in a row") from None
            await pause(attempt)
    raise AssertionError("unreachable")


async def _once(ask: Callable[[int], Awaitable[Page[T]]], first: Page[T] | None) -> Listed[T]:
    found: Listed[T] = Listed()
    page = await ask(1) if first is None else first
    number, total, before = 1, page.total, None
    most = MOST_UNCOUNTED_PAGES if total is None else _most(total, page.count)
    while True:
        # Beyond the end some tell no total, or none of what is there; another one there tells that the end has moved.
        if page.total != total and (page.count or page.total):
            raise _Shifted(f"the server's total went from {_total(total)} to {_total(page.total)} between two pages")
        # Records without an id are told from others by the page that they stand on.
        if page.count and (page == before or not found.take(page)):
            raise ListingFailed(f"the server's page {number} holds nothing that earlier pages had not: pages repeat")
        if _is_last(page, found.count, total):
            return found
        if number >= most:
            raise ListingFailed(f"the server's pages do not end: {found.count:,} records on {number:,} of them")
        number += 1
        before, page = page, await ask(number)


def _most(total: int, on_first: int) -> int:
    """Twice as many pages as the first leads to expect, and some more: later ones may be smaller."""
    return min(MOST_PAGES, 10 + 2 * total // max(1, on_first))


def _is_last(page: Page[T], count: int, total: int | None) -> bool:
    """Whether the list is complete with this page. A total decides; without one the server's word, or an empty page."""
    if total is None:
        if page.count:
            return page.has_next is False
        if page.has_next:
            raise _Shifted("the server gave an empty page and said that another follows")
        return True
    if count > total:
        raise _Shifted(f"the server gave {count} records of a total of {total}")
    if page.count:
        return count == total and not page.has_next
    if count < total:
        raise _Shifted(f"the server gave {count} records of a total of {total}, and then an empty page")
    return True


def _total(total: int | None) -> str:
    return "none" if total is None else f"{total}"
