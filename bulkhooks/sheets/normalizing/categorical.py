"""Columns as numbers: every distinct text of a column once, and for each row which of them it has.

A sheet of a million rows says a few thousand different things. Each is parsed once, and the rest is numpy.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

IntArray = npt.NDArray[np.integer[Any]]
StrArray = npt.NDArray[np.object_]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Categorical:
    """A column of texts. Row ``i`` has ``distinct[codes[i]]``; ``distinct`` are in the order of their first row."""

    codes: IntArray
    distinct: StrArray

    @classmethod
    def of(cls, column: pd.Series[Any] | StrArray) -> Self:
        """A column of text without missing values."""
        codes, distinct = pd.factorize(np.asarray(column, dtype=object))
        return cls(codes.astype(np.int32), np.asarray(distinct, dtype=object))

    def texts(self) -> StrArray:
        """The column as it was."""
        return self.distinct[self.codes]

    def take(self, rows: IntArray) -> Categorical:
        """The column of these rows."""
        return Categorical(self.codes[rows], self.distinct)

    def map(self, change: Callable[[str], str]) -> Categorical:
        """The column with every text changed."""
        return Categorical(self.codes, texts(map(change, self.distinct)))

    def where(self, flags: Sequence[bool] | BoolArray) -> IntArray:
        """The rows whose distinct text is flagged."""
        return np.flatnonzero(np.asarray(flags, dtype=bool)[self.codes])


def texts(values: Iterable[str]) -> StrArray:
    """An array of text, whatever the texts look like."""
    found = list(values)
    made = np.empty(len(found), dtype=object)
    made[:] = found
    return made


@dataclass(frozen=True, slots=True)
class Lists:
    """A list of whole numbers for every row, kept once for each distinct cell. An empty list reads as one 0."""

    codes: IntArray
    numbers: IntArray
    starts: IntArray
    counts: IntArray

    @classmethod
    def of(cls, codes: IntArray, cells: Iterable[Sequence[int]]) -> Lists:
        """From the list of each distinct cell."""
        flat, counts = array("q", [0]), array("q")
        for cell in cells:
            flat.extend(cell)
            counts.append(len(cell))
        sizes = np.array(counts, dtype=np.int64)
        starts = np.where(sizes > 0, np.cumsum(sizes) - sizes + 1, 0)
        return cls(codes, np.array(flat, dtype=np.int64), starts, sizes)

    def sizes(self) -> IntArray:
        """How long every row's list is."""
        return self.counts[self.codes]

    def at(self, rows: IntArray, positions: IntArray) -> IntArray:
        """The number at a position of a row's list, for many rows at once."""
        found: IntArray = self.numbers[self.starts[self.codes[rows]] + positions]
        return found


def combine(*columns: IntArray) -> tuple[IntArray, IntArray]:
    """Equal combinations of codes: for every row the number of its combination, and the first row of each."""
    combined = columns[0]
    for column in columns[1:]:
        width = int(column.max(initial=0)) + 1
        combined = pd.factorize(combined)[0] * width + column
    codes, distinct = pd.factorize(combined)
    first = np.zeros(len(distinct), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return codes, first
