"""The rows of a run as they are stored: what is sent in the table ``items``, all else in blocks; here they are one."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from bulkhooks.provision.journal import tables
from bulkhooks.provision.journal.blocks import ITEMS, ROWS, SPAN
from bulkhooks.provision.journal.database import Readable
from bulkhooks.provision.journal.parts import parts_of, with_input
from bulkhooks.provision.journal.rows import InputRow, ItemRow

_COLUMNS = [tables.items.c[name] for name in ItemRow._fields]
_AT_ONCE = 4096
"""Rows that are asked for together: a run may have a million."""
_DEFAULTS = ItemRow._field_defaults
_KEPT = 2
"""Blocks of the input that are held unpacked: results ask for its rows in their order, at times a little back."""


def items(journal: Readable, run: int, rows: range | None = None) -> Iterator[ItemRow]:
    """The items of a run in the order of its results; with ``rows`` those of that part of its input."""
    return heapq.merge(*(_items(journal, part, rows) for part in parts_of(journal, run)), key=itemgetter(0))


def _items(journal: Readable, run: int, rows: range | None) -> Iterator[ItemRow]:
    settled = (
        item
        for block in journal.blocks(run, ITEMS, rows)
        for item in map(ItemRow._make, journal.unpacked(block.content, ItemRow._fields, _DEFAULTS))
        if rows is None or item.row in rows
    )
    return heapq.merge(_sent(journal, run, rows), settled, key=itemgetter(0))


def _sent(journal: Readable, run: int, rows: range | None) -> Iterator[ItemRow]:
    """What is or was to be sent, in order."""
    column = tables.items.c
    wanted = sa.select(*_COLUMNS).where(column.run == run).order_by(column.seq).limit(_AT_ONCE)
    if rows is not None:
        wanted = wanted.where(column.row.between(rows.start, rows.stop - 1))
    last = -1
    while found := journal.query(wanted.where(column.seq > last)):
        yield from map(ItemRow._make, found)
        last = found[-1][0]


def blocks_of_all(journal: Readable, columns: Sequence[str]) -> Iterator[tuple[list[int], Iterator[tuple[Any, ...]]]]:
    """Every block of settled items once: the runs that have it, and the columns named of its rows."""
    runs: dict[int, list[int]] = {}
    of_run, of_block = tables.run_blocks.c, tables.blocks.c
    for block, run in journal.query(sa.select(of_run.block, of_run.run).where(of_run.kind == ITEMS)):
        runs.setdefault(block, []).append(run)
    for block, sharing in runs.items():
        ((content,),) = journal.query(sa.select(of_block.content).where(of_block.id == block))
        yield sharing, journal.unpacked(content, columns, _DEFAULTS)


class WrittenRows:
    """The rows of a run's input as they were written, a block at a time."""

    def __init__(self, journal: Readable, run: int) -> None:
        self._journal = journal
        self._run = with_input(journal, run)
        self._blocks: dict[int, dict[int, InputRow]] = {}

    def of(self, row: int) -> InputRow | None:
        """The row of that number; None where the input has none."""
        if row < 0:
            return None
        number = row // SPAN
        if number not in self._blocks:
            if len(self._blocks) == _KEPT:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = self._read(range(number * SPAN, (number + 1) * SPAN))
        return self._blocks[number].get(row)

    def _read(self, rows: range) -> dict[int, InputRow]:
        found = (
            InputRow(*values)
            for block in self._journal.blocks(self._run, ROWS, rows)
            for values in self._journal.unpacked(block.content, InputRow._fields)
        )
        return {row.row: row for row in found}
