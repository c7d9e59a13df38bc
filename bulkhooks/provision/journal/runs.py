"""The records of accounts and runs: a run is begun, planned and finished."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from bulkhooks.errors import ErrorCode, LeaseLost
from bulkhooks.provision.journal import parts, tables
from bulkhooks.provision.journal.blocks import ITEMS, LOCATIONS, ROWS, spans
from bulkhooks.provision.journal.commits import Flush, GroupCommit
from bulkhooks.provision.journal.rows import LINE, ChangeRow, InputRow, ItemRow, is_settled, pack_problems
from bulkhooks.provision.journal.tables import calls, run_accounts, run_blocks, runs
from bulkhooks.report import Problem
from bulkhooks.sheets.values import LocationLine

DAY = 86400.0

UNANSWERED = "sent, and the run stopped before the answer came"
"""The error of a row that is on its way."""

_AT_ONCE = 4096
"""Rows of a plan that are given to the database together."""


class RunRecords(GroupCommit):
    """The part of the journal that knows accounts and runs, and writes down all that a run is going to do."""

    def __init__(self, place: Path | str, flush: Flush | None = None) -> None:
        super().__init__(place, flush)
        self._run_id = ""
        self._is_part = False

    def account(self, key: str, name: str) -> int:
        """The number of the account with this base URL and user."""
        known = sa.select(tables.accounts.c.id).where(tables.accounts.c.key == key)
        found = self.one(known)
        if found is None:
            with self.transaction():
                self.database.add(tables.accounts, {"key": key, "name": name})
            found = self.one(known)
        assert found is not None  # noqa: S101 (it was just added)
        return int(found[0])

    def begin(
        self,
        run_id: str,
        *,
        command: str,
        job: str,
        inputs: Sequence[str],
        accounts: Iterable[int],
        at: float,
        part: parts.Part | None = None,
    ) -> int:
        """Open a run; from now on it is what holds its accounts. Returns the journal's number of it.

        ``part``: open that shard of the run, or take it up again; raises ``UsageError`` where it does not go with the
        others.
        """
        values = {
            "run_id": run_id,
            "command": command,
            "job": job,
            "holder": f"process {os.getpid()} on {socket.gethostname()}",
            "started_at": at,
            "inputs": json.dumps(list(inputs)),
            "columns": "[]",
            "facts": "{}",
        }
        with self.transaction() as connection:
            if part is not None:
                run = parts.enter(self.database, run_id, part, values)
            else:
                (run,) = connection.execute(sa.insert(runs).values(values)).inserted_primary_key or (0,)
            held = [{"run": run, "account": account} for account in accounts]
            if held:
                self.database.add(run_accounts, *held)
            # Writes are counted from the newest of them, or a clock that is ahead would forget those that still count.
            newest = connection.execute(sa.select(sa.func.max(calls.c.at)).where(calls.c.write)).scalar()
            old = sa.or_(
                sa.and_(calls.c.write, calls.c.at < min(at, at if newest is None else newest) - 2 * DAY),
                sa.and_(sa.not_(calls.c.write), calls.c.at < at - 2 * DAY),
            )
            connection.execute(sa.delete(calls).where(old))
        self._run_id = run_id
        self._is_part = part is not None
        self.locks.named(int(run), [row["account"] for row in held])
        return int(run)

    def holder(self, account_id: int) -> tuple[str, str, float] | None:
        """Run id, process and start of the newest unfinished run of the account, or of who has its lease."""
        if self.locks.may_be_lost:
            return self._leaseholder(account_id)
        found = self.one(
            sa.select(runs.c.run_id, runs.c.holder, runs.c.started_at)
            .join(run_accounts, run_accounts.c.run == runs.c.id)
            .where(run_accounts.c.account == account_id, runs.c.finished_at.is_(None))
            .order_by(runs.c.id.desc())
            .limit(1)
        )
        return found and (str(found[0]), str(found[1]), float(found[2]))

    def _leaseholder(self, account_id: int) -> tuple[str, str, float] | None:
        lease = tables.leases.c
        found = self.one(
            sa.select(sa.func.coalesce(runs.c.run_id, ""), lease.holder, lease.since)
            .select_from(tables.leases.outerjoin(runs, runs.c.id == lease.run))
            .where(lease.account == account_id, lease.holder != "")
        )
        return found and (str(found[0]) or "that has just begun", str(found[1]), float(found[2]))

    def plan(
        self,
        run: int,
        *,
        columns: Sequence[str],
        facts: Mapping[str, str],
        locations: Sequence[LocationLine] = (),
        warnings: Sequence[Problem] = (),
        rows: Iterable[InputRow],
        items: Iterable[ItemRow],
        changes: Iterable[ChangeRow] = (),
    ) -> None:
        """Write down everything the run is going to do, in one transaction, before the first request leaves.

        ``columns`` are the names of the input's own columns, ``locations`` the table of them, ``warnings`` those that
        no row has, ``changes`` what an undo takes back. What the run was going to do before, a shard that goes on, is
        forgotten. Raises ``JournalError`` where the disk does not take it, ``LeaseLost`` where another process has
        taken the shard over: then the rows are that one's.
        """
        with self._fenced() as connection:
            given = {"columns": json.dumps(list(columns)), "facts": json.dumps(facts)}
            for table in (tables.items, run_blocks) if self._is_part else ():
                connection.execute(sa.delete(table).where(table.c.run == run))
            known = sa.update(runs).where(runs.c.id == run)
            connection.execute(known.values(given | {"warnings": pack_problems(warnings)}))
            for lines in spans((number, *line) for number, line in enumerate(locations)):
                self.database.store(run, LOCATIONS, ("number", *LINE), lines)
            for written in spans(rows):
                self.database.store(run, ROWS, InputRow._fields, written)
            sent = []
            for together in spans(items):
                self.database.store(run, ITEMS, ItemRow._fields, [item for item in together if is_settled(item)])
                sent += [(run, *item) for item in together if not is_settled(item)]
                if len(sent) > _AT_ONCE:
                    self.database.insert(tables.items, ("run", *ItemRow._fields), sent)
                    sent = []
            self.database.insert(tables.items, ("run", *ItemRow._fields), sent)
            self.database.insert(tables.changes, ("run", *ChangeRow._fields), [(run, *change) for change in changes])

    # A run whose accounts are sent by several processes

    async def seen(self, run: int, at: float, *, stops: bool) -> None:
        """A sign of life of whoever shares out a run's accounts; with ``stops`` it asks the workers to stop."""
        values = {"seen_at": at, "stop_requested_at": at if stops else None}

        def write() -> None:
            with self.database.transaction() as connection:
                connection.execute(sa.update(runs).where(runs.c.id == run).values(values))

        await self.aside(write)

    async def is_to_stop(self, run: int, before: float) -> bool:
        """Whether a run's workers are asked to stop, or nobody has seen to it since the moment ``before``."""
        asked = sa.or_(runs.c.stop_requested_at.is_not(None), runs.c.seen_at < before)
        wanted = sa.select(runs.c.id).where(runs.c.id == run, asked)
        return bool(await self.aside(lambda: self.database.query(wanted)))

    async def standing(self, run: int) -> list[tuple[int, str, bool, int]]:
        """How a run stands, of what it has to send: account, status, whether it is in doubt, and how many rows."""
        in_doubt = sa.and_(tables.items.c.error_code == ErrorCode.IN_DOUBT, tables.items.c.error != UNANSWERED)
        columns = (tables.items.c.account, tables.items.c.status, in_doubt)
        wanted = sa.select(*columns, sa.func.count()).where(tables.items.c.run == run, tables.items.c.operation != "")
        found = await self.aside(lambda: self.database.query(wanted.group_by(*columns)))
        return [(account, status, bool(doubt), count) for account, status, doubt, count in found]

    def forget(self, run: int, at: float) -> None:
        """Remove a run that ended before anything was planned; a shard that was planned in an earlier round stays."""
        is_planned = [sa.exists().where(table.c.run == run) for table in (tables.items, run_blocks)]
        with suppress(LeaseLost), self._fenced() as connection:
            connection.execute(sa.delete(runs).where(runs.c.id == run, ~sa.or_(*is_planned)))
            connection.execute(sa.update(runs).where(runs.c.id == run).values(finished_at=at))

    def finish(self, run: int, summary: Mapping[str, object], at: float) -> None:
        """Close a run; not a shard that another process has taken over, which closes it."""
        with suppress(LeaseLost), self._fenced() as connection:
            known = sa.update(runs).where(runs.c.id == run)
            connection.execute(known.values(finished_at=at, summary=json.dumps(summary)))

    @contextmanager
    def _fenced(self) -> Iterator[sa.Connection]:
        """Write, all of it or nothing; ``LeaseLost`` where another process has taken this shard over."""
        with self.transaction() as connection:
            if self._is_part:
                self.database.check_leases()
            yield connection
