"""What the server has, found out with the fewest requests."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import dataclass, field

from bulkhooks.errors import Forbidden, Refused, Unauthorized
from bulkhooks.nexudus.models import Business, Page, Record
from bulkhooks.provision.account import Account
from bulkhooks.provision.item import Item

PAGE_SIZE = 500
"""Records asked for at a time; the server may give fewer."""

_log = logging.getLogger("bulkhooks")


@dataclass(slots=True)
class Listing:
    """What the server has at some locations, and at which of them it would not say, or not all of it, and why."""

    records: dict[int, Record] = field(default_factory=dict)
    refused: dict[int, Refused] = field(default_factory=dict)

    @property
    def not_permitted(self) -> frozenset[int]:
        """Locations whose webhooks these credentials may not list."""
        return frozenset(number for number, error in self.refused.items() if _is_permission(error))

    @property
    def failed(self) -> dict[int, Refused]:
        """Locations where the answer was final for another reason: a wrong address, say."""
        return {number: error for number, error in self.refused.items() if not _is_permission(error)}


async def existing(account: Account, business_ids: Collection[int]) -> Listing:
    """The webhooks of these locations, with as few requests as possible: by location, or every page.

    Where the very first request is refused, no other is tried. Where a later page of all is, each location is asked
    for by itself.
    """
    found = Listing()
    if len(business_ids) > 1:
        try:
            first = await _page(account, 1, None)
        except Refused as error:
            return Listing(refused=dict.fromkeys(business_ids, error))
        if first.pages - 1 <= len(business_ids):
            with suppress(Refused):
                await _take(found, account, first, None)
                return _at(business_ids, found)
    for business_id in business_ids:
        try:
            await _take(found, account, await _page(account, 1, business_id), business_id)
        except Refused as error:
            found.refused[business_id] = error
    return _at(business_ids, found)


async def _take(found: Listing, account: Account, page: Page[Record], business_id: int | None) -> None:
    """Keep a page and those that follow it, each as it comes."""
    found.records.update((record.id, record) for record in page.records)
    async for following in _following(account, page, business_id):
        found.records.update((record.id, record) for record in following.records)


def _at(business_ids: Collection[int], found: Listing) -> Listing:
    wanted = frozenset(business_ids)
    found.records = {number: record for number, record in found.records.items() if record.business_id in wanted}
    return found


def _is_permission(error: Refused) -> bool:
    return isinstance(error, Unauthorized | Forbidden)


async def everything(account: Account) -> list[Record]:
    """Every webhook of the account. Raises ``Unauthorized`` or ``Forbidden`` where listing is not permitted."""
    found = Listing()
    await _take(found, account, await _page(account, 1, None), None)
    return list(found.records.values())


async def find(account: Account, item: Item) -> int:
    """The lowest id of the webhooks that are the item's by location, event and URL; 0 where there is none."""
    ids: list[int] = []
    page = await _page(account, 1, item.business_id, item.action)
    while True:
        ids += [record.id for record in page.records if record.identity == item.identity]
        if not page.has_next:
            break
        page = await _page(account, page.page + 1, item.business_id, item.action)
    if len(ids) > 1:
        _log.warning("%s: the server has it %d times, ids %s", item.place, len(ids), ", ".join(map(str, sorted(ids))))
    return min(ids, default=0)


async def locations(account: Account, root: int | None = None) -> list[Business]:
    """The account's locations, all or those of a network.

    Raises ``Unauthorized`` or ``Forbidden`` where that is not permitted, ``Stopped`` where the account is
    halted before.
    """
    found: list[Business] = []
    page = await account.businesses(1, PAGE_SIZE, root)
    while True:
        found += page.records
        if not page.has_next:
            return found
        page = await account.businesses(page.page + 1, PAGE_SIZE, root)


async def _following(account: Account, page: Page[Record], business_id: int | None) -> AsyncIterator[Page[Record]]:
    while page.has_next:
        page = await _page(account, page.page + 1, business_id)
        yield page


async def _page(account: Account, number: int, business_id: int | None, action: int | None = None) -> Page[Record]:
    return await account.search(number, PAGE_SIZE, business_id=business_id, action=action)
