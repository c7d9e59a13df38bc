"""What an undo reads in the journal: whose results a file is, and what that run made, changed and left in doubt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from bulkhooks.errors import ErrorCode
from bulkhooks.provision.item import Item, Operation
from bulkhooks.provision.journal import tables
from bulkhooks.provision.journal.database import Readable
from bulkhooks.provision.journal.parts import parts_of, whole_of
from bulkhooks.provision.journal.rows import ChangeRow, ItemRow
from bulkhooks.provision.journal.stored import blocks_of_all, items
from bulkhooks.webhook import Status, url_key


class Made(NamedTuple):
    """A webhook that this tool made and has not seen gone, with its ``place`` in the results of a run."""

    id: int
    place: str
    business_id: int
    location: str
    action: int
    url: str
    url_key: str
    name: str
    description: str

    @property
    def key(self) -> tuple[int, int, str]:
        """``webhook.identity`` of it."""
        return self.business_id, self.action, self.url_key


class Changed(NamedTuple):
    """A change that a run made, or may have made, and that no undo has taken back. ``before``, ``after``: JSON."""

    webhook_id: int
    place: str
    business_id: int
    location: str
    action: int
    before: str
    after: str
    of_run: int
    of_seq: int

    def item(self, seq: int, account_id: int) -> ItemRow:
        """Its row in an undo: the fields are those that the webhook is to have again."""
        fields = json.loads(self.before)
        url = str(fields["URL"] or "")
        return ItemRow(
            seq=seq,
            place=self.place,
            account=account_id,
            business_id=self.business_id,
            location=self.location,
            action=self.action,
            url=url,
            url_key=url_key(url),
            name=str(fields["Name"] or ""),
            name_given=True,
            description=fields["Description"],
            active=None if fields["Active"] is None else int(bool(fields["Active"])),
            operation=str(Operation.RESTORE),
            webhook_id=self.webhook_id,
        )

    def row(self, seq: int, account_id: int) -> ChangeRow:
        """What goes with ``item`` into the journal."""
        return ChangeRow(seq, account_id, self.webhook_id, self.after, self.before, self.of_run, self.of_seq)


def accounts_of(journal: Readable, run: int) -> list[str]:
    """The names of a run's accounts."""
    found = journal.query(
        sa.select(tables.accounts.c.name)
        .join(tables.run_accounts, tables.run_accounts.c.account == tables.accounts.c.id)
        .where(tables.run_accounts.c.run.in_(parts_of(journal, run)))
        .distinct()
        .order_by(tables.accounts.c.name)
    )
    return [str(name) for (name,) in found]


def webhooks_in(journal: Readable, run: int) -> dict[str, dict[int, str]]:
    """The webhooks that a run made, changed or found: by account name, their places in its results by id."""
    names = dict(map(tuple, journal.query(sa.select(tables.accounts.c.id, tables.accounts.c.name))))
    places: dict[str, dict[int, str]] = {}
    for item in items(journal, run):
        if item.webhook_id:
            places.setdefault(names[item.account], {}).setdefault(item.webhook_id, item.place)
    return places


def made_by(journal: Readable, run: int, account_id: int, meant: Container[int] | None = None) -> list[Made]:
    """What a run created, by id: all of it, or what is ``meant`` of it, with the twins that its sends have made.

    A webhook that arrived a second time has the place of its twin, and is meant with it, also when that is deleted.
    """
    places: dict[tuple[int, int, str], str] = {}
    for item in items(journal, run):
        if item.account == account_id:
            places.setdefault((item.business_id, item.action, item.url_key), item.place)
    every = list(_made(journal, account_id, run))
    keys = {each.made.key for each in every if meant is None or each.made.id in meant}
    return [
        each.made._replace(place=places.get(each.made.key, ""))
        for each in every
        if not each.is_gone and each.made.key in keys
    ]


def owned_among(
    journal: Readable, account_id: int, places: Mapping[int, str], urls: Mapping[int, str] | None = None
) -> list[Made]:
    """What this tool has ever created of some webhooks, with the twins that its sends have made of those, by id.

    ``places`` are their places in the results and ``urls`` the ``url_key`` that each has there, both by id: what the
    journal knows with another one is not meant.
    """
    every = list(_made(journal, account_id, None))
    # Twins are of one run: what was deleted and has been made again by a later run is another webhook.
    meant = {
        (each.run, each.made.key): places[each.made.id]
        for each in every
        if each.made.id in places
        and (urls is None or urls[each.made.id] == each.made.url_key)
        and not (each.is_gone and each.run is None)
    }
    return [
        each.made._replace(place=places.get(each.made.id, meant[each.run, each.made.key]))
        for each in every
        if not each.is_gone and (each.run, each.made.key) in meant
    ]


class _Created(NamedTuple):
    made: Made
    run: int | None
    is_gone: bool


def _made(journal: Readable, account_id: int, run: int | None) -> Iterator[_Created]:
    """Every webhook that this tool, or a run, has made, whether it is there or has been seen gone."""
    own = tables.created.c
    wanted = sa.select(
        own.webhook_id, own.business_id, own.location, own.action, own.url, own.url_key, own.name, own.description,
        own.run, own.deleted_at,
    ).where(own.account == account_id)  # fmt: skip
    if run is not None:
        wanted = wanted.where(own.run.in_(parts_of(journal, run)))
    found = journal.query(wanted.order_by(own.webhook_id))
    return (
        _Created(Made(webhook_id, "", *values), of_run, deleted_at is not None)
        for webhook_id, *values, of_run, deleted_at in found
    )


def changed_by(journal: Readable, run: int, account_id: int) -> list[Changed]:
    """What a run changed, or may have changed where its write is in doubt, in the order of its results."""
    change, item = tables.changes.c, tables.items.c
    found = journal.query(
        sa.select(
            change.webhook_id, item.place, item.business_id, item.location, item.action, change.before, change.after,
            change.run, change.seq,
        )
        .join(tables.items, sa.and_(item.run == change.run, item.seq == change.seq))
        .where(change.run.in_(parts_of(journal, run)), change.account == account_id)
        .where(change.of_run.is_(None), change.restored_at.is_(None))
        .where(sa.or_(item.status == Status.UPDATED, item.error_code == ErrorCode.IN_DOUBT))
        .order_by(change.seq)
    )  # fmt: skip
    return [Changed(*values) for values in found]


def doubts_of(journal: Readable, run: int, account_id: int) -> list[tuple[Item, float, bool]]:
    """What of a run was sent and never answered: the item, when it was sent, and whether the server was seen not to
    have it before that."""
    doubt = tables.doubts
    found = journal.query(_items_in(journal, doubt, run, account_id, doubt.c.sent_at, doubt.c.was_absent))
    return [(_sent(account_id, values), sent_at, bool(was_absent)) for *values, sent_at, was_absent in found]


def resent_of(journal: Readable, run: int, account_id: int) -> list[Item]:
    """What a run sent again after a look-up had not found it, and of which a twin may have turned up since."""
    found = journal.query(_items_in(journal, tables.resent, run, account_id))
    return [_sent(account_id, values) for values in found]


def _items_in(journal: Readable, table: sa.Table, run: int, account_id: int, *more: sa.Column[Any]) -> sa.Select[Any]:
    """The rows of a run that stand in a table of identities (``doubts``, ``resent``)."""
    item, identity = tables.items.c, table.c
    return (
        sa.select(
            item.run, item.seq, item.place, item.location, identity.business_id, identity.action, item.url,
            identity.url_key, item.name, *more,
        )
        .join(tables.items, sa.and_(item.run == identity.run, item.seq == identity.seq))
        .where(identity.run.in_(parts_of(journal, run)), identity.account == account_id)
        .order_by(item.seq)
    )  # fmt: skip


def _sent(account_id: int, values: Sequence[Any]) -> Item:
    run, seq, place, location, business_id, action, url, key, name = values
    return Item(
        run, seq, place, account_id, business_id, location, action, url, key, name,
        name_given=True, description=None, active=None, operation=Operation.LOOK_UP,
    )  # fmt: skip


def deletions_of(journal: Readable, run: int) -> int:
    """How many webhooks a run deleted."""
    item = tables.items.c
    wanted = sa.select(sa.func.count()).where(item.run.in_(parts_of(journal, run)), item.status == Status.DELETED)
    ((count,),) = journal.query(wanted)
    return int(count)


def run_of(journal: Readable, rows: Mapping[int, tuple[str, str]], path: Path) -> int | None:
    """The run whose results a file is: the one that most of its rows agree with; ``rows`` are
    theirs by webhook id: status and ``url_key``, so that another server's ids are no agreement.

    A file of all shards of a run is of the whole. Where several do, or no row has an id, the one that wrote to
    ``path``, and of those the newest. None where the journal knows of no such run.
    """
    item, of_run = tables.items.c, tables.runs.c
    is_run = {run for (run,) in journal.query(sa.select(of_run.id).where(of_run.command == "run"))}
    sent = journal.query(sa.select(item.run, item.webhook_id, item.status, item.url_key).where(item.webhook_id > 0))
    agreeing = Counter(run for run, webhook_id, *row in sent if rows.get(webhook_id) == tuple(row) and run in is_run)
    for runs, settled in blocks_of_all(journal, ("webhook_id", "status", "url_key")):
        if count := sum(rows.get(webhook_id) == tuple(row) for webhook_id, *row in settled if webhook_id):
            agreeing.update(dict.fromkeys(is_run.intersection(runs), count))
    for part, whole in whole_of(journal).items():
        if agreeing[part]:
            agreeing[whole] += agreeing[part]
    most = max(agreeing.values(), default=0)
    wrote = _writers_of(journal, path)
    best = [run for run, count in agreeing.items() if count == most] if agreeing else wrote
    return max(best, key=lambda run: (run in wrote, run), default=None)


def _writers_of(journal: Readable, path: Path) -> set[int]:
    of_run = tables.runs.c
    found = journal.query(
        sa.select(of_run.id, of_run.summary).where(of_run.command == "run", of_run.summary.is_not(None))
    )
    place = path.resolve()
    return {
        run
        for run, summary in found
        if any(Path(output).resolve() == place for output in json.loads(summary).get("outputs", ()))
    }
