"""The runs in a journal, and who has which account.

``runs`` is what a person asks most often, and loading the toolkit for databases takes three times as long as all the
rest of it. So this is plain SQL, and a file that is as this version left it is asked past the toolkit.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from bulkhooks.private import tighten
from bulkhooks.provision.journal.opening import open_database
from bulkhooks.provision.journal.revision import FILE_VERSION, REVISION
from bulkhooks.times import iso

_RUNS = """
    SELECT run_id, command, job, started_at, finished_at, inputs, summary, facts, holder, id,
        part_of, shard, shards
    FROM {schema}runs WHERE pruned_at IS NULL ORDER BY id DESC
"""
_NAMES = """
    SELECT of_run.run, accounts.name
    FROM {schema}run_accounts of_run JOIN {schema}accounts accounts ON accounts.id = of_run.account
    ORDER BY accounts.id
"""

Reader = Callable[[str], Iterable[tuple[Any, ...]]]
"""Answers a question in plain SQL with rows; ``{schema}`` stands before the name of each table."""


def runs_in(place: Path | str) -> list[dict[str, Any]]:
    """``runs`` of the journal at a place.

    Raises ``JournalError`` where it cannot be read, ``UsageError`` where a package for it is missing.
    """
    if isinstance(place, Path):
        with suppress(sqlite3.Error):  # whatever is wrong with it, opening it in full has the sentence for it
            tighten(place)
            with closing(sqlite3.connect(f"{place.absolute().as_uri()}?mode=rw", timeout=60, uri=True)) as file:
                version = file.execute("PRAGMA user_version").fetchone()
                if version == (FILE_VERSION,) and (REVISION,) in file.execute("SELECT * FROM alembic_version"):
                    return runs(lambda question: file.execute(question.format(schema="")))
    with open_database(place) as journal:
        return runs(journal.read)


def runs(read: Reader) -> list[dict[str, Any]]:
    """The runs in the journal, the newest first, with who asked for each and on which computer.

    ``status`` is that of the summary, or ``unfinished``; ``holder`` then names the process, unless that is known to be
    no more. A run in shards is one, with ``shards``: how many there are (``of``), and those that are ``done``,
    ``unfinished`` and ``missing``.
    """
    parts: dict[str, list[dict[str, Any]]] = {}
    found = []
    for run, (part_of, shard, shards) in _each(read):
        if part_of:
            parts.setdefault(part_of, []).append(run | {"shard": shard})
        elif shards is None:
            found.append(run)
        elif own := parts.get(run["run_id"]):  # those of a run are newer than itself
            found.append(_together(run, shards, own))
    return found


def held(read: Reader) -> list[dict[str, Any]]:
    """The runs that are under way, each shard by itself."""
    return [run for run, _ in _each(read) if run["holder"]]


_WORST = ("unfinished", "auth-error", "incomplete", "failures", "ok")
"""Of several shards the first of these that any is."""


def _together(whole: dict[str, Any], of: int, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A run in shards, from what there is of them."""
    begun = {part["shard"] for part in parts}
    unfinished = {part["shard"] for part in parts if not part["finished_at"]}
    missing = set(range(of)) - begun
    statuses = {part["status"] for part in parts} | ({"incomplete"} if missing else set())
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part["counts"])

    def named(key: str) -> str:
        return ", ".join(dict.fromkeys(filter(None, (part[key] for part in reversed(parts)))))

    return whole | {
        "started_at": min(part["started_at"] for part in parts),
        "finished_at": None if unfinished or missing else max(part["finished_at"] for part in parts),
        **{key: named(key) for key in ("accounts", "user", "host", "holder")},
        "status": next((status for status in _WORST if status in statuses), "incomplete"),
        "counts": dict(counts),
        "shards": {
            "of": of,
            "done": sorted(begun - unfinished),
            "unfinished": sorted(unfinished),
            "missing": sorted(missing),
        },
    }


def _each(read: Reader) -> Iterator[tuple[dict[str, Any], Sequence[Any]]]:
    """Every run, and what it is a part of, which one, and of how many parts it is itself."""
    names: dict[int, list[str]] = {}
    for run, name in read(_NAMES):
        names.setdefault(run, []).append(name)
    for run_id, command, job, started, finished, inputs, summary, facts, holder, run, *of in read(_RUNS):
        ended = json.loads(summary) if summary else {}
        is_held = finished is None and not _is_gone(holder)
        found = {
            "run_id": run_id,
            "command": command,
            "job": job,
            "started_at": iso(started),
            "finished_at": iso(finished),
            "accounts": ", ".join(names.get(run, ())),
            "user": json.loads(facts).get("User", "") or ended.get("user", ""),
            "host": host_of(holder),
            "holder": holder if is_held else "",
            "inputs": json.loads(inputs),
            "status": ended.get("status", "unfinished"),
            "counts": ended.get("counts", {}),
        }
        yield found, of


def host_of(holder: str) -> str:
    """The computer of a run, by what ``Journal.begin`` writes of its process."""
    return holder.partition(" on ")[2]


def _is_gone(holder: str) -> bool:
    """Whether a run's process is known to be no more; of another computer that is not known."""
    number = holder.removeprefix("process ").partition(" on ")[0]
    if os.name != "posix" or host_of(holder) != os.uname().nodename or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it lives, as somebody else's
        return False
    return False
