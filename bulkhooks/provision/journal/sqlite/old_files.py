"""Files of the first edition, each at its version (``PRAGMA user_version``), brought to the last one of these.

From there Alembic goes on (``upgrade.py``). Nothing here changes any more: it is what was once written to disks.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from bulkhooks.provision.journal.blocks import ITEMS, LOCATIONS, ROWS, pack, spans

_FIRST = """
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,                -- base URL and user; never a secret
    name TEXT NOT NULL
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    command TEXT NOT NULL,
    job TEXT NOT NULL,
    holder TEXT NOT NULL,                    -- process and machine
    started_at REAL NOT NULL,                -- all times: seconds since 1970, UTC
    finished_at REAL,
    inputs TEXT NOT NULL,                    -- JSON
    columns TEXT NOT NULL,                   -- JSON: the input's own columns, in order
    facts TEXT NOT NULL,                     -- JSON: what the Summary sheet says of the run
    locations TEXT NOT NULL DEFAULT '[]',    -- JSON: the table, [id, name, groups, network, suspended] each
    summary TEXT                             -- JSON
);
CREATE TABLE run_accounts (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts,
    PRIMARY KEY (run, account)
) WITHOUT ROWID;
CREATE TABLE rows (                          -- the rows of the input, as they were
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    row INTEGER NOT NULL,
    business TEXT, location TEXT, action TEXT, url TEXT, name TEXT, description TEXT, active TEXT, account TEXT,
    extras TEXT,                             -- JSON array beside runs.columns
    PRIMARY KEY (run, row)
) WITHOUT ROWID;
CREATE TABLE items (                         -- one row of the results each
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    row INTEGER NOT NULL,
    place TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES accounts,
    business_id INTEGER NOT NULL,
    location TEXT, action INTEGER NOT NULL,
    url TEXT, url_key TEXT, name TEXT, name_given INTEGER, description TEXT, active INTEGER,
    verdict TEXT NOT NULL,                     -- what has to be sent; empty: nothing
    status TEXT NOT NULL,
    webhook_id INTEGER, http_status INTEGER, error_code TEXT, error TEXT, changes TEXT, verified INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0, sent_at REAL, duration_ms INTEGER,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE INDEX items_to_do ON items (run, account, seq) WHERE verdict <> '';
CREATE TABLE created (                       -- every webhook this tool made
    account INTEGER NOT NULL REFERENCES accounts,
    webhook_id INTEGER NOT NULL,
    business_id INTEGER NOT NULL, location TEXT, action INTEGER NOT NULL,
    url TEXT NOT NULL, url_key TEXT NOT NULL, name TEXT NOT NULL, description TEXT,
    run INTEGER REFERENCES runs ON DELETE SET NULL,
    created_at REAL NOT NULL, deleted_at REAL,
    PRIMARY KEY (account, webhook_id)
) WITHOUT ROWID;
CREATE TABLE doubts (                        -- sends without an outcome, by identity
    account INTEGER NOT NULL REFERENCES accounts,
    business_id INTEGER NOT NULL, action INTEGER NOT NULL, url_key TEXT NOT NULL,
    run INTEGER REFERENCES runs ON DELETE SET NULL,
    seq INTEGER NOT NULL, sent_at REAL NOT NULL,
    was_absent INTEGER NOT NULL,             -- the server was seen not to have it before the send
    PRIMARY KEY (account, business_id, action, url_key)
) WITHOUT ROWID;
CREATE TABLE calls (                         -- requests that count for the account's limits
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES accounts,
    write INTEGER NOT NULL,
    at REAL NOT NULL                         -- when answered; while in flight, when sent
);
CREATE INDEX calls_of_account ON calls (account, write, at);
"""

_SECOND = """
ALTER TABLE items RENAME COLUMN verdict TO operation
"""

# What is wrong with a row: a JSON list of objects (code, place, value, sentence, is_warning); NULL where nothing is.
# The statement has no comment of its own: SQLite keeps its text in the table's definition, where it would swallow the
# bracket behind it.
_THIRD = """
ALTER TABLE items ADD COLUMN problems TEXT
"""

# Warnings about the whole input or run, a JSON list as in items.problems.
_FOURTH = """
ALTER TABLE runs ADD COLUMN warnings TEXT
"""

# What a run changed in webhooks that were there: JSON objects of the fields (changes.FIELDS) before and after the
# write, on the disk before its request leaves. of_run and of_seq are set in an undo, and name the change that it takes
# back.
_CHANGES = """
CREATE TABLE changes (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES accounts,
    webhook_id INTEGER NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    of_run INTEGER, of_seq INTEGER,
    restored_at REAL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID
"""

# Two spellings of one server are one account: what the later rows of it have goes to the first. The later rows stay for
# the runs of the past, which name them.
_ONE_SERVER = """
CREATE TEMP TABLE spellings AS
    SELECT id, key, account_key(key) AS one, min(id) OVER (PARTITION BY account_key(key)) AS kept FROM accounts;
UPDATE OR IGNORE run_accounts SET account = (SELECT kept FROM spellings WHERE spellings.id = account);
UPDATE items SET account = (SELECT kept FROM spellings WHERE spellings.id = account)
    WHERE account IN (SELECT id FROM spellings WHERE id <> kept);
UPDATE OR IGNORE created SET account = (SELECT kept FROM spellings WHERE spellings.id = account);
UPDATE OR IGNORE doubts SET account = (SELECT kept FROM spellings WHERE spellings.id = account);
UPDATE calls SET account = (SELECT kept FROM spellings WHERE spellings.id = account);
UPDATE changes SET account = (SELECT kept FROM spellings WHERE spellings.id = account);
UPDATE accounts SET key = (SELECT 'account ' || kept FROM spellings WHERE spellings.id = accounts.id) || '|' || id
    WHERE id IN (SELECT id FROM spellings WHERE id <> kept);
UPDATE accounts SET key = (SELECT one FROM spellings WHERE spellings.id = accounts.id)
    WHERE id IN (SELECT id FROM spellings WHERE id = kept);
DROP TABLE spellings
"""

# What was sent again after a look-up had not found it, by identity: the row that it was sent for, and when.
_RESENT = """
CREATE TABLE resent (
    account INTEGER NOT NULL REFERENCES accounts,
    business_id INTEGER NOT NULL, action INTEGER NOT NULL, url_key TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (account, business_id, action, url_key)
) WITHOUT ROWID
"""

# Rows that stay as they are (blocks.py): the input's, those of items that nothing is sent for, the table of locations.
# From here on the table items has what is sent, and the column locations of runs is empty. pruned_at: of a run that is
# no longer kept, and whose webhooks are still there.
_BLOCKS = """
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    content BLOB NOT NULL
);
CREATE TABLE run_blocks (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    kind TEXT NOT NULL,
    first INTEGER NOT NULL,
    low INTEGER NOT NULL, high INTEGER NOT NULL,
    block INTEGER NOT NULL REFERENCES blocks,
    PRIMARY KEY (run, kind, first)
) WITHOUT ROWID;
CREATE INDEX run_blocks_of_block ON run_blocks (block);
ALTER TABLE runs ADD COLUMN pruned_at REAL
"""


_LINE = ("id", "name", "groups", "network", "suspended")
_SETTLED = {
    ROWS: "SELECT * FROM rows WHERE run = ? ORDER BY row",
    ITEMS: "SELECT * FROM items WHERE run = ? AND operation = '' AND status <> 'pending' ORDER BY seq",
}
_EMPTY = """
DELETE FROM items WHERE operation = '' AND status <> 'pending';
UPDATE runs SET locations = '[]';
DROP TABLE rows
"""


def _move_into_blocks(database: sqlite3.Connection) -> None:
    """Put what stays as it is into blocks, run by run."""
    _execute(database, _BLOCKS)
    for run, locations in database.execute("SELECT id, locations FROM runs ORDER BY id").fetchall():
        for lines in spans((number, *line) for number, line in enumerate(json.loads(locations))):
            _store(database, run, LOCATIONS, ("number", *_LINE), lines)
        for kind, statement in _SETTLED.items():
            found = database.execute(statement, (run,))
            columns = [name for name, *_ in found.description[1:]]  # the first is the run
            for rows in spans(row[1:] for row in found):
                _store(database, run, kind, columns, rows)
    _execute(database, _EMPTY)


def _store(
    database: sqlite3.Connection, run: int, kind: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    packed = pack(columns, rows)
    database.execute("INSERT OR IGNORE INTO blocks (digest, content) VALUES (?, ?)", (packed.digest, packed.content))
    database.execute(
        "INSERT INTO run_blocks (run, kind, first, low, high, block)"
        " SELECT ?, ?, ?, ?, ?, id FROM blocks WHERE digest = ?",
        (run, kind, packed.first, packed.low, packed.high, packed.digest),
    )


Migration = str | Callable[[sqlite3.Connection], None]

_MIGRATIONS: tuple[Migration, ...] = (
    _FIRST,
    _SECOND,
    _THIRD,
    _FOURTH,
    _CHANGES,
    _ONE_SERVER,
    _RESENT,
    _move_into_blocks,
)
"""Statements, or functions, that lead from each version of the file (``PRAGMA user_version``) to the next."""


VERSION = len(_MIGRATIONS)
"""The last version; a later file says one more, so that the first edition leaves it alone."""


def migrate(connection: sqlite3.Connection, version: int) -> bool:
    """Bring a file from one version to the last one, in the transaction that is open.

    True where it held rows that it now holds in less space.
    """
    connection.create_function("account_key", 1, _account_key, deterministic=True)
    for migration in _MIGRATIONS[version:]:
        if isinstance(migration, str):
            _execute(connection, migration)
        else:
            migration(connection)
    return _move_into_blocks in _MIGRATIONS[version:]


def _execute(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";\n"):
        connection.execute(statement)


def _account_key(key: str) -> str:
    """The key of an account as ``AccountConfig.key`` makes it now."""
    from bulkhooks.nexudus.address import account_key  # for the sake of old files alone

    server, _, user = key.partition("|")
    return account_key(server, user)
