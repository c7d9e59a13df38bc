"""The journal's tables, the same in SQLite and PostgreSQL. Times are seconds since 1970, UTC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

SCHEMA = "bulkhooks"
"""Where they are in PostgreSQL; a file of SQLite has them alone."""


class Words(sa.Text):
    """Text from a sheet or an answer. PostgreSQL takes neither NUL nor half a surrogate pair: they are left out."""

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any] | None:
        return None if dialect.name == "sqlite" else storable


def storable(value: Any) -> Any:
    """A value as PostgreSQL takes it."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")


METADATA = sa.MetaData()
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Ids of the API. In SQLite every integer is as long as it has to be, and only INTEGER numbers rows by itself."""


def _text(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, Words(), **options)


def _number(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, _BIG, **options)


def _time(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), **options)


def _flag(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), **options)


def _of(table: str, *, name: str = "", gone: str | None = None, **options: Any) -> sa.Column[Any]:
    """A reference to a row of another table; ``gone`` is what happens here when that row is deleted."""
    return sa.Column(name or table.removesuffix("s"), _BIG, sa.ForeignKey(f"{table}.id", ondelete=gone), **options)


def _table(name: str, *parts: Any) -> sa.Table:
    return sa.Table(name, METADATA, *parts, sqlite_with_rowid=False)


accounts = sa.Table(
    "accounts",
    METADATA,
    _number("id", primary_key=True),
    _text("key", nullable=False, unique=True, comment="base URL and user; never a secret"),
    _text("name", nullable=False),
)
runs = sa.Table(
    "runs",
    METADATA,
    _number("id", primary_key=True),
    _text("run_id", nullable=False, unique=True),
    _text("command", nullable=False),
    _text("job", nullable=False),
    _text("holder", nullable=False, comment="process and machine"),
    _time("started_at", nullable=False),
    _time("finished_at"),
    _text("inputs", nullable=False, comment="JSON"),
    _text("columns", nullable=False, comment="JSON: the input's own columns, in order"),
    _text("facts", nullable=False, comment="JSON: what the Summary sheet says of the run"),
    _text("locations", nullable=False, server_default="[]", comment="empty since the table is in blocks"),
    _text("summary", comment="JSON"),
    _text("warnings", comment="JSON, as items.problems: those of the whole input or run"),
    _time("pruned_at", comment="no longer kept, and webhooks of it are still there"),
    _text("part_of", comment="the name of the run that this is a part of"),
    _number("shards", comment="of a run in parts: how many; its rows are those of the parts"),
    _number("shard", comment="of a part: which one, from 0"),
    _text("asks", comment="of a run in parts: what its input asks for, as a digest"),
    _time("stop_requested_at"),
    _time("seen_at", comment="the last sign of life of who shares out its accounts"),
    sa.Index("runs_of_whole", "part_of"),
)
run_accounts = _table(
    "run_accounts",
    _of("runs", gone="CASCADE", primary_key=True),
    _of("accounts", primary_key=True),
)
items = _table(
    "items",
    _of("runs", gone="CASCADE", primary_key=True),
    _number("seq", primary_key=True, autoincrement=False),
    _number("row", nullable=False),
    _text("place", nullable=False),
    _of("accounts", nullable=False),
    _number("business_id", nullable=False),
    _text("location"),
    _number("action", nullable=False),
    _text("url"),
    _text("url_key"),
    _text("name"),
    _flag("name_given"),
    _text("description"),
    _flag("active"),
    _text("operation", nullable=False, comment="what has to be sent; empty: nothing"),
    _text("status", nullable=False),
    _number("webhook_id"),
    _number("http_status"),
    _text("error_code"),
    _text("error"),
    _text("changes"),
    _flag("verified"),
    _number("attempts", nullable=False, server_default="0"),
    _time("sent_at"),
    _number("duration_ms"),
    _text("problems", comment="JSON list of (code, place, value, sentence, is_warning)"),
)
items_to_do = sa.Index("items_to_do", items.c.run, items.c.account, items.c.seq, sqlite_where=items.c.operation != "")
created = _table(
    "created",
    _of("accounts", primary_key=True),
    _number("webhook_id", primary_key=True, autoincrement=False),
    _number("business_id", nullable=False),
    _text("location"),
    _number("action", nullable=False),
    _text("url", nullable=False),
    _text("url_key", nullable=False),
    _text("name", nullable=False),
    _text("description"),
    _of("runs", gone="SET NULL"),
    _time("created_at", nullable=False),
    _time("deleted_at"),
)
doubts = _table(
    "doubts",
    _of("accounts", primary_key=True),
    _number("business_id", primary_key=True, autoincrement=False),
    _number("action", primary_key=True, autoincrement=False),
    _text("url_key", primary_key=True),
    _of("runs", gone="SET NULL"),
    _number("seq", nullable=False),
    _time("sent_at", nullable=False),
    _flag("was_absent", nullable=False, comment="the server was seen not to have it before the send"),
)
resent = _table(
    "resent",
    _of("accounts", primary_key=True),
    _number("business_id", primary_key=True, autoincrement=False),
    _number("action", primary_key=True, autoincrement=False),
    _text("url_key", primary_key=True),
    _of("runs", gone="CASCADE", nullable=False),
    _number("seq", nullable=False),
    _time("at", nullable=False),
)
calls = _table(
    "calls",
    _of("accounts", primary_key=True),
    _number("id", primary_key=True, autoincrement=False, comment="made by the process that sends"),
    _flag("write", nullable=False),
    _time("at", nullable=False, comment="when answered; while in flight, when sent"),
    sa.Index("calls_of_account", "account", "write", "at"),
)
changes = _table(
    "changes",
    _of("runs", gone="CASCADE", primary_key=True),
    _number("seq", primary_key=True, autoincrement=False),
    _of("accounts", nullable=False),
    _number("webhook_id", nullable=False),
    _text("before", nullable=False, comment="JSON of changes.FIELDS"),
    _text("after", nullable=False),
    _number("of_run", comment="in an undo: the run and row of the change that it takes back"),
    _number("of_seq"),
    _time("restored_at"),
)
blocks = sa.Table(
    "blocks",
    METADATA,
    _number("id", primary_key=True),
    sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
    sa.Column("content", sa.LargeBinary(), nullable=False),
)
run_blocks = _table(
    "run_blocks",
    _of("runs", gone="CASCADE", primary_key=True),
    _text("kind", primary_key=True),
    _number("first", primary_key=True, autoincrement=False),
    _number("low", nullable=False),
    _number("high", nullable=False),
    _of("blocks", nullable=False),
    sa.Index("run_blocks_of_block", "block"),
)
leases = _table(
    "leases",
    _of("accounts", primary_key=True),
    _number("token", nullable=False, comment="one more at each taking"),
    _of("runs", gone="SET NULL"),
    _text("holder", nullable=False, comment="process and machine; empty: nobody"),
    _number("certificate", nullable=False, comment="the advisory lock that the holder has for as long as it lives"),
    _time("since", nullable=False),
    _time("expires_at", nullable=False),
)
