"""What the server has, found out with the fewest requests."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection
from dataclasses import dataclass, field

import anyio

from bulkhooks.errors import Forbidden, Refused, Unauthorized
from bulkhooks.nexudus.models import Business, Record
from bulkhooks.nexudus.pages import Odd, Page
from bulkhooks.provision.account import Account
from bulkhooks.provision.item import Item
from bulkhooks.provision.limits.outage import GaveUp
from bulkhooks.provision.listing.walk import Listed, ListingFailed, whole

PAGE_SIZE = 500
"""Records asked for at a time; the server may give fewer."""

_log = logging.getLogger("bulkhooks")


@dataclass(slots=True)
class Listing:
    """What the server has at some locations, and at which of them it would not say, or not all of it, and why.

    ``odd`` are the records that cannot be read: their locations are among those that failed.
    """

    records: dict[int, Record] = field(default_factory=dict)
    refused: dict[int, Refused] = field(default_factory=dict)
    odd: list[Odd] = field(default_factory=list)

    @property
    def not_permitted(self) -> frozenset[int]:
        """Locations whose webhooks these credentials may not list."""
        return frozenset(number for number, error in self.refused.items() if is_permission(error))

    @property
    def failed(self) -> dict[int, Refused]:
        """Locations where the answer was final for another reason: a wrong address, say."""
        return {number: error for number, error in self.refused.items() if not is_permission(error)}

    def take(self, listed: Listed[Record], asked: Collection[int]) -> None:
        """Add a complete list of what is at the locations ``asked`` for, and perhaps at others.

        Raises ``ListingFailed`` where it holds a record of which nobody knows where it is.
        """
        for odd in listed.odd:
            if odd.business_id is None:
                raise ListingFailed(f"{described(odd)}, and so nobody knows at which location it is")
        self.records.update(listed.records)
        self.odd += listed.odd
        for odd in listed.odd:
            if odd.business_id is not None and odd.business_id in asked:
                self.refused[odd.business_id] = ListingFailed(described(odd))


def described(odd: Odd) -> str:
    """A record that cannot be read, in words."""
    named = "a webhook whose id cannot be read" if odd.id is None else f"webhook {odd.id}"
    place = "" if odd.business_id is None else f" at location {odd.business_id}"
    return f"the server's record of {named}{place} cannot be read ({odd.reason})"


def is_permission(error: Refused) -> bool:
    """Whether it is a permission that is missing."""
    return isinstance(error, Unauthorized | Forbidden)


async def existing(account: Account, business_ids: Collection[int]) -> Listing:
    """The webhooks of these locations, with as few requests as possible: by location, or every page.

    Where the very first request is refused, no other is tried. Where a later page of all is, each location is asked
    for by itself. Raises ``GaveUp`` where for ``--give-up-after`` seconds no list was complete.
    """
    found = Listing()
    if len(business_ids) > 1:
        try:
            first = await _page(account, 1)
        except Refused as error:
            return Listing(refused=dict.fromkeys(business_ids, error))
        if _pages(first) - 1 <= len(business_ids):
            try:
                await _take_all(found, account, first, business_ids)
                return _at(business_ids, found)
            except ListingFailed as error:
                return Listing(refused=dict.fromkeys(business_ids, error))
            except Refused:
                pass
    failing_since = math.inf
    for business_id in business_ids:
        try:
            await _take_one(found, account, business_id)
            failing_since = math.inf
        except ListingFailed as error:
            found.refused[business_id] = error
            failing_since = min(failing_since, anyio.current_time())
            if anyio.current_time() - failing_since >= account.terms.give_up_after:
                raise GaveUp(
                    f"no list of the API was complete for {account.terms.give_up_after:g} s: {error}"
                ) from None
        except Refused as error:
            found.refused[business_id] = error
    return _at(business_ids, found)


async def _take_all(found: Listing, account: Account, first: Page[Record], business_ids: Collection[int]) -> None:
    """Every page of all. Where one is refused, what the others had counts nevertheless."""
    seen: list[Page[Record]] = [first]

    async def ask(number: int) -> Page[Record]:
        page = await _page(account, number)
        if number == 1:
            seen.clear()
        seen.append(page)
        return page

    try:
        found.take(await whole(ask, account.pause, first), business_ids)
    except ListingFailed:
        raise
    except Refused:
        for page in seen:
            found.records.update((record.id, record) for record in page.records)
        raise


async def _take_one(found: Listing, account: Account, business_id: int) -> None:
    async def ask(number: int) -> Page[Record]:
        return await _page(account, number, business_id)

    found.take(await whole(ask, account.pause), {business_id})


def _pages(first: Page[Record]) -> int:
    """How many pages there are, by the first; where the server does not say, two if there may be more than one."""
    if first.total is not None:
        return math.ceil(first.total / first.count) if first.count else 1
    return 1 if first.has_next is False or not first.count else 2


def _at(business_ids: Collection[int], found: Listing) -> Listing:
    wanted = frozenset(business_ids)
    found.records = {number: record for number, record in found.records.items() if record.business_id in wanted}
    return found


async def everything(account: Account) -> list[Record]:
    """Every webhook of the account, by id. A record that cannot be read is left out, with a warning.

    Raises ``Unauthorized`` or ``Forbidden`` where listing is not permitted, ``ListingFailed`` where the list cannot be
    had whole.
    """
    listed = await whole(lambda number: _page(account, number), account.pause)
    for odd in listed.odd:
        _log.warning("account %r: %s and is left out", account.name, described(odd))
    return list(listed.records.values())


async def find(account: Account, item: Item) -> list[int]:
    """The ids, in order, of the webhooks that are the item's by location, event and URL.

    Raises ``ListingFailed`` where nobody can know: the list is not whole, or a record of it may be the item's.
    """
    listed = await whole(lambda number: _page(account, number, item.business_id, item.action), account.pause)
    ids = sorted(record.id for record in listed.records.values() if record.identity == item.identity)
    here = [odd for odd in listed.odd if odd.business_id in {None, item.business_id}]
    if here and not ids:
        raise ListingFailed(described(here[0]))
    return ids


async def locations(account: Account, root: int | None = None) -> list[Business]:
    """The account's locations, all or those of a network, by id.

    Raises ``Unauthorized`` or ``Forbidden`` where that is not permitted, ``ListingFailed`` where the list cannot be had
    whole, ``Stopped`` where the account is halted before.
    """
    listed = await whole(lambda number: account.businesses(number, PAGE_SIZE, root), account.pause)
    for odd in listed.odd:
        _log.warning("a location (id %s) cannot be read and is left out: %s", odd.id or "?", odd.reason)
    return list(listed.records.values())


async def names_of_locations(account: Account) -> dict[int, str]:
    """The names of the account's locations by id; none where these credentials may not list them.

    Raises ``ListingFailed`` and ``Stopped`` as ``locations`` does.
    """
    try:
        return {business.id: business.name for business in await locations(account)}
    except (Unauthorized, Forbidden):
        return {}


async def _page(
    account: Account, number: int, business_id: int | None = None, action: int | None = None
) -> Page[Record]:
    return await account.search(number, PAGE_SIZE, business_id=business_id, action=action)
