"""The locations of the sandbox: ids and names that look like somebody's coworking spaces."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import NamedTuple

_CITY_NAMES = """
    London Lisbon Berlin Madrid Paris Vienna Dublin Oslo Warsaw Prague Athens Milan Porto Lyon Leeds Bristol Hamburg
    Munich Zurich Geneva Antwerp Ghent Rotterdam Utrecht Aarhus Malmo Turku Tallinn Riga Vilnius Krakow Brno Graz
    Bologna Turin Seville Valencia Bilbao Nantes Toulouse
    """
_QUARTER_NAMES = """
    Central Riverside Docks Station Market Harbour Garden Mill Bridge Tower Square Park Arsenal Foundry Exchange Quay
    Observatory Lane Court Terrace Heights Gate Junction Wharf Yard
"""
_CITIES = _CITY_NAMES.split()
_QUARTERS = _QUARTER_NAMES.split()
_NAMES = len(_CITIES) * len(_QUARTERS)

OPENED_ON = "2024-01-01T00:00:00Z"


def name_of(business_id: int) -> str:
    """The name of a location; always the same for an id, and no two ids share one."""
    round_, place = divmod(business_id - 1, _NAMES)
    quarter, city = divmod(place, len(_CITIES))
    name = f"{_CITIES[city]} {_QUARTERS[quarter]}"
    return name if round_ == 1 else f"{name} {round_ + 1}"


class Network(NamedTuple):
    """A top location and those that belong to it; ``name`` is '' where it has one as any other."""

    id: int
    name: str
    locations: tuple[int, ...]


class Locations:
    """The locations there are. More may become known while the server runs, from another thread.

    ``suspended`` are switched off.
    """

    def __init__(self, ids: Iterable[int], networks: Iterable[Network] = (), suspended: Collection[int] = ()) -> None:
        self._records: dict[int, dict[str, object]] = {}
        self._networks = tuple(networks)
        self._root = {number: network.id for network in self._networks for number in network.locations}
        self._name = {network.id: network.name for network in self._networks if network.name}
        self._suspended = frozenset(suspended)
        self.know([*ids, *self._root, *self._root.values(), *self._suspended])

    def __contains__(self, business_id: object) -> bool:
        return business_id in self._records

    def know(self, ids: Iterable[int]) -> None:
        """Add locations. The table is replaced, not changed, for a search may be walking through it."""
        more = {int(business_id): self._record(int(business_id)) for business_id in ids}
        self._records = dict(sorted((more | self._records).items()))

    def records(self) -> list[dict[str, object]]:
        """Every location as the API shows it, by id."""
        return list(self._records.values())

    def _record(self, business_id: int) -> dict[str, object]:
        return {
            "Id": business_id,
            "Name": self._name.get(business_id) or name_of(business_id),
            "RootLocationId": self._root.get(business_id),
            "Suspended": business_id in self._suspended,
            "UniqueId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"business {business_id}")),
            "CreatedOn": OPENED_ON,
            "UpdatedOn": OPENED_ON,
            "IsNew": False,
            "SystemId": None,
        }
