"""The rows of a plan as the journal takes them: named as the columns of its tables ``rows`` and ``items`` are."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from bulkhooks.provision.item import Operation
from bulkhooks.report import Problem
from bulkhooks.webhook import Status

if TYPE_CHECKING:
    import pandas as pd

    from bulkhooks.provision.pruning import Pruning

LINE = ("id", "name", "groups", "network", "suspended")
"""The columns of a line of the table of locations."""

SENDING = ("http_status", "verified", "attempts", "sent_at", "duration_ms")
"""The columns of ``items`` that tell how a row was sent."""


_UNSENT = {"attempts": 0}


class InputRow(NamedTuple):
    """A row of the input as it was written. ``row`` counts from 0; ``extras`` are the other cells (``pack``)."""

    row: int
    business: str
    location: str
    action: str
    url: str
    name: str
    description: str
    active: str
    account: str
    extras: str


class ItemRow(NamedTuple):
    """A row of the results before anything is sent: the columns of ``items``.

    ``seq`` is its place in the results, ``row`` that of its row in the input (-1: no row of the input asked for it),
    ``account`` the journal's number of the account. ``description`` and ``active`` are None where the input is silent.
    ``problems`` are those of the row as ``pack_problems`` gives them. ``SENDING`` tell of an earlier round.
    """

    seq: int
    place: str
    account: int
    business_id: int
    location: str
    action: int
    url: str
    url_key: str
    name: str
    operation: str
    status: str = str(Status.PENDING)
    webhook_id: int = 0
    row: int = -1
    name_given: bool = False
    description: str | None = None
    active: int | None = None
    error_code: str = ""
    error: str = ""
    changes: str = ""
    problems: str | None = None
    http_status: int | None = None
    verified: int | None = None
    attempts: int = 0
    sent_at: float | None = None
    duration_ms: int | None = None


def is_settled(item: ItemRow) -> bool:
    """Whether nothing is sent for a row: it stays as it is planned."""
    return not item.operation and item.status != Status.PENDING


class ChangeRow(NamedTuple):
    """A change that an undo takes back: the columns of ``changes``.

    ``seq`` is that of its row in the undo; ``before`` (JSON) is what the run wrote, ``after`` what it was before that;
    ``of_run`` and ``of_seq`` name the change.
    """

    seq: int
    account: int
    webhook_id: int
    before: str
    after: str
    of_run: int
    of_seq: int


def input_rows(rows: pd.DataFrame, extras: pd.DataFrame) -> Iterator[InputRow]:
    """The rows of the input: ``rows`` has the columns of ``Table.rows``, ``extras`` the input's own columns."""
    own = extras.itertuples(index=False, name=None) if len(extras.columns) else repeat((), len(rows))
    columns = {
        "row": range(len(rows)),
        "business": rows["BusinessId"],
        "location": rows["Location"],
        "action": rows["Action"],
        "url": rows["URL"],
        "name": rows["Name"],
        "description": rows["Description"],
        "active": rows["Active"],
        "account": rows["Account"],
        "extras": map(pack, own),
    }
    return map(InputRow._make, _by_row(columns, InputRow._fields))


def item_rows(
    rows: pd.DataFrame, pruned: Mapping[str, Pruning], account_ids: Mapping[str, int], *, size: int, after: int = -1
) -> Iterator[ItemRow]:
    """A plan's ``rows`` and, after them, what no row names: what is deleted, then what is left alone.

    ``account_ids``: the journal's numbers by name. The index of ``rows`` has their places in the results of the whole
    input, which has ``size`` of them; what no row names comes after those and after the place ``after``.
    """
    columns = {
        "seq": rows.index.tolist(),
        "place": rows["place"],
        "account": rows["account"].map(account_ids).tolist(),
        "business_id": rows["business_id"].tolist(),
        "location": rows["location"],
        "action": rows["action"].tolist(),
        "url": rows["url"],
        "url_key": rows["url_key"],
        "name": rows["name"],
        "operation": map(str, rows["operation"]),
        "status": map(str, rows["status"]),
        "webhook_id": rows["webhook_id"].tolist(),
        "row": rows["row"].tolist(),
        "name_given": rows["name_given"].tolist(),
        "description": (text or None for text in rows["description"]),
        "active": (None if flag < 0 else int(flag) for flag in rows["active"]),
        "error_code": rows["error_code"],
        "error": rows["error"],
        "changes": rows["changes"] if "changes" in rows else repeat("", len(rows)),
        "problems": map(pack_problems, rows["problems"]),
        **{name: rows[name] if name in rows else repeat(_UNSENT.get(name), len(rows)) for name in SENDING},
    }
    yield from map(ItemRow._make, _by_row(columns, ItemRow._fields))
    unnamed = (
        (name, webhook)
        for part in ("deletions", "left")
        for name, pruning in pruned.items()
        for webhook in getattr(pruning, part).to_dict("records")
    )
    for seq, (name, webhook) in enumerate(unnamed, max(size, after + 1)):
        row = deletion_row(seq, f"prune:{seq - size + 1}", account_ids[name], webhook)
        if "status" in webhook:
            row = row._replace(operation="", changes="", status=webhook["status"], error=webhook["error"])
        yield row


def deletion_row(seq: int, place: str, account_id: int, webhook: Mapping[Any, Any]) -> ItemRow:
    """A webhook of ours (``history.OWNED``) to delete."""
    return ItemRow(
        seq=seq,
        place=place,
        account=account_id,
        business_id=webhook["business_id"],
        location=webhook["location"],
        action=webhook["action"],
        url=webhook["url"],
        url_key=webhook["url_key"],
        name=webhook["name"],
        name_given=True,
        description=webhook["description"],
        operation=str(Operation.DELETE),
        webhook_id=webhook["id"],
        changes="delete",
    )


def _by_row(columns: Mapping[str, Iterable[object]], order: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(columns[name] for name in order), strict=True)


def pack(values: Sequence[object]) -> str:
    """The input's own values of one row as JSON; dates and times keep their kind (``revive``)."""
    return json.dumps(values, default=_packed, ensure_ascii=False)


def revive(packed: Mapping[str, str]) -> object:
    """A date or time that ``pack`` has written, for ``json.loads(…, object_hook=revive)``."""
    ((kind, text),) = packed.items()
    return getattr(datetime, kind).fromisoformat(text)


def pack_problems(problems: Sequence[Problem]) -> str | None:
    """The problems of a row as the column ``items.problems`` has them: a JSON list, None where there are none."""
    if not problems:
        return None
    return json.dumps(
        [
            {
                "code": problem.code,
                "place": problem.place,
                "value": problem.value,
                "sentence": problem.sentence,
                "is_warning": problem.warning,
            }
            for problem in problems
        ]
    )


def unpack_problems(text: str | None, row: int) -> list[Problem]:
    """What ``pack_problems`` has packed; ``row`` is the position of their row in the input."""
    return [
        Problem(row, found["place"], found["code"], found["value"], found["sentence"], found["is_warning"])
        for found in (json.loads(text) if text else ())
    ]


def _packed(value: object) -> object:
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return {type(value).__name__: value.isoformat()}
    return str(value)
