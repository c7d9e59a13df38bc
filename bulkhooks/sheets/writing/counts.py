"""What the rows of a results file come to, counted while they stream by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bulkhooks.report import Problem
from bulkhooks.sheets.values import ResultRow

_MOST_KEYS = 20_000
"""Locations that are counted one by one; a sheet with more is not read location by location."""
_MOST_PROBLEMS = 1_000
"""Distinct errors that are counted one by one."""
_MOST_PLACES = 5
"""Places that are kept of each."""


@dataclass(slots=True)
class ProblemGroup:
    """One distinct error or warning: how often, and its first places with the number (from 0) of their result row,
    None where no row has it."""

    code: str
    sentence: str
    is_warning: bool = False
    count: int = 0
    places: list[tuple[str, int | None]] = field(default_factory=list)

    def add(self, place: str, number: int | None) -> None:
        """Count one more."""
        self.count += 1
        if len(self.places) < _MOST_PLACES:
            self.places.append((place, number))


class Tally:
    """Counts of rows by verdict (``Status``, or ``Health``), by location and by action, and the distinct problems.

    The keys are ``(label, verdict)``. ``locations`` are counted by id, or where a row has none by what stands there;
    ``by_location`` has them by name.
    """

    def __init__(self, columns: Sequence[str], verdict: str = "Status") -> None:
        positions = {column: position for position, column in reversed(list(enumerate(columns)))}
        self.verdict = verdict
        self._verdict = positions.get(verdict)
        self._location, self._business = positions.get("Location"), positions.get("BusinessId")
        self._action = positions.get("Action")
        self.rows = 0
        self.verdicts: Counter[str] = Counter()
        self.locations: Counter[tuple[str, str]] = Counter()
        self.actions: Counter[tuple[str, str]] = Counter()
        self._names: dict[str, str] = {}
        self._problems: dict[tuple[str, str, bool], ProblemGroup] = {}

    def add(self, rows: Sequence[ResultRow]) -> None:
        """Count some rows."""
        columns: list[Sequence[object]] = list(zip(*(row.cells for row in rows), strict=True))
        if self._verdict is None or not rows:
            self.rows += len(rows)
            return
        verdicts = columns[self._verdict]
        self.verdicts.update(map(str, verdicts))
        if self._location is not None and self._business is not None:
            labels = zip(columns[self._location], columns[self._business], verdicts, strict=True)
            for (name, business, verdict), count in Counter(labels).items():
                key = str(business or name or "")
                if isinstance(business, int) and name and str(name) != key:
                    self._names.setdefault(key, str(name))
                _count(self.locations, key, str(verdict), count)
        if self._action is not None:
            for (action, verdict), count in Counter(zip(columns[self._action], verdicts, strict=True)).items():
                _count(self.actions, str(action or ""), str(verdict), count)
        for number, row in enumerate(rows, start=self.rows):
            for problem in row.problems:
                self._add_problem(problem, number)
        self.rows += len(rows)

    def add_warnings(self, warnings: Iterable[Problem]) -> None:
        """Count warnings that no row has."""
        for warning in warnings:
            self._add_problem(warning, None)

    def by_location(self) -> Counter[tuple[str, str]]:
        """Counts by location and verdict: the id and the name of one place are one line, two of one name are two."""
        ids: dict[str, list[str]] = {}
        for number, name in self._names.items():
            ids.setdefault(name.casefold(), []).append(number)
        found: Counter[tuple[str, str]] = Counter()
        for (key, verdict), count in self.locations.items():
            named = ids.get(key.strip().casefold(), ())
            number = named[0] if len(named) == 1 else key
            name = self._names.get(number, number)
            is_shared = number in self._names and len(ids[name.casefold()]) > 1
            found[f"{name} ({number})" if is_shared else name, verdict] += count
        return found

    def problems(self) -> list[ProblemGroup]:
        """The distinct errors and behind them the warnings, those of one code together, the most frequent first."""
        codes: Counter[tuple[bool, str]] = Counter()
        for group in self._problems.values():
            codes[group.is_warning, group.code] += group.count
        return sorted(
            self._problems.values(),
            key=lambda group: (group.is_warning, -codes[group.is_warning, group.code], group.code, -group.count),
        )

    def _add_problem(self, problem: Problem, number: int | None) -> None:
        key = (problem.code, problem.sentence, problem.warning)
        if key not in self._problems and len(self._problems) >= _MOST_PROBLEMS:
            key = (problem.code, "other errors of this kind", problem.warning)
        self._problems.setdefault(key, ProblemGroup(*key)).add(problem.place, number)


def _count(counter: Counter[tuple[str, str]], label: str, verdict: str, count: int) -> None:
    key = (label, verdict)
    counter[key if key in counter or len(counter) < _MOST_KEYS else ("others", verdict)] += count


def problem_cells(problems: Sequence[Problem]) -> tuple[str, str, str]:
    """The cells ErrorCode, Error and Warning of a row (bulkhooks/docs/reference.md, Results), '' where they are empty.

    ErrorCode and Error hold the errors, codes and ``place: sentence``, and Warning the warnings as ``code: sentence``;
    several are joined with ``; ``. This is the only place where problems become text of a sheet.
    """
    errors = [problem for problem in problems if not problem.warning]
    warnings = [problem for problem in problems if problem.warning]
    return (
        "; ".join(problem.code for problem in errors),
        "; ".join(map(str, errors)),
        "; ".join(f"{problem.code}: {problem.sentence}" for problem in warnings),
    )
