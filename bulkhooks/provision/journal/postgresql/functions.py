"""What PostgreSQL does in one message each, as functions: a client that is paused in between holds no lock.

``record`` is made from the tables, so that their columns stand in one place. Times are by the server's clock.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from bulkhooks.provision.journal import tables
from bulkhooks.provision.journal.group import TABLES
from bulkhooks.provision.journal.postgresql.sessions import LOCKED

S = tables.SCHEMA

# Not beside the one for SQLite: an option of a dialect loads it, and a journal in a file needs no PostgreSQL.
tables.items_to_do.dialect_options["postgresql"]["where"] = tables.items.c.operation != ""

NOW = f"{S}.seconds_since_1970()"

_NOW = f"""
CREATE OR REPLACE FUNCTION {NOW} RETURNS double precision
LANGUAGE sql AS $$ SELECT extract(epoch FROM clock_timestamp())::double precision $$
"""

# The token of an account that is taken, or NULL where somebody has it. Free is what was given back, what nobody has
# renewed in time, what a process has that is no more (nobody has its advisory lock, its certificate, then), and what is
# the caller's already, who may not have heard the answer. A run that shares out its accounts may hand one on at any
# time (p_heir_of).
_TAKE = f"""
CREATE OR REPLACE FUNCTION {S}.take_lease(
    p_account bigint, p_holder text, p_certificate bigint, p_seconds double precision, p_heir_of bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    known {S}.leases;
    is_free boolean;
BEGIN
    INSERT INTO {S}.leases (account, token, run, holder, certificate, since, expires_at)
        VALUES (p_account, 0, NULL, '', 0, 0, 0) ON CONFLICT DO NOTHING;
    SELECT * INTO known FROM {S}.leases WHERE account = p_account FOR UPDATE;
    is_free := known.holder = '' OR known.expires_at < {NOW} OR coalesce(known.run = p_heir_of, false)
        OR known.certificate = p_certificate OR NOT EXISTS ({LOCKED.format("known.certificate")});
    IF NOT is_free THEN
        RETURN NULL;
    END IF;
    UPDATE {S}.leases
        SET token = known.token + 1, run = p_heir_of, holder = p_holder, certificate = p_certificate,
            since = {NOW}, expires_at = {NOW} + p_seconds
        WHERE account = p_account;
    RETURN known.token + 1;
END $$
"""

# A sign of life for leases, [[account, token], …]: those that are still the caller's, each with whether its run is
# asked to stop, or has lost whoever shares out its accounts.
_RENEW = f"""
CREATE OR REPLACE FUNCTION {S}.renew_leases(p_leases jsonb, p_seconds double precision)
RETURNS TABLE (held bigint, is_stopped boolean) LANGUAGE sql AS $$
    WITH mine AS (
        SELECT (lease ->> 0)::bigint AS account, (lease ->> 1)::bigint AS token
        FROM jsonb_array_elements(p_leases) lease
    ), renewed AS (
        UPDATE {S}.leases l SET expires_at = {NOW} + p_seconds FROM mine
        WHERE l.account = mine.account AND l.token = mine.token RETURNING l.account, l.run
    )
    SELECT renewed.account,
           coalesce(r.stop_requested_at IS NOT NULL OR r.seen_at < {NOW} - p_seconds, false)
    FROM renewed LEFT JOIN {S}.runs r ON r.id = renewed.run
$$
"""

# Write a group of records if every lease is still the caller's; else the accounts whose lease is not, and nothing is
# written. The leases are locked for the moment: who takes one over waits until this is written.
_RECORD = f"""
CREATE OR REPLACE FUNCTION {S}.record(p_leases jsonb, p jsonb) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    held bigint[];
BEGIN
    SELECT coalesce(array_agg(mine.account), '{{}}') INTO held FROM (
        SELECT l.account FROM {S}.leases l JOIN jsonb_array_elements(p_leases) lease
            ON l.account = (lease ->> 0)::bigint AND l.token = (lease ->> 1)::bigint
        ORDER BY l.account FOR SHARE OF l
    ) mine;
    IF cardinality(held) < jsonb_array_length(p_leases) THEN
        RETURN QUERY SELECT (lease ->> 0)::bigint FROM jsonb_array_elements(p_leases) lease
            WHERE (lease ->> 0)::bigint <> ALL (held);
        RETURN;
    END IF;
{{statements}}
END $$
"""


def statements() -> list[str]:
    """The functions, each as the statement that makes it."""
    parts = [part for name in TABLES for part in _of(tables.METADATA.tables[name])]
    return [_NOW, _TAKE, _RENEW, _RECORD.replace("{statements}", "\n".join(parts))]


def _of(table: sa.Table) -> list[str]:
    """What ``record`` does with the rows of one table: ``<table>_gone``, ``_put`` and ``_changed`` (``group.Rows``)."""
    name, key = f"{S}.{table.name}", [column.name for column in table.primary_key]
    every = [column.name for column in table.c]
    others = [column for column in every if column not in key]
    is_same = " AND ".join(f't."{column}" = g."{column}"' for column in key)

    def given(kind: str, columns: list[str]) -> str:
        typed = ", ".join(f'"{column}" {_type(table.c[column])}' for column in columns)
        return f"jsonb_to_recordset(p -> '{table.name}_{kind}') AS g({typed})"

    def when(kind: str, statement: str) -> str:
        return f"    IF p ? '{table.name}_{kind}' THEN\n        {statement};\n    END IF;"

    quoted = ", ".join(f'"{column}"' for column in every)
    values = ", ".join(f'g."{column}"' for column in every)
    over = ", ".join(f'"{column}" = EXCLUDED."{column}"' for column in others)
    kept = ", ".join(f'"{column}" = coalesce(g."{column}", t."{column}")' for column in others)
    keys = ", ".join(f'"{column}"' for column in key)
    return [
        when("gone", f"DELETE FROM {name} t USING {given('gone', key)} WHERE {is_same}"),
        when(
            "put",
            f"INSERT INTO {name} ({quoted}) SELECT {values} FROM {given('put', every)}"
            f" ON CONFLICT ({keys}) DO UPDATE SET {over}",
        ),
        when("changed", f"UPDATE {name} t SET {kept} FROM {given('changed', every)} WHERE {is_same}"),
    ]


def _type(column: sa.Column[object]) -> str:
    return str(column.type.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
