"""Rows that no run changes any more, in compressed blocks: what several runs have alike is stored once.

A block holds up to ``SPAN`` rows as JSON by column and is known by its digest. So a run that finds everything
as the one before it left it writes references, and no rows (bulkhooks/docs/decisions/journal.md).
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, repeat
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

R = TypeVar("R", bound=Sequence[Any])

SPAN = 256
"""Positions that share a block. A block begins at a multiple of it, so one row that changes makes one new block."""

ITEMS, ROWS, LOCATIONS = "items", "rows", "locations"
"""Kinds of rows: settled ones of ``items``; the input's; lines of the table of locations."""


class Block(NamedTuple):
    """Rows of a run: positions from ``first``, in the rows ``low`` to ``high`` of its input."""

    first: int
    low: int
    high: int
    content: bytes


def spans(rows: Iterable[R]) -> Iterator[list[R]]:
    """Rows by the block that they belong to; the first value of a row is its position, and they come in its order."""
    return (list(together) for _, together in groupby(rows, key=lambda row: row[0] // SPAN))


class Packed(NamedTuple):
    """The rows of one block, to be stored: ``content`` compressed, and ``digest`` by which it is known."""

    digest: bytes
    content: bytes
    first: int
    low: int
    high: int


def pack(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Packed:
    """Pack the rows of one block (of one of ``spans``, at least one)."""
    packed = _packed(columns, rows)
    numbers = [row[columns.index("row")] for row in rows] if "row" in columns else [0]
    digest = hashlib.blake2b(packed, digest_size=16).digest()
    return Packed(digest, zlib.compress(packed), rows[0][0] // SPAN * SPAN, min(numbers), max(numbers))


def columns_of(content: bytes, names: Sequence[str], otherwise: Mapping[str, object]) -> Iterator[tuple[Any, ...]]:
    """The rows of a block with the columns named; ``otherwise`` has the values of those that it does not have.

    Raises ``ValueError`` or ``zlib.error`` where it is damaged.
    """
    count, columns = json.loads(zlib.decompress(content))
    values = (columns.get(name, [otherwise.get(name)]) for name in names)
    return zip(*(column if len(column) == count else repeat(column[0], count) for column in values), strict=False)


def _packed(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """How many rows, and the values of each column; a column that is the same in all of them has one."""
    count = len(rows)
    values = [list(map(itemgetter(number), rows)) for number in range(len(columns))]
    shortened = [column[:1] if column.count(column[0]) == count else column for column in values]
    return json.dumps([count, dict(zip(columns, shortened, strict=True))], separators=(",", ":")).encode("ascii")
