"""Results files that were made against another server: they are not replaced, and what they say does not count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from bulkhooks.commands.context import target
from bulkhooks.config.job import Job
from bulkhooks.errors import UsageError, WarningCode
from bulkhooks.nexudus.address import server_key
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.known import known_ids
from bulkhooks.report import REHEARSAL, Problem
from bulkhooks.sheets.reading.recorded import recorded_server
from bulkhooks.sheets.reading.table import Table


def refuse_to_replace(job: Job, outputs: Iterable[str], accounts: Iterable[str], *, may_say_yes: bool = True) -> None:
    """Raise ``UsageError`` where an output is a results workbook of another server, unless ``--yes`` is given."""
    present = target(job, accounts)
    for output in () if job.yes and may_say_yes else outputs:
        path = Path(output)
        if path.suffix.lower() != ".xlsx" or not path.is_file():
            continue
        recorded = recorded_server(path)
        if recorded and _is_other(recorded, present):
            anyway = ", or give --yes to replace it" if may_say_yes else ""
            raise UsageError(
                f"{output}: this has the results of another server ({recorded}), and this one is {present}: nothing was"
                f" sent; name another place for the results with -o{anyway}"
            )


def without_foreign_results(job: Job, table: Table, journal: Journal | None = None) -> Table:
    """The table without ids and statuses of results files that were made against another server or a sandbox.

    A workbook records its server. Of delimited text and JSON lines the journal has to know the ids; without a journal
    they are left as they are. Such rows are then ordinary ones; one warning a file tells.
    """
    present = target(job, {name or job.account for name in table.rows["Account"].unique()})
    foreign = np.zeros(len(table.rows), dtype=bool)
    warnings = []
    for number, source in enumerate(table.sources):
        if not source.has_results:
            continue
        these = (table.rows["source"] == number).to_numpy()
        recorded = recorded_server(Path(job.inputs[source.input])) if source.is_workbook else None
        if recorded is not None and (recorded.startswith(REHEARSAL) or _is_other(recorded, present)):
            why = f"made against another server ({recorded})"
        elif not source.is_workbook and journal is not None:
            these = _unknown(table, these, present, journal)
            why = "not known to the journal"
        else:
            continue
        if these.any():
            foreign = foreign | these
            sentence = f"ids and statuses of {int(these.sum()):,} rows do not count: they are {why}"
            warnings.append(Problem.of_whole(WarningCode.OTHER_SERVER, source.label, sentence))
    if not foreign.any():
        return table
    rows, earlier = table.rows.copy(deep=False), table.earlier.copy()
    rows["known_id"] = np.where(foreign, 0, rows["known_id"])
    rows["known_doubt"] = rows["known_doubt"].to_numpy(dtype=bool) & ~foreign
    earlier.loc[foreign] = ""
    return replace(table, rows=rows, earlier=earlier, warnings=[*table.warnings, *warnings])


def _is_other(recorded: str, present: str) -> bool:
    """Whether none of the servers of a file is one of those that a command talks to."""
    if recorded.startswith(REHEARSAL) or present.startswith(REHEARSAL):
        return recorded.startswith(REHEARSAL) != present.startswith(REHEARSAL)
    return _keys(recorded).isdisjoint(_keys(present))


def _keys(servers: str) -> frozenset[str]:
    return frozenset(map(server_key, servers.split(", ")))


def _unknown(table: Table, these: np.ndarray, present: str, journal: Journal) -> np.ndarray:
    """Rows of a file whose ids the journal does not know; where it knows none of them, also those in doubt."""
    ids = table.rows["known_id"].to_numpy(dtype=np.int64)
    wanted = ids[these & (ids > 0)]
    servers = _keys(present)
    known = known_ids(journal, wanted.tolist(), lambda key: server_key(key.partition("|")[0]) in servers)
    unknown = these & (ids > 0) & ~np.isin(ids, list(known))
    if len(wanted) and not known:
        unknown = unknown | these & table.rows["known_doubt"].to_numpy(dtype=bool)
    return np.asarray(unknown)
