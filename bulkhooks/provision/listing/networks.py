"""Which locations belong to which network: the API's table of locations, with as few requests as possible."""

from __future__ import annotations

from bulkhooks.errors import Refused
from bulkhooks.nexudus.models import UNTOLD, Business
from bulkhooks.provision.account import Account
from bulkhooks.provision.listing.listing import locations
from bulkhooks.provision.stopping import NotRead
from bulkhooks.sheets.reading.locations import Location, Locations


async def table_of_locations(account: Account) -> Locations:
    """The account's locations with their networks.

    Where the records of the search do not name their network, it is asked for. Where that is refused, the table says
    so (``Locations.without_networks``). Raises ``Unauthorized`` or ``Forbidden`` where the locations may not be listed
    at all, ``Stopped`` where the account is halted before.
    """
    found = await locations(account)
    roots, refused = {business.id: business.root for business in found}, ""
    if len(found) > 1 and all(root == UNTOLD for root in roots.values()):
        roots, refused = await _asked(account, found)
    return Locations((_location(business, roots.get(business.id, 0)) for business in found), without_networks=refused)


def _location(business: Business, root: int) -> Location:
    network = str(root) if root > 0 else ""
    return Location(business.id, business.name.strip(), network=network, suspended=business.suspended)


async def _asked(account: Account, found: list[Business]) -> tuple[dict[int, int], str]:
    """The network of each location that has one, and why not all are known, if so.

    Each location is asked for what belongs to it, in the order of ids, for a network is older than its locations; what
    has turned out to belong to another is not asked for any more.
    """
    roots: dict[int, int] = {}
    for top in sorted(business.id for business in found):
        if top in roots:
            continue
        try:
            children = [business.id for business in await locations(account, top)]
        except (Refused, NotRead) as error:
            return roots, f"the API does not tell which locations belong to {top} ({error})"
        if top in children:  # a server that does not know the filter answers with every location
            return roots, "the API takes no notice of the filter for the locations of a network"
        roots.update(dict.fromkeys(children, top))
    return roots, ""
