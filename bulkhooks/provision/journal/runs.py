"""The records of accounts and runs: a run is begun, planned and finished."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bulkhooks.provision.journal.blocks import ITEMS, LOCATIONS, ROWS, spans, store
from bulkhooks.provision.journal.commits import GroupCommit
from bulkhooks.provision.journal.rows import LINE, ChangeRow, InputRow, ItemRow, is_settled, pack_problems
from bulkhooks.report import Problem
from bulkhooks.sheets.values import LocationLine

DAY = 86400.0


class RunRecords(GroupCommit):
    """The part of the journal that knows accounts and runs, and writes down all that a run is going to do."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._run_id = ""

    def account(self, key: str, name: str) -> int:
        """The number of the account with this base URL and user."""
        with self.transaction() as database:
            database.execute("INSERT INTO accounts (key, name) VALUES (?, ?) ON CONFLICT DO NOTHING", (key, name))
            (number,) = database.execute("SELECT id FROM accounts WHERE key = ?", (key,)).fetchone()
        return int(number)

    def begin(
        self, run_id: str, *, command: str, job: str, inputs: Sequence[str], accounts: Iterable[int], at: float
    ) -> int:
        """Open a run; from now on it is what holds its accounts."""
        holder = f"process {os.getpid()} on {socket.gethostname()}"
        with self.transaction() as database:
            run = database.execute(
                "INSERT INTO runs (run_id, command, job, holder, started_at, inputs, columns, facts)"
                " VALUES (?, ?, ?, ?, ?, ?, '[]', '{}')",
                (run_id, command, job, holder, at, json.dumps(list(inputs))),
            ).lastrowid
            database.executemany("INSERT INTO run_accounts VALUES (?, ?)", ((run, account) for account in accounts))
            # Writes are counted from the newest of them, or a clock that is ahead would forget those that still count.
            database.execute(
                "DELETE FROM calls WHERE"
                " at < CASE WHEN write THEN min(?, (SELECT max(at) FROM calls WHERE write)) ELSE ? END - ?",
                (at, at, 2 * DAY),
            )
        self._run_id = run_id
        return int(run or 0)

    def holder(self, account_id: int) -> tuple[str, str, float] | None:
        """Run id, process and start of the newest unfinished run of the account."""
        with self.guarded():
            found = self.database.execute(
                "SELECT run_id, holder, started_at FROM runs JOIN run_accounts ON run = id"
                " WHERE account = ? AND finished_at IS NULL ORDER BY id DESC LIMIT 1",
                (account_id,),
            ).fetchone()
        return found and (str(found[0]), str(found[1]), float(found[2]))

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
        no row has, ``changes`` what an undo takes back. Raises ``JournalError`` where the disk does not take it.
        """
        with self.transaction() as database:
            database.execute(
                "UPDATE runs SET columns = ?, facts = ?, warnings = ? WHERE id = ?",
                (json.dumps(list(columns)), json.dumps(facts), pack_problems(warnings), run),
            )
            for lines in spans((number, *line) for number, line in enumerate(locations)):
                store(database, run, LOCATIONS, ("number", *LINE), lines)
            for written in spans(rows):
                store(database, run, ROWS, InputRow._fields, written)
            for together in spans(items):
                store(database, run, ITEMS, ItemRow._fields, [item for item in together if is_settled(item)])
                sent = ((run, *item) for item in together if not is_settled(item))
                database.executemany(_insert("items", ItemRow._fields), sent)
            database.executemany(_insert("changes", ChangeRow._fields), ((run, *change) for change in changes))

    def forget(self, run: int) -> None:
        """Remove a run that ended before anything was planned."""
        with self.transaction() as database:
            database.execute("DELETE FROM runs WHERE id = ?", (run,))

    def finish(self, run: int, summary: Mapping[str, object], at: float) -> None:
        """Close a run."""
        with self.transaction() as database:
            database.execute(
                "UPDATE runs SET finished_at = ?, summary = ? WHERE id = ?", (at, json.dumps(summary), run)
            )


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} (run, {', '.join(columns)}) VALUES (?{', ?' * len(columns)})"  # noqa: S608
