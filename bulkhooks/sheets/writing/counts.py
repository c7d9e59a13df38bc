"""What the rows of a results file come to, counted while they stream by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bulkhooks.sheets.values import Row
from bulkhooks.sheets.writing.advice import FLAWS

_MOST_KEYS = 20_000
"""Locations that are counted one by one; a sheet with more is not read location by location."""
_MOST_PROBLEMS = 1_000
"""Distinct errors that are told apart."""
_MOST_PLACES = 5
"""Places that are kept of each."""


@dataclass(slots=True)
class ProblemGroup:
    """One distinct error: how often, and its first places with the number (from 0) of their row."""

    code: str
    sentence: str
    count: int = 0
    places: list[tuple[str, int]] = field(default_factory=list)

    def add(self, place: str, number: int) -> None:
        """Count one more."""
        self.count += 1
        if len(self.places) < _MOST_PLACES:
            self.places.append((place, number))


class Tally:
    """Counts of rows by verdict (``Status``, or ``Health``), by location and by action, and the distinct errors.

    The keys are ``(label, verdict)``; a label is the location's name, its id where it has none.
    """

    def __init__(self, columns: Sequence[str], verdict: str = "Status") -> None:
        positions = {column: position for position, column in reversed(list(enumerate(columns)))}
        self.verdict = verdict
        self._verdict = positions.get(verdict)
        self._location, self._business = positions.get("Location"), positions.get("BusinessId")
        self._action = positions.get("Action")
        is_health = verdict == "Health"
        self._code = self._verdict if is_health else positions.get("ErrorCode")
        self._error = positions.get("LastError" if is_health else "Error")
        self._row = positions.get("WebhookId" if is_health else "Row")
        self._flaws = FLAWS if is_health else None
        self.rows = 0
        self.verdicts: Counter[str] = Counter()
        self.locations: Counter[tuple[str, str]] = Counter()
        self.actions: Counter[tuple[str, str]] = Counter()
        self._problems: dict[tuple[str, str], ProblemGroup] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Count some rows."""
        columns: list[Sequence[object]] = list(zip(*rows, strict=True))
        if self._verdict is None or not rows:
            self.rows += len(rows)
            return
        verdicts = columns[self._verdict]
        self.verdicts.update(map(str, verdicts))
        if self._location is not None and self._business is not None:
            labels = zip(columns[self._location], columns[self._business], verdicts, strict=True)
            for (name, business, verdict), count in Counter(labels).items():
                _count(self.locations, str(name or business or ""), str(verdict), count)
        if self._action is not None:
            for (action, verdict), count in Counter(zip(columns[self._action], verdicts, strict=True)).items():
                _count(self.actions, str(action or ""), str(verdict), count)
        if self._code is not None and self._error is not None:
            for offset, (code, error) in enumerate(zip(columns[self._code], columns[self._error], strict=True)):
                if code and (self._flaws is None or code in self._flaws):
                    place = rows[offset][self._row] if self._row is not None else ""
                    self._add_problems(str(code), str(error or ""), str(place or ""), self.rows + offset)
        self.rows += len(rows)

    def problems(self) -> list[ProblemGroup]:
        """The distinct errors, those of one code together, the most frequent first."""
        codes: Counter[str] = Counter()
        for group in self._problems.values():
            codes[group.code] += group.count
        return sorted(self._problems.values(), key=lambda group: (-codes[group.code], group.code, -group.count))

    def _add_problems(self, codes: str, errors: str, row: str, number: int) -> None:
        found = sentences(errors, row)
        split = codes.split("; ")
        if len(split) != len(found):
            split = split[:1] * len(found)
        for code, (place, sentence) in zip(split, found, strict=True):
            key = (code, sentence)
            if key not in self._problems and len(self._problems) >= _MOST_PROBLEMS:
                key = (code, "other errors of this kind")
            group = self._problems.setdefault(key, ProblemGroup(*key))
            group.add(place, number)


def _count(counter: Counter[tuple[str, str]], label: str, verdict: str, count: int) -> None:
    key = (label, verdict)
    counter[key if key in counter or len(counter) < _MOST_KEYS else ("others", verdict)] += count


def sentences(errors: str, row: str) -> list[tuple[str, str]]:
    """The sentences of an ``Error`` cell, each as ``(place, sentence without it)``.

    ``row`` is the row's own place (``Hooks!7``, ``hooks.csv:7``), by which the places of its cells are known
    (``Hooks!C7``, ``hooks.csv:7 URL``); a sentence without one is the row's.
    """
    place = _cell_places(row)
    found = []
    for part in re.split(f"; (?={place}: )", errors) if errors else [""]:
        match = re.match(f"({place}): ", part)
        found.append((match[1], part[match.end() :]) if match else (row, part))
    return found


def _cell_places(row: str) -> str:
    sheet, mark, number = row.rpartition("!")
    if mark:
        return f"{re.escape(sheet)}![A-Z]{{0,3}}{re.escape(number)}"
    return f"{re.escape(row)}(?: [^:;]+)?"
