"""The rows of a run as they are stored: what is sent in the table ``items``, all else in blocks; here they are one."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from bulkhooks.provision.journal.blocks import ITEMS, ROWS, SPAN
from bulkhooks.provision.journal.file import JournalFile
from bulkhooks.provision.journal.rows import InputRow, ItemRow

_COLUMNS = ", ".join(ItemRow._fields)
_DEFAULTS = ItemRow._field_defaults
_KEPT = 2
"""Blocks of the input that are held unpacked: results ask for its rows in their order, at times a little back."""


def items(journal: JournalFile, run: int, rows: range | None = None) -> Iterator[ItemRow]:
    """The items of a run in the order of its results; with ``rows`` those of that part of its input."""
    first, last = (-1, -1) if rows is None else (rows.start, rows.stop - 1)
    # Only names of our own columns stand in the statement.
    sent = journal.query(
        f"SELECT {_COLUMNS} FROM items WHERE run = ? AND (? OR row BETWEEN ? AND ?) ORDER BY seq",  # noqa: S608
        (run, rows is None, first, last),
    )
    settled = (
        item
        for block in journal.blocks(run, ITEMS, rows)
        for item in map(ItemRow._make, journal.unpacked(block.content, ItemRow._fields, _DEFAULTS))
        if rows is None or item.row in rows
    )
    return heapq.merge(map(ItemRow._make, sent), settled, key=itemgetter(0))


def blocks_of_all(
    journal: JournalFile, columns: Sequence[str]
) -> Iterator[tuple[list[int], Iterator[tuple[Any, ...]]]]:
    """Every block of settled items once: the runs that have it, and the columns named of its rows."""
    runs: dict[int, list[int]] = {}
    for block, run in journal.query("SELECT block, run FROM run_blocks WHERE kind = ?", (ITEMS,)):
        runs.setdefault(block, []).append(run)
    for block, sharing in runs.items():
        ((content,),) = journal.query("SELECT content FROM blocks WHERE id = ?", (block,))
        yield sharing, journal.unpacked(content, columns, _DEFAULTS)


class WrittenRows:
    """The rows of a run's input as they were written, a block at a time."""

    def __init__(self, journal: JournalFile, run: int) -> None:
        self._journal = journal
        self._run = run
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
