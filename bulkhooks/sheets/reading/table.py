"""The input as it was written: what the reader hands on, with the places where a person finds each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bulkhooks.report import Problem, Remark
from bulkhooks.sheets.reading.locations import Locations
from bulkhooks.sheets.reading.source import Source


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of all inputs, in the order given; indexes are positions from 0.

    ``rows``: ``FIELDS`` as text ('' where a cell is empty or a column is missing), ``place`` (the row's, text),
    ``source`` (position in ``sources``), ``line`` (number of the row in its source), and of a results file's row
    ``known_id`` (int64: its WebhookId where it is done, else 0) and ``known_doubt`` (bool: whether it was sent and
    nobody knows if it arrived), ``known_status`` (text, '' in another file).
    ``extras``: the input's other columns by name, values with their types (None where empty), in the order in which
    they were met.
    """

    rows: pd.DataFrame
    extras: pd.DataFrame
    sources: Sequence[Source]
    locations: Locations
    flaws: Sequence[Problem] = ()
    """Cells of fields that hold an error or a formula without its value, and results that contradict themselves."""
    extra_flaws: Mapping[str, Mapping[int, Problem]] = field(default_factory=dict)
    """Such cells of other columns, by column and row: they do harm only where a template asks for them."""
    tables: Sequence[Locations] = ()
    """Of each source the table of locations in its own workbook, where several workbooks have one."""
    earlier: pd.DataFrame = field(default_factory=pd.DataFrame)
    """What the rows of results files say of the round before: columns ``EARLIER`` as text, '' in other rows."""
    warnings: Sequence[Remark] = field(default_factory=list)
    """What there is to tell of whole sheets and inputs: warnings as ``Problem.of_whole``, and rows left out."""

    def rows_of(self, number: int) -> range:
        """The positions of one input's rows; inputs follow each other."""
        inputs = np.array([source.input for source in self.sources], dtype="int64")
        these = np.flatnonzero(inputs[self.rows["source"].to_numpy()] == number) if len(inputs) else inputs
        return range(int(these[0]), int(these[-1]) + 1) if len(these) else range(0)

    def cell(self, row: int, name: str) -> str:
        """The place of one field of one row."""
        source = self.sources[int(self.rows["source"].to_numpy()[row])]
        return source.cell(int(self.rows["line"].to_numpy()[row]), name)
