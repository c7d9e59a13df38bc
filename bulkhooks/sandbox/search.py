"""Searches: filters, ranges, order and pages, as the API takes them in the query (bulkhooks/docs/nexudus.md)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from bulkhooks.sandbox.store import Record
from bulkhooks.sandbox.validation import Rejected

DEFAULT_SIZE = 25
LARGEST_SIZE = 500

_Comparable = Any
_Reader = Callable[[str], _Comparable]


def _truth(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.casefold()]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_READERS: Mapping[str, _Reader] = {
    "Id": int,
    "BusinessId": int,
    "Name": str.casefold,
    "Action": int,
    "Description": str.casefold,
    "URL": str.casefold,
    "Active": _truth,
    "LastError": str.casefold,
    "ErrorCount": int,
    "LastTrigger": _moment,
    "UniqueId": str.casefold,
    "CreatedOn": _moment,
    "UpdatedOn": _moment,
    "UpdatedBy": str.casefold,
    "RootLocationId": int,
    "Suspended": _truth,
}
_ALSO_CALLED = {"Business": "BusinessId", "RootLocation": "RootLocationId"}


def find(records: Collection[Record], query: Mapping[str, str], prefix: str) -> Collection[Record]:
    """The records that pass every filter of a query, in its order; by id where it names none.

    A filter is ``<prefix><Field>`` (equal; text in any case) or that with ``from_`` or ``to_`` before it (both ends
    count). A field that is not set passes none. Filters that the API does not know are ignored, as it does. Records
    that are equal in the field to sort by stand by id.
    """
    tests = [test for key, text in query.items() if text and (test := _test(key, text, prefix))]
    if tests:
        records = [record for record in records if all(test(record) for test in tests)]
    order = _field(query.get("orderBy", ""), prefix)
    descending = _is_descending(query)
    if order in {"", "Id"} and not descending:
        return records  # the store has them by id
    if order and order not in _READERS:
        raise Rejected(("orderBy", "is not a field to sort by", query["orderBy"]))
    return sorted(records, key=lambda record: _sort_key(record, order or "Id"), reverse=descending)


def page(found: Collection[Record], query: Mapping[str, str]) -> dict[str, object]:
    """One page of what was found, in the shape of a search's answer: partial records, without ``Description``."""
    total = len(found)
    number = max(1, _whole(query, "page", 1))
    size = _whole(query, "size", DEFAULT_SIZE)
    size = min(size, LARGEST_SIZE) if size > 0 else DEFAULT_SIZE
    start = (number - 1) * size
    records = list(islice(found, start, start + size)) if start < total else []
    pages = -(-total // size)
    return {
        "Records": [
            {name: value if name != "Description" else None for name, value in record.items()} for record in records
        ],
        "CurrentPage": number,
        "CurrentPageSize": size,
        "CurrentOrderField": query.get("orderBy") or "Id",
        "CurrentSortDirection": int(_is_descending(query)),
        "FirstItem": start + 1 if records else 0,
        "LastItem": start + len(records),
        "HasNextPage": number < pages,
        "HasPreviousPage": number > 1,
        "TotalItems": total,
        "TotalPages": pages,
    }


def _test(key: str, text: str, prefix: str) -> Callable[[Record], bool] | None:
    bound = next((bound for bound in ("from_", "to_") if key.startswith(bound)), "")
    if not key.startswith(bound + prefix):
        return None
    field = _field(key.removeprefix(bound), prefix)
    reader = _READERS.get(field)
    if reader is None:
        return None
    try:
        wanted = reader(text.strip())
    except (ValueError, KeyError):
        raise Rejected((key, "is not a valid value", text)) from None

    def passes(record: Record) -> bool:
        value = _comparable(record, field)
        if value is None:
            return False
        if bound == "from_":
            return bool(value >= wanted)
        return bool(value <= wanted) if bound else bool(value == wanted)

    return passes


def _is_descending(query: Mapping[str, str]) -> bool:
    """``dir`` is a word or a number; ascending (0) is the default."""
    return query.get("dir", "").casefold() in {"desc", "descending", "1"}


def _field(name: str, prefix: str) -> str:
    name = name.removeprefix(prefix)
    return _ALSO_CALLED.get(name, name)


def _comparable(record: Record, field: str) -> _Comparable:
    """What a record holds, in the form in which it is compared; None where it holds nothing."""
    value = record.get(field)
    return _READERS[field](value) if isinstance(value, str) else value


def _sort_key(record: Record, field: str) -> tuple[bool, _Comparable]:
    value = _comparable(record, field)
    return (value is not None, value if value is not None else 0)


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name) or str(default)
    try:
        return int(text)
    except ValueError:
        raise Rejected((name, "must be an integer", text)) from None
