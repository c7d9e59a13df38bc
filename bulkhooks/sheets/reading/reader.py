"""Every input, whatever its format, as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from bulkhooks.errors import InputError, UsageError, WarningCode
from bulkhooks.report import Problem, Remark
from bulkhooks.sheets.reading.files import STDIN, File, label_of, open_file
from bulkhooks.sheets.reading.grid import Column, Grid, Records, letter, written
from bulkhooks.sheets.reading.headers import Headers, Layout, field_of, lay_out
from bulkhooks.sheets.reading.locations import SHEET, Location, Locations, is_table, locations_in
from bulkhooks.sheets.reading.mapping import map_option, no_header
from bulkhooks.sheets.reading.records import encoding_flaw
from bulkhooks.sheets.reading.rows import Part, part_of, source_of
from bulkhooks.sheets.reading.source import FIELDS, Source
from bulkhooks.sheets.reading.stacked import spans
from bulkhooks.sheets.reading.table import Table
from bulkhooks.sheets.strings import folded
from bulkhooks.webhook import EARLIER

__all__ = ["Table", "read"]

_OWN_SHEETS = frozenset({"summary", "problems"})
"""Sheets that stand beside Results in a results file."""


def read(inputs: Sequence[str], *, sheets: Sequence[str] = (), columns: Mapping[str, str] | None = None) -> Table:
    """All rows of all inputs (``-``: CSV on standard input), in the order given.

    ``sheets`` are the only ones that are read (``--sheet``), ``columns`` fields by headers that are not among the
    aliases (``--map``). Raises ``InputError`` where an input is unusable as a whole, and ``UsageError`` where
    ``sheets`` or ``columns`` name what is not there.
    """
    headers = Headers(columns)
    files = [open_file(path, label, headers.score) for path, label in zip(inputs, _labels(inputs), strict=True)]
    reader = _Reader(headers, _chosen(files, sheets), several=len(inputs) > 1)
    for number, file in enumerate(files):
        reader.add(file, number)
    return reader.table()


def _labels(inputs: Sequence[str]) -> list[str]:
    """The name of each input, or the whole path where two have the same name."""
    names = list(map(label_of, inputs))
    count = Counter(names)
    return [name if count[name] == 1 or path == STDIN else path for path, name in zip(inputs, names, strict=True)]


def _chosen(files: Sequence[File], sheets: Sequence[str]) -> frozenset[str]:
    """The names (folded) of the sheets that were asked for."""
    there = {name.casefold(): name for file in files if file.workbook for name in file.workbook.names}
    for name in sheets:
        if name.casefold() not in there:
            known = f"the sheets there are: {', '.join(there.values())}" if there else "no input is a workbook"
            raise UsageError(f"--sheet {name!r}: no input has a sheet of that name; {known}")
    return frozenset(name.casefold() for name in sheets)


class _Reader:
    """Collects the parts of a table, sheet after sheet."""

    def __init__(self, headers: Headers, chosen: frozenset[str], *, several: bool) -> None:
        self._headers = headers
        self._chosen = chosen
        self._several = several
        self._parts: list[Part] = []
        self._locations: dict[int, list[Location]] = {}
        self._warnings: list[Remark] = []
        self._seen: list[str] = []
        self._file = ""

    def add(self, file: File, number: int) -> None:
        """Read the input at this position.

        Raises ``InputError`` where no sheet of it has a header, or none a row under it.
        """
        self._file = file.label
        parts: list[Part] = []
        others: list[Grid] = []
        hidden: list[str] = []
        for grid in file.grids():
            head = grid.head()
            header = self._headers.find(head)
            if self._is_locations(grid, head[header] if header is not None else ()):
                self._add_locations(file, grid, number)
            elif self._chosen and grid.is_workbook and grid.name.casefold() not in self._chosen:
                continue
            elif header is None:
                others.append(grid)
            elif grid.is_hidden and grid.name.casefold() not in self._chosen:
                hidden.append(grid.name)
            else:
                parts += self._parts_of(grid, header, self._label(file, grid), number)
        if any(part.source.has_results for part in parts):
            parts = self._results_of(parts)
        else:
            self._note_hidden(file, hidden)
        if not parts:
            raise InputError(_only_hidden(file, hidden)) if hidden else self._no_header(file, others)
        warnings = [warning for part in parts for warning in part.warnings]
        self._warnings += warnings
        self._parts += [part for part in parts if len(part.lines)]
        if not any(len(part.lines) for part in parts):
            where = f"sheet {parts[0].name} has" if parts[0].name else "it has"
            raise InputError(
                "; ".join([f"{file.label}: {where} a header, but no data row under it", *map(str, warnings)])
            )

    def _parts_of(self, grid: Grid, header: int, label: str, number: int) -> list[Part]:
        """The tables of one sheet, which stand one below the other."""
        parts = []
        for span in spans(grid, header, self._headers):
            layout = lay_out([written(column[span.header]) for column in grid.columns], self._headers)
            source = source_of(grid, layout, label, number)
            self._note_header(span.line, layout, source)
            parts.append(part_of(grid, span, layout, source))
        if grid.records is not None:
            self._warnings += _legacy_elsewhere(grid.records, header, parts)
        return parts

    def _results_of(self, parts: Sequence[Part]) -> list[Part]:
        """Of a workbook with results only these, unless sheets were asked for: what they came from is in them."""
        others = [
            part.name
            for part in parts
            if not part.source.has_results and part.name.casefold() not in {*_OWN_SHEETS, *self._chosen}
        ]
        if others:
            # Its summaries may look like tables of webhooks; they are not worth a word.
            self._warnings.append(
                f"{parts[0].source.label.partition(':')[0] if self._several else 'the workbook'} has results, and they"
                f" are what is read; for {', '.join(map(repr, others))} instead give --sheet"
            )
        return [part for part in parts if part.source.has_results or part.name.casefold() in self._chosen]

    def _note_hidden(self, file: File, hidden: Sequence[str]) -> None:
        for name in hidden:
            sentence = f"the sheet is hidden and is left alone. To send its rows give --sheet {name!r}"
            place = f"{file.label}:{name}" if self._several else name
            self._warnings.append(Problem.of_whole(WarningCode.HIDDEN_SHEET, place, sentence))

    def _note_header(self, line: int, layout: Layout, source: Source) -> None:
        """Take down what there is to say about a header. Raises ``InputError`` where two columns are equally likely."""
        self._seen += layout.headers
        names = layout.headers
        if layout.unclear:
            one, other = (names[at] for at in layout.unclear)
            ours = field_of(self._headers.kind(one))
            raise InputError(
                f"{self._file}: the columns {one!r} and {other!r} ({source.row(line)}) may both be the field {ours};"
                f" say which of them is, with {map_option({one: ours})} or {map_option({other: ours})}"
            )
        unused = [
            (at, f"means the same as {names[counts]!r}, which counts; it is carried along")
            for counts, at in layout.doubles
        ]
        for at, ours in () if source.has_results else self._headers.unused(layout):
            option = map_option({names[at]: ours})
            unused.append((at, f"is not used, only carried along. If it is the field {ours}, give {option}"))
        for at, words in unused:
            place = f"{source.label}!{letter(at)}{line}" if source.is_workbook else f"{source.row(line)} {names[at]}"
            sentence = f"the column {names[at]!r} {words}"
            self._warnings.append(Problem.of_whole(WarningCode.UNUSED_COLUMN, place, sentence))

    def _label(self, file: File, grid: Grid) -> str:
        if not grid.is_workbook:
            return file.label
        return f"{file.label}:{grid.name}" if self._several else grid.name

    def _is_locations(self, grid: Grid, header: Sequence[str]) -> bool:
        """Whether it is the sheet with the table of locations, also where that has a column URL of its own."""
        if grid.name.casefold().strip() != SHEET or grid.name.casefold() in self._chosen or not is_table(grid):
            return False
        return "Action" not in map(self._headers.kind, header)

    def _add_locations(self, file: File, grid: Grid, number: int) -> None:
        locations, flaws = locations_in(grid, self._label(file, grid))
        self._locations.setdefault(number, []).extend(locations)
        self._warnings += [f"{flaw}; the line is left out of the table of locations" for flaw in flaws]

    def _no_header(self, file: File, others: Sequence[Grid]) -> InputError:
        self._headers.check_used(header for grid in others for row in grid.head() for header in row)
        known = (location.name for locations in self._locations.values() for location in locations)
        return no_header(file.path, file.label, others, self._headers, {folded(name) for name in known if name})

    def table(self) -> Table:
        """Everything that was read."""
        if not any(part.source.has_results for part in self._parts):  # there the mapped columns have our names
            self._headers.check_used(self._seen)
        parts = self._parts
        sizes = [len(part.lines) for part in parts]
        starts = np.cumsum([0, *sizes])
        rows = pd.DataFrame(
            {name: _joined([part.fields[name] for part in parts]) for name in FIELDS}
            | {"place": _joined([part.places() for part in parts])},
            dtype=object,
            copy=False,
        )
        rows["source"] = np.repeat(np.arange(len(parts)), sizes)
        rows["line"] = np.concatenate([part.lines for part in parts])
        rows["known_id"] = np.concatenate([part.known_ids for part in parts])
        rows["known_status"] = _joined([part.known_statuses for part in parts])
        rows["known_doubt"] = np.concatenate([part.known_doubts for part in parts])
        names = dict.fromkeys(name for part in parts for name in part.extras)
        extras = {name: _joined([_extra(part, name) for part in parts]) for name in names}
        return Table(
            rows=rows,
            extras=pd.DataFrame(extras, index=rows.index, columns=list(names), dtype=object, copy=False),
            sources=[part.source for part in parts],
            locations=Locations(location for locations in self._locations.values() for location in locations),
            flaws=[flaw for part, start in zip(parts, starts, strict=False) for flaw in part.problems(int(start))],
            extra_flaws=self._extra_flaws(starts.tolist()),
            tables=self._tables(),
            earlier=pd.DataFrame(
                {name: _joined([part.earlier[name] for part in parts]) for name in EARLIER}, dtype=object, copy=False
            ),
            warnings=self._warnings,
        )

    def _extra_flaws(self, starts: Sequence[int]) -> dict[str, dict[int, Problem]]:
        flaws: dict[str, dict[int, Problem]] = {}
        for part, start in zip(self._parts, starts, strict=False):
            for name, problem in part.extra_problems(start):
                flaws.setdefault(name, {})[problem.row] = problem
        return flaws

    def _tables(self) -> list[Locations]:
        """Each workbook's names and groups are its own; an input without a table has those of all."""
        if len(self._locations) < 2:
            return []
        tables = {number: Locations(locations) for number, locations in self._locations.items()}
        union = Locations(location for locations in self._locations.values() for location in locations)
        return [tables.get(part.source.input, union) for part in self._parts]


def _legacy_elsewhere(records: Records, header: int, parts: Sequence[Part]) -> Iterator[Problem]:
    """Warnings about text that is not UTF-8 in records that are no rows: a header, a title, what is left out."""
    rows = {line for part in parts for line in part.lines.tolist()} if records.legacy_at else set()
    for line in dict.fromkeys(max(1, at - header + 1) for at in records.legacy_at):
        if line not in rows:
            yield Problem.of_whole(
                WarningCode.LEGACY_ENCODING, parts[0].source.row(line), encoding_flaw(records).sentence
            )


def _only_hidden(file: File, hidden: Sequence[str]) -> str:
    names = ", ".join(map(repr, hidden))
    return (
        f"{file.label}: no visible sheet has a known header, only hidden ones ({names}); show the sheet in Excel or"
        f" LibreOffice, or give --sheet {hidden[0]!r}"
    )


def _joined(columns: Sequence[Column]) -> Column:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _extra(part: Part, name: str) -> Column:
    column = part.extras.get(name)
    return np.full(len(part.lines), None, dtype=object) if column is None else column
