"""What the server has, found out with the fewest requests."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection
from functools import partial
from typing import TYPE_CHECKING

from bulkhooks.provision.item import Item
from bulkhooks.provision.line import Line
from bulkhooks.provision.outage import GaveUp
from bulkhooks.webhook import url_key

if TYPE_CHECKING:
    from bulkhooks.nexudus.records import Page, Record

PAGE_SIZE = 500
"""Records asked for at a time; the server may give fewer."""

_log = logging.getLogger("bulkhooks")


async def existing(line: Line, business_ids: Collection[int]) -> list[Record]:
    """The webhooks of these locations, with as few requests as possible: by location, or every page.

    Raises ``Unauthorized`` or ``Forbidden`` where listing is not permitted.
    """
    if len(business_ids) == 1:
        return await _of_locations(line, business_ids)
    first = await _page(line, 1, None)
    if first.pages - 1 <= len(business_ids):
        records = await _with_following(line, first, None)
    else:
        records = await _of_locations(line, business_ids)
    wanted = frozenset(business_ids)
    return [record for record in records if record.business_id in wanted]


async def everything(line: Line) -> list[Record]:
    """Every webhook of the account. Raises as ``existing`` does."""
    return await _with_following(line, await _page(line, 1, None), None)


async def find(line: Line, item: Item) -> int:
    """The lowest id of the webhooks that are the item's by location, event and URL; 0 where there is none."""
    ids: list[int] = []
    page = await _page(line, 1, item.business_id, item.action)
    while True:
        ids += [record.id for record in page.records if is_of(item, record)]
        if not page.has_next:
            break
        page = await _page(line, page.page + 1, item.business_id, item.action)
    if len(ids) > 1:
        _log.warning("%s: the server has it %d times, ids %s", item.place, len(ids), ", ".join(map(str, sorted(ids))))
    return min(ids, default=0)


async def locations(line: Line) -> list[tuple[int, str]]:
    """The account's locations as ``(id, name)``.

    Raises ``Unauthorized`` or ``Forbidden`` where that is not permitted, ``GaveUp`` where the line is halted before.
    """
    found: list[tuple[int, str]] = []
    with line.working():
        page = await line.read(lambda: line.client.businesses(1, PAGE_SIZE))
        while True:
            found += [(business.id, business.name) for business in page.records]
            if not page.has_next:
                return found
            following = page.page + 1
            page = await line.read(partial(line.client.businesses, following, PAGE_SIZE))
    raise GaveUp(line.halted.reason if line.halted else "stopped")


def is_of(item: Item, record: Record) -> bool:
    """Whether the server's record is the item, whatever its name."""
    identity = (record.business_id, record.action, url_key(record.url))
    return identity == (item.business_id, item.action, item.url_key)


async def _of_locations(line: Line, business_ids: Collection[int]) -> list[Record]:
    records: list[Record] = []
    for business_id in business_ids:
        records += await _with_following(line, await _page(line, 1, business_id), business_id)
    return records


async def _with_following(line: Line, page: Page[Record], business_id: int | None) -> list[Record]:
    records = list(page.records)
    async for following in _following(line, page, business_id):
        records += following.records
    return records


async def _following(line: Line, page: Page[Record], business_id: int | None) -> AsyncIterator[Page[Record]]:
    while page.has_next:
        page = await _page(line, page.page + 1, business_id)
        yield page


async def _page(line: Line, number: int, business_id: int | None, action: int | None = None) -> Page[Record]:
    return await line.read(lambda: line.client.search(number, PAGE_SIZE, business_id=business_id, action=action))
