"""A run in shards: a run of its own for each, named ``NAME/3``, and one for the name, whose rows are those of all.

A row has the same ``seq`` in whichever round and process its shard is planned, for all of them number the rows of the
whole input. So a shard that goes on is planned anew in the same run, and what refers to its rows stays right.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from bulkhooks.errors import UsageError
from bulkhooks.provision.journal import tables
from bulkhooks.provision.journal.blocks import ROWS
from bulkhooks.provision.journal.database import Database, Readable
from bulkhooks.provision.journal.rows import ItemRow
from bulkhooks.provision.journal.tables import runs
from bulkhooks.provision.shard import Shard
from bulkhooks.report import many
from bulkhooks.webhook import Status


class Part(NamedTuple):
    """A shard, and what the input asks of all of them: how many webhooks, and a digest of what they are."""

    shard: Shard
    size: int
    digest: str

    @property
    def asks(self) -> str:
        """As the journal has it."""
        return f"{self.size}:{self.digest}"


def name_of_part(run_id: str, number: int) -> str:
    """What the run of a shard is called. No other run can have such a name."""
    return f"{run_id}/{number}"


def enter(database: Database, name: str, part: Part, values: Mapping[str, Any]) -> int:
    """Enter a shard of the run ``name``, or take it up again; in the transaction that is open.

    ``values``: columns of ``runs``. Returns its number. Raises ``UsageError`` where the other shards of that name are
    of another input or number, or where a run that is in no shards has it.
    """
    connection = database.connection
    asked = {"shards": part.shard.of, "asks": part.asks, "inputs": values["inputs"]}
    database.add(runs, {**values, "holder": "", "run_id": name, **asked})
    known = sa.select(runs.c.id, runs.c.shards, runs.c.asks, runs.c.inputs).where(runs.c.run_id == name)
    # Kept until the end of the transaction: shards that begin at once see each other, one after the other.
    whole, shards, asks, inputs = connection.execute(known.with_for_update()).one()
    if shards is None:
        raise UsageError(f"--run-id {name}: the journal has a run of that name that is in no shards; choose another")
    begun = connection.execute(sa.select(sa.func.min(runs.c.shard)).where(runs.c.part_of == name)).scalar()
    if begun is not None:
        _compare(name, part, values["inputs"], Part(Shard(begun, shards), *_asked(asks)), inputs)
    connection.execute(sa.update(runs).where(runs.c.id == whole).values(asked | {"pruned_at": None}))
    own = {**values, "run_id": name_of_part(name, part.shard.number), "part_of": name, "shard": part.shard.number}
    database.add(runs, own)
    mine = runs.c.run_id == own["run_id"]
    again = {"holder": own["holder"], "started_at": own["started_at"]}
    connection.execute(
        sa.update(runs).where(mine).values(again | {"finished_at": None, "summary": None, "pruned_at": None})
    )
    return int(connection.execute(sa.select(runs.c.id).where(mine)).scalar_one())


def _asked(asks: str) -> tuple[int, str]:
    size, _, digest = asks.partition(":")
    return int(size), digest


def _compare(name: str, part: Part, inputs: str, other: Part, their_inputs: str) -> None:
    """Raise ``UsageError`` where a shard does not go with one that has begun (``inputs``: JSON)."""
    if other.shard.of != part.shard.of:
        raise UsageError(
            f"--run-id {name} --shard {part.shard}: the run was begun in {other.shard.of} shards ({other.shard}); give"
            " all of them the same N, or choose another name"
        )
    if other.asks != part.asks:
        theirs, ours = (_listed(text, of.size) for text, of in ((their_inputs, other), (inputs, part)))
        raise UsageError(
            f"--run-id {name} --shard {part.shard}: {ours} asks for something else than shard {other.shard} of it was"
            f" begun with, {theirs}; give all shards the same input, or choose another name"
        )


def _listed(inputs: str, size: int) -> str:
    return f"{', '.join(json.loads(inputs))} ({many(size, 'webhook', 'webhooks')})"


# Asked


def parts_of(journal: Readable, run: int) -> list[int]:
    """The numbers of the runs that have its rows: of a run in shards those of the shards, else the run itself."""
    whole = runs.alias()
    found = journal.query(
        sa.select(runs.c.id)
        .join(whole, whole.c.run_id == runs.c.part_of)
        .where(whole.c.id == run)
        .order_by(runs.c.shard)
    )
    return [int(number) for (number,) in found] or [run]


def whole_of(journal: Readable) -> dict[int, int]:
    """Of each shard's run the run that it is a part of, by their numbers."""
    whole = runs.alias()
    return dict(
        map(tuple, journal.query(sa.select(runs.c.id, whole.c.id).join(whole, whole.c.run_id == runs.c.part_of)))
    )


def with_input(journal: Readable, run: int) -> int:
    """The run that has the rows of the input as they were written: every shard has those of the whole input."""
    column = tables.run_blocks.c
    numbers = parts_of(journal, run)
    if numbers == [run]:
        return run
    found = journal.query(sa.select(sa.func.min(column.run)).where(column.kind == ROWS, column.run.in_(numbers)))
    return int(found[0][0] or run)


def missing(journal: Readable, run: int) -> tuple[list[int], int]:
    """Which shards of a run have not begun, and how many there are; none of 0 for a run in no shards."""
    ((name, shards),) = journal.query(sa.select(runs.c.run_id, runs.c.shards).where(runs.c.id == run))
    begun = {number for (number,) in journal.query(sa.select(runs.c.shard).where(runs.c.part_of == name))}
    return [number for number in range(shards or 0) if number not in begun], shards or 0


# What an earlier round has done

_DONE = frozenset({Status.CREATED, Status.UPDATED, Status.DELETED})


def done_by(items: Iterable[ItemRow]) -> dict[int, ItemRow]:
    """What a run has done, by ``seq``."""
    return {item.seq: item for item in items if item.status in _DONE}


def with_done(rows: Iterable[ItemRow], done: Mapping[int, ItemRow]) -> Iterator[ItemRow]:
    """The rows of a plan in their order, those that are done as they were."""
    planned = (row for row in rows if row.seq not in done)
    return heapq.merge(planned, (done[seq] for seq in sorted(done)), key=itemgetter(0))


def together(first: str, second: str, between: str) -> str:
    """What two shards say, each part of it once."""
    return between.join(filter(None, dict.fromkeys([*first.split(between), *second.split(between)])))
