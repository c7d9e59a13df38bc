"""What has to change in a webhook that the server has, in the words of the results."""

from __future__ import annotations

from collections.abc import Mapping

from bulkhooks.provision.item import Change, Item, Operation
from bulkhooks.webhook import identity, url_key

FIELDS = ("URL", "Name", "Description", "Active")
"""What a run may change in a webhook, and ``undo`` puts back."""


def wanted(item: Item) -> dict[str, object]:
    """The fields that the row gives, by their names in the API. A move always gives the URL."""
    fields: dict[str, object] = {}
    if item.operation is Operation.MOVE:
        fields["URL"] = item.url
    if item.name_given:
        fields["Name"] = item.name
    if item.description is not None:
        fields["Description"] = item.description
    if item.active is not None:
        fields["Active"] = item.active
    return fields


def differences(record: Mapping[str, object], fields: Mapping[str, object]) -> dict[str, object]:
    """Those of the wanted fields that the full record has otherwise. An empty text and none are the same."""
    return {name: value for name, value in fields.items() if not _same(name, record.get(name), value)}


def described(record: Mapping[str, object], changed: Mapping[str, object]) -> str:
    """``Active: false -> true; Name: Old -> New``."""
    return "; ".join(f"{name}: {_word(record.get(name))} -> {_word(value)}" for name, value in changed.items())


def change_of(record: Mapping[str, object], changed: Mapping[str, object]) -> Change:
    """The fields of a full record before and after a write of ``changed``."""
    before = {name: record.get(name) for name in FIELDS}
    return Change(before, {**before, **{name: changed[name] for name in FIELDS if name in changed}})


def touched_since(record: Mapping[str, object], written: Mapping[str, object]) -> str:
    """What a full record has otherwise than it was written: ``Name is Theirs, where the run wrote Ours``; else ''."""
    return "; ".join(
        f"{name} is {_word(record.get(name))}, where the run wrote {_word(value)}"
        for name, value in differences(record, written).items()
    )


def identity_of(record: Mapping[str, object]) -> tuple[object, object, str]:
    """``webhook.identity`` of a full record."""
    return identity(record.get("BusinessId"), record.get("Action"), str(record.get("URL") or ""))


def elsewhere(identity: tuple[object, object, str]) -> str:
    """Where a webhook is now that was moved: ``it is now URL for event 6 at location 1001``."""
    business_id, action, url = identity
    return f"it is now {url} for event {action} at location {business_id}"


def moved(record: Mapping[str, object], item: Item) -> str:
    """Where a full record is now, if that is not where the item has it; else ''. An item that is to be restored may
    have another URL."""
    business_id, action, url = identity_of(record)
    if (business_id, action) == item.identity[:2] and (url == item.url_key or item.operation is Operation.RESTORE):
        return ""
    return elsewhere((business_id, action, url))


def _same(name: str, old: object, new: object) -> bool:
    if name == "URL":
        return url_key(str(old or "")) == url_key(str(new or ""))
    return (old or "") == (new or "") if name != "Active" else bool(old) == bool(new)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value not in (None, "") else "(empty)"
