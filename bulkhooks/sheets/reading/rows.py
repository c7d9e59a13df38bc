"""The rows under one header: which of them count, and their fields and other columns as whole columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bulkhooks.errors import ErrorCode
from bulkhooks.report import Problem, Remark
from bulkhooks.sheets.reading.grid import Column, Grid, Records, column_of, letter, texts
from bulkhooks.sheets.reading.headers import Layout
from bulkhooks.sheets.reading.left_out import LeftOut, left_out, listed_places, overwritten_examples, unfinished
from bulkhooks.sheets.reading.records import encoding_flaw, errors_of_earlier, of_earlier, record_flaws
from bulkhooks.sheets.reading.source import FIELDS, Source
from bulkhooks.sheets.reading.stacked import Span
from bulkhooks.sheets.reading.workbooks.links import follow_links
from bulkhooks.sheets.reading.workbooks.xlsx_cells import Cell, Flaw
from bulkhooks.sheets.strings import CALCULATED
from bulkhooks.webhook import DONE, EARLIER, Status

Positions = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
T = TypeVar("T")

_GUARD = re.compile(f"''*[{re.escape(CALCULATED)}]")


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one sheet that count: of each the number of its line, its fields as text by name, its other columns
    by name (None where empty), and what a results file says of it: its id (else 0), whether a send of it is in
    doubt, its Status ('' in another file).

    ``flaws``: row, field and what is wrong with the cell ('' for the whole row); ``extra_flaws``: row, name, position
    and that of other columns. ``earlier``: the columns ``EARLIER`` of a results file. ``warnings`` name the rows that
    were left out.
    """

    name: str
    source: Source
    lines: Positions
    fields: Mapping[str, Column]
    extras: Mapping[str, Column]
    known_ids: Positions
    known_doubts: BoolArray
    known_statuses: Column
    earlier: Mapping[str, Column]
    flaws: Sequence[tuple[int, str, Flaw]]
    extra_flaws: Sequence[tuple[int, str, int, Flaw]]
    warnings: Sequence[Remark]

    def places(self) -> Column:
        """The place of each row."""
        prefix = str(self.source.row(0)).removesuffix("0")
        # Written in two halves, of which there are few, a million numbers take a third of the time.
        thousands, rest = np.divmod(self.lines, 1000)
        heads = column_of([f"{prefix}{thousand}" for thousand in range(int(thousands.max(initial=0)) + 1)])
        places: Column = heads[thousands] + column_of([f"{number:03d}" for number in range(1000)])[rest]
        small = thousands == 0
        places[small] = [f"{prefix}{line}" for line in self.lines[small].tolist()]
        return places

    def problems(self, start: int) -> Iterator[Problem]:
        """The flaws, in a table in which these rows begin at ``start``."""
        for row, name, flaw in self.flaws:
            line = int(self.lines[row])
            place = self.source.cell(line, name) if name else self.source.row(line)
            yield Problem(start + row, place, flaw.code, flaw.text, flaw.sentence, flaw.is_warning)

    def extra_problems(self, start: int) -> Iterator[tuple[str, Problem]]:
        """Likewise of the other columns, by name."""
        for row, name, at, flaw in self.extra_flaws:
            place = f"{self.source.label}!{letter(at)}{self.lines[row]}"
            yield name, Problem(start + row, place, flaw.code, flaw.text, flaw.sentence)


def part_of(grid: Grid, span: Span, layout: Layout, source: Source) -> Part:
    """The rows of one table of ``grid``, its columns laid out like that."""
    first = span.line + 1
    columns: Sequence[Column] = [column[span.header + 1 : span.end] for column in grid.columns]
    guarded = source.has_results and grid.records is not None
    if guarded:
        columns = [_without_guards(column) for column in columns]
    flaws = _under(grid.flaws, grid, span)
    columns = _lengthened(columns, max((row + 1 for row, _ in flaws), default=0))
    fields = {name: texts(columns[at], is_ascii=grid.is_ascii) for name, at in layout.fields.items()}
    if "ErrorCode" in layout.results:
        old = errors_of_earlier(columns[layout.results["ErrorCode"]], columns, layout.fields)
        fields = {
            name: _emptied(fields[name], [row for row, of in old if of == at]) for name, at in layout.fields.items()
        }
        flaws |= old
    flaws |= follow_links(_under(grid.links, grid, span), layout, fields, flaws)
    field_at = {at: name for name, at in layout.fields.items()}
    in_fields = sorted((row, field_at[at], flaw) for (row, at), flaw in flaws.items() if at in field_at)
    whole: dict[int, Flaw] = {}
    if "ErrorCode" in layout.results:
        whole = of_earlier(columns[layout.results["ErrorCode"]])
    elif grid.records is not None and not source.has_results:
        whole = record_flaws(columns, layout.fields, span.header, _width(grid, span.header, layout), grid.records)
    in_fields += [(row, "", flaw) for row, flaw in whole.items()]
    leftovers = overwritten_examples(fields)
    kept = np.zeros(len(columns[0]), dtype=bool)
    kept[[row for row, _, _ in in_fields]] = True
    kept[unfinished(columns, layout)] = True
    filled = kept.copy()
    for column in fields.values():
        if not filled.all():
            filled |= column != ""

    warnings: list[Remark] = []
    for out in left_out(filled, fields, columns, layout, span):
        rows = out.rows[~kept[out.rows]]
        if len(rows):
            filled[rows] = False
            warnings.append(_told(out, [source.row(int(row) + first) for row in rows]))
    rows = np.flatnonzero(filled)
    number_of = dict(zip(rows.tolist(), range(len(rows)), strict=True)) if in_fields or flaws else {}
    known_ids, unreadable = _known_ids(columns, rows, layout)
    name_at = {at: name for name, at in layout.extras.items()}
    blank = np.full(len(rows), "", dtype=object)
    return Part(
        name=grid.name,
        source=source,
        lines=rows + first,
        fields={name: _taken(fields[name], rows) if name in fields else blank for name in FIELDS},
        extras=dict(_extras(_with_flaws(columns, flaws), rows, layout, guarded=guarded)),
        known_ids=known_ids,
        known_doubts=_known_doubts(columns, rows, layout),
        known_statuses=_known_statuses(columns, rows, layout),
        earlier={
            name: texts(columns[layout.results[name]][rows]) if name in layout.results else blank for name in EARLIER
        },
        flaws=[
            *((number_of[row], name, flaw) for row, name, flaw in in_fields if row in number_of),
            *((row, "WebhookId", flaw) for row, flaw in unreadable),
            *((int(np.searchsorted(rows, at)), "URL", Flaw.of_example(fields["URL"][at])) for at in leftovers),
            *((row, "", Flaw.of_hidden_row()) for row in _among(grid.hidden_rows, span.header + 1, rows)),
            *((row, "", flaw) for row, flaw in _of_encoding(grid.records, span.header + 1, rows)),
        ],
        extra_flaws=[
            (number_of[row], name_at[at], at, flaw)
            for (row, at), flaw in flaws.items()
            if row in number_of and at in name_at and at not in field_at
        ],
        warnings=warnings,
    )


def _told(out: LeftOut, places: Sequence[str]) -> Remark:
    """A warning about rows that were left out."""
    if out.code is None:
        return f"{listed_places(places)}: {out.sentence}"
    return Problem.of_whole(out.code, listed_places(places), out.sentence)


def _width(grid: Grid, header: int, layout: Layout) -> int:
    """How many fields a header has; further down that is known only of those with a name."""
    widths = grid.records.widths if grid.records else ()
    named = max((at + 1 for at, name in enumerate(layout.headers) if name), default=0)
    return widths[header] if header < len(widths) else named


def source_of(grid: Grid, layout: Layout, label: str, number: int) -> Source:
    """The sheet as its places name it; ``number`` is the position of its file among the inputs."""
    columns = {name: letter(at) if grid.is_workbook else layout.headers[at] for name, at in layout.fields.items()}
    headers = {name: layout.headers[at] for name, at in layout.fields.items()}
    return Source(label, columns, grid.is_workbook, bool(layout.results), number, headers, grid.name)


# cells


def _taken(column: Column, rows: Positions) -> Column:
    return column if len(rows) == len(column) else column[rows]


def _emptied(column: Column, rows: Sequence[int]) -> Column:
    if not rows:
        return column
    column = column.copy()
    column[list(rows)] = ""
    return column


def _without_guards(column: Column) -> Column:
    """A column of a results file without the ``'`` before what a spreadsheet would calculate."""
    return column_of([_unguarded(text) if text[:1] == "'" else text for text in column])


def _unguarded(text: str) -> str:
    return text[1:] if _GUARD.match(text) else text


def _among(some: Collection[int], first: int, rows: Positions) -> list[int]:
    """Positions in ``rows`` (which count from ``first``) of those that are among ``some`` rows of the grid."""
    return np.flatnonzero(np.isin(rows, np.array(list(some), dtype=np.int64) - first)).tolist()


def _of_encoding(records: Records | None, first: int, rows: Positions) -> Iterator[tuple[int, Flaw]]:
    if records is None or not records.legacy_at:
        return
    flaw = encoding_flaw(records)
    for row in _among(records.legacy_at, first, rows):
        yield row, flaw


def _under(cells: Mapping[Cell, T], grid: Grid, span: Span) -> dict[Cell, T]:
    """Those of one table, by row under its header; below the last one there may be cells that are not in the grid."""
    end = _END_OF_SHEET if span.end == grid.height else span.end
    return {(row - span.header - 1, at): found for (row, at), found in cells.items() if span.header < row < end}


_END_OF_SHEET = 1 << 20


def _lengthened(columns: Sequence[Column], height: int) -> Sequence[Column]:
    missing = height - len(columns[0])
    if missing <= 0:
        return columns
    return [np.concatenate([column, np.full(missing, "", dtype=object)]) for column in columns]


def _with_flaws(columns: Sequence[Column], flaws: Mapping[tuple[int, int], Flaw]) -> Sequence[Column]:
    """The columns with the text of each flawed cell."""
    flawed = {at for _, at in flaws}
    columns = [column.copy() if at in flawed else column for at, column in enumerate(columns)]
    for (row, at), flaw in flaws.items():
        if at < len(columns):
            columns[at][row] = flaw.text
    return columns


def _extras(
    columns: Sequence[Column], rows: Positions, layout: Layout, *, guarded: bool
) -> Iterator[tuple[str, Column]]:
    for name, at in layout.extras.items():
        column = _taken(columns[at], rows)
        empty = column == ""
        if at in layout.nameless and empty.all():
            continue
        if empty.any():
            column = column.copy()  # which may be the grid's, and a field's
            column[empty] = None
        yield _unguarded(name) if guarded else name, column


def _known_ids(columns: Sequence[Column], rows: Positions, layout: Layout) -> tuple[Positions, list[tuple[int, Flaw]]]:
    """The ids of the rows of a results file that are done, and those of them that have none that can be read."""
    ids = np.zeros(len(rows), dtype=np.int64)
    unreadable = []
    if layout.results:
        status, identifier = (texts(columns[layout.results[name]][rows]) for name in ("Status", "WebhookId"))
        for row, (word, number) in enumerate(zip(status, identifier, strict=True)):
            if word.casefold() not in DONE:
                continue
            if found := _ID.fullmatch(number):
                ids[row] = int(found[1].replace(",", ""))
            else:
                unreadable.append((row, Flaw.of_id(word, number)))
    return ids, unreadable


def _known_doubts(columns: Sequence[Column], rows: Positions, layout: Layout) -> BoolArray:
    """The rows of a results file that were sent, and of which nobody knows whether they arrived."""
    doubts = np.zeros(len(rows), dtype=bool)
    if layout.results:
        doubts |= texts(columns[layout.results["Status"]][rows]) == Status.UNKNOWN
        if (at := layout.results.get("ErrorCode")) is not None:
            doubts |= texts(columns[at][rows]) == ErrorCode.IN_DOUBT
    return doubts


def _known_statuses(columns: Sequence[Column], rows: Positions, layout: Layout) -> Column:
    if not layout.results:
        return np.full(len(rows), "", dtype=object)
    return column_of([word.casefold() for word in texts(columns[layout.results["Status"]][rows])])


_ID = re.compile(r"(\d{1,18}|\d{1,3}(?:,\d{3}){1,5})(?:\.0+)?", re.ASCII)
"""An id, also as programs write it that take every number for a measure: ``1001.0``, ``1,001``."""
