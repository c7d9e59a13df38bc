"""The problems of a table, as they are found: each at the place of its cell, and all of them in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bulkhooks.report import Problem
from bulkhooks.sheets.normalizing.categorical import BoolArray, Categorical
from bulkhooks.sheets.normalizing.findings import Finding
from bulkhooks.sheets.reading.records import OF_RECORDS
from bulkhooks.sheets.reading.source import FIELDS
from bulkhooks.sheets.reading.table import Table


class Problems:
    """The problems of a table, as they are found."""

    def __init__(self, table: Table, found: Iterable[tuple[int, Problem]] = ()) -> None:
        self._table = table
        self._source = np.asarray(table.rows["source"])
        self._line = np.asarray(table.rows["line"])
        self._found = list(found)

    def cell(self, row: int, name: str) -> str:
        """The place of one field of one row."""
        return self._table.sources[int(self._source[row])].cell(int(self._line[row]), name)

    def add(self, name: str, found: Iterable[tuple[int, Finding]]) -> None:
        """Findings in one field, each with its row."""
        position = FIELDS.index(name)
        for row, finding in found:
            place = self.cell(row, name)
            problem = Problem(row, place, finding.code, finding.value, finding.sentence, finding.warning)
            self._found.append((position, problem))

    def add_distinct(
        self, name: str, column: Categorical, findings: Mapping[int, Sequence[Finding]], among: BoolArray | None = None
    ) -> None:
        """Findings of distinct texts, by their numbers, for all rows (``among`` some of them) that say so."""
        if not findings:
            return
        flags = np.zeros(len(column.distinct), dtype=bool)
        flags[list(findings)] = True
        rows = column.where(flags)
        if among is not None:
            rows = rows[among[rows]]
        codes = column.codes[rows].tolist()
        pairs = zip(rows.tolist(), codes, strict=True)
        self.add(name, ((row, finding) for row, code in pairs for finding in findings[code]))

    def add_flaws(self, flaws: Iterable[Problem]) -> dict[str, BoolArray]:
        """The reader's findings; for each field the rows whose cell is flawed."""
        flawed = {name: np.zeros(len(self._line), dtype=bool) for name in FIELDS}
        for flaw in flaws:
            name = next((name for name in FIELDS if self.cell(flaw.row, name) == flaw.place), "")
            if name == "Location" and flawed["BusinessId"][flaw.row] and not flaw.warning:
                continue  # the name is looked up by the id, which is an error itself
            if name and not flaw.warning:
                flawed[name][flaw.row] = True
            self._found.append((FIELDS.index(name) if name else len(FIELDS), flaw))
        return flawed

    def copy(self) -> Problems:
        """The same problems, to which others are added."""
        return Problems(self._table, self._found)

    def sorted(self) -> list[Problem]:
        """By row, and in a row by field, each once (several templates may ask for one cell). Of a record that was not
        read as it was meant, nothing else is told."""
        whole = {problem.row for _, problem in self._found if problem.code in OF_RECORDS}
        told = [found for found in self._found if found[1].row not in whole or found[1].code in OF_RECORDS]
        ordered = sorted(told, key=lambda found: (found[1].row, found[0]))
        return list(dict.fromkeys(problem for _, problem in ordered))

    def stopped(self) -> BoolArray:
        """For every row whether a problem stops it."""
        stopped = np.zeros(len(self._line), dtype=bool)
        stopped[[problem.row for _, problem in self._found if not problem.warning]] = True
        return stopped
