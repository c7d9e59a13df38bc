"""The sheet Summary: how it went in one sentence, what to do next, counts and charts, and what was run."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from bulkhooks.report import ErrorCount, Summary
from bulkhooks.sheets.writing import charts
from bulkhooks.sheets.writing.advice import FLAWS, VERDICTS, StatusGuide, headline, in_order, next_steps
from bulkhooks.sheets.writing.counts import Tally
from bulkhooks.sheets.writing.style import BLUE, GREY, INK, LINE, LINE_HEIGHT, LOOKS, for_print, heading, height_of

SUMMARY = "Summary"
RUN_ID = "Run id"
"""The fact by which a Summary is known."""
SERVER = "Server"
"""The fact, and the property of the workbook, that tells which server it was made against."""
_LAST_COLUMN = 10
_FIRST_WIDTH, _OTHER_WIDTH = 34, 11
_TIME_COLUMNS = {1: "Local time", 3: "UTC"}
"""By the first of the two columns that each takes."""
_CHARTED_LOCATIONS = 12
_MOST_LABELS = 2_000
"""Locations (or events, as they were written) that have a line; a longer list nobody reads."""
_CHART_ROWS = 16
_MOST_FACT = 2_000


def write_summary(book: Workbook, sheet: Worksheet, summary: Summary, facts: Mapping[str, str], tally: Tally) -> None:
    """Fill the sheet, from the top down."""
    page = _Page(book, sheet)
    counts = tally.verdicts
    verdicts = in_order(counts)
    page.headline(headline(summary, counts), _worst(verdicts))
    steps = next_steps(summary, counts)
    for step in steps:
        page.sentence(f"→  {step}")
    page.skip()
    if verdicts:
        _write_counts(page, tally, verdicts, summary, _facts(summary, facts))
    else:
        page.warnings(summary.warnings)
        page.moments(_moments(summary))
        page.facts(_facts(summary, facts))
    for_print(sheet, title=f"bulkhooks {summary.run_id}")


def _write_counts(
    page: _Page, tally: Tally, verdicts: Sequence[str], summary: Summary, known: Mapping[str, str]
) -> None:
    first_row = page.verdict_table(tally.verdict, verdicts, tally.verdicts)
    page.skip()
    chart_row = page.row
    page.skip(_CHART_ROWS + 1)
    page.warnings(summary.warnings)
    page.moments(_moments(summary))
    page.facts(known)
    page.skip()
    page.count_table("Action", verdicts, _shortened(_rows(tally.actions)))
    page.skip()
    locations = _rows(tally.by_location())
    location_row = page.count_table("Location", verdicts, _shortened(locations))
    counts = [tally.verdicts[name] for name in verdicts]
    page.chart(charts.by_verdict(page.book, f"By {tally.verdict}", first_row, verdicts, counts), chart_row, 0, 484)
    shown = dict(list(locations.items())[:_CHARTED_LOCATIONS])
    table = [[row[name] for name in verdicts] for row in shown.values()]
    title = "By location" if len(shown) == len(locations) else f"By location: {len(shown)} of {len(locations):,}"
    chart = charts.by_location(page.book, title, location_row, labels=list(shown), verdicts=verdicts, table=table)
    page.chart(chart, chart_row, 4, 568)


class _Page:
    """A worksheet that is written line by line, as its streaming asks for; ``row`` is the next line."""

    def __init__(self, book: Workbook, sheet: Worksheet) -> None:
        self.book, self._sheet = book, sheet
        self.row = 0
        sheet.set_column(0, 0, _FIRST_WIDTH)
        sheet.set_column(1, _LAST_COLUMN, _OTHER_WIDTH)
        sheet.hide_gridlines(2)
        line = {"bottom": 1, "bottom_color": LINE, "valign": "top"}
        self._text = book.add_format({**line, "text_wrap": True})
        self._indented = book.add_format({**line, "text_wrap": True, "align": "left", "indent": 1})
        self._number = book.add_format({**line, "num_format": "#,##0;-#,##0;–", "align": "right"})
        self._moment = book.add_format({**line, "num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})
        self._share = book.add_format({**line, "num_format": "0.0%"})
        self._total = book.add_format({"bold": True, "num_format": "#,##0", "top": 1, "valign": "top"})
        self._plain = book.add_format({"text_wrap": True, "valign": "top", "font_color": INK})
        self._heading, self._numbers_heading = heading(book, GREY), heading(book, GREY, align="right")
        self._indented_heading = heading(book, GREY, align="left", indent=1)
        self._section = book.add_format({"bold": True, "font_size": 12, "font_color": BLUE})

    def skip(self, rows: int = 1) -> None:
        self.row += rows

    def headline(self, sentence: str, look: str) -> None:
        """The sentence that is seen first, in the colours of the worst that happened."""
        properties = {name: value for name, value in LOOKS[look].properties().items() if name != "num_format"}
        form = self.book.add_format(
            {**properties, "font_size": 16, "bold": True, "italic": False}
            | {"text_wrap": True, "valign": "vcenter", "align": "left", "indent": 1}
        )
        self._wide(sentence, form, first_column=0, height=24 * ceil(len(sentence) / 84) + 16)
        self.skip()

    def sentence(self, text: str) -> None:
        self._wide(text, self._plain, first_column=0)

    def verdict_table(self, name: str, verdicts: Sequence[str], counts: Mapping[str, int]) -> int:
        """Rows by verdict, what each means and what to do; returns the number of its first line."""
        total = sum(counts.values())
        self._header([name, "Rows", "Share"])
        self._wide("What it means, and what to do", self._indented_heading, first_column=3)
        first_row = self.row
        for verdict in verdicts:
            look, meaning, advice = VERDICTS.get(verdict, StatusGuide("same", ""))
            form = self.book.add_format({**LOOKS[look].properties(), "bottom": 1, "bottom_color": LINE})
            self._sheet.write_string(self.row, 0, verdict, form)
            self._sheet.write_number(self.row, 1, counts[verdict], self._number)
            self._sheet.write_number(self.row, 2, counts[verdict] / total, self._share)
            self._wide(f"{meaning}: {advice}" if advice else meaning, self._indented, first_column=3)
        self._sheet.write_string(self.row, 0, "Total", self._total)
        self._sheet.write_number(self.row, 1, total, self._total)
        self.skip()
        return first_row

    def count_table(self, name: str, verdicts: Sequence[str], table: Mapping[str, Counter[str]]) -> int:
        """Rows by ``name`` and verdict; returns the number of its first line."""
        self._sheet.write_string(self.row, 0, f"By {name.lower()}", self._section)
        self.skip()
        self._header([name, *verdicts, "Total"])
        self.skip()
        first_row = self.row
        for label, counts in table.items():
            self._sheet.write_string(self.row, 0, label[:_MOST_FACT], self._text)
            for column, verdict in enumerate(verdicts, start=1):
                self._sheet.write_number(self.row, column, counts[verdict], self._number)
            self._sheet.write_number(self.row, len(verdicts) + 1, sum(counts.values()), self._number)
            self.skip()
        return first_row

    def warnings(self, warnings: Sequence[ErrorCount]) -> None:
        """The warnings by code, each with an example; nothing where there are none."""
        if not warnings:
            return
        self._sheet.write_string(self.row, 0, "Warnings: sent all the same, and worth a look", self._section)
        self.skip()
        for warning in warnings:
            self._sheet.write_string(self.row, 0, warning.code, self._text)
            self._sheet.write_number(self.row, 1, warning.count, self._number)
            self._wide(warning.example[:_MOST_FACT], self._indented, first_column=2)
        self.skip()

    def facts(self, facts: Mapping[str, str]) -> None:
        self._sheet.write_string(self.row, 0, "What was run", self._section)
        self.skip()
        for name, value in facts.items():
            self._sheet.write_string(self.row, 0, name, self._text)
            self._wide(value, self._text, first_column=1)

    def moments(self, moments: Mapping[str, str | None]) -> None:
        """Times (ISO 8601) by what happened then, as dates that a spreadsheet knows: local, and beside it UTC."""
        known = {name: dt.datetime.fromisoformat(moment) for name, moment in moments.items() if moment}
        if not known:
            return
        self._sheet.write_string(self.row, 0, "When", self._section)
        self.skip()
        self._sheet.write_string(self.row, 0, "Moment", self._heading)
        for column, name in _TIME_COLUMNS.items():
            self._pair(column, self._heading)
            self._sheet.write_string(self.row, column, name, self._heading)
        self.skip()
        for name, moment in known.items():
            self._sheet.write_string(self.row, 0, name, self._text)
            for column, there in zip(_TIME_COLUMNS, (moment.astimezone(), moment.astimezone(dt.UTC)), strict=True):
                self._pair(column, self._moment)
                # A cell knows no time zone; the header above it names it.
                self._sheet.write_datetime(self.row, column, there.replace(tzinfo=None, microsecond=0), self._moment)
            self.skip()
        self.skip()

    def _pair(self, column: int, form: Format) -> None:
        """Two columns as one, for what is too long for one."""
        self._sheet.merge_range(self.row, column, self.row, column + 1, "", form)

    def chart(self, chart: object, row: int, column: int, width: int) -> None:
        options = {"x_offset": 4, "y_offset": 2, "object_position": 3}
        chart.set_size({"width": width, "height": _CHART_ROWS * 20})  # type: ignore[attr-defined]
        self._sheet.insert_chart(row, column, chart, options)

    def _header(self, names: Sequence[str]) -> None:
        for column, name in enumerate(names):
            self._sheet.write_string(self.row, column, name, self._numbers_heading if column else self._heading)

    def _wide(self, text: str, form: Format, *, first_column: int, height: float | None = None) -> None:
        """A text over the columns that are left; merged cells do not find their height themselves."""
        room = _OTHER_WIDTH * (_LAST_COLUMN + 1 - max(1, first_column)) + (0 if first_column else _FIRST_WIDTH)
        height = height_of(text, room) if height is None else height
        if height > LINE_HEIGHT:
            self._sheet.set_row(self.row, height)
        self._sheet.merge_range(self.row, first_column, self.row, _LAST_COLUMN, "", form)
        self._sheet.write_string(self.row, first_column, text, form)
        self.skip()


def _worst(verdicts: Sequence[str]) -> str:
    looks = [VERDICTS[verdict].look for verdict in verdicts if verdict in VERDICTS]
    return next((look for look in ("wrong", "doubt", "waiting", "done") if look in looks), "same")


def _rows(counts: Counter[tuple[str, str]]) -> dict[str, Counter[str]]:
    """Counts by label: those with most to look at first, then those with most to be sent, else as in the input."""
    table: dict[str, Counter[str]] = {}
    for (label, verdict), count in counts.items():
        table.setdefault(label, Counter())[verdict] += count

    def rank(entry: tuple[str, Counter[str]]) -> tuple[int, int]:
        return -sum(entry[1][verdict] for verdict in FLAWS), -entry[1]["pending"]

    return dict(sorted(table.items(), key=rank))


def _shortened(table: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    rows = list(table.items())
    if len(rows) <= _MOST_LABELS:
        return table
    rest = sum((counts for _, counts in rows[_MOST_LABELS:]), Counter[str]())
    return {**dict(rows[:_MOST_LABELS]), f"and {len(rows) - _MOST_LABELS:,} more": rest}


def _facts(summary: Summary, facts: Mapping[str, str]) -> dict[str, str]:
    known = {
        RUN_ID: summary.run_id,
        "Took": _duration(summary.seconds) if summary.seconds else "",
        "Input": "\n".join(summary.inputs),
        **{name: str(value) for name, value in facts.items()},
        "Requests": f"{summary.requests:,}, of them {summary.writes:,} to write" if summary.requests else "",
        "Asked to wait by the API": f"{summary.throttled:,} x" if summary.throttled else "",
        "Tried again": f"{summary.retried:,} x" if summary.retried else "",
    }
    return {name: value[:_MOST_FACT] for name, value in known.items() if value}


def _moments(summary: Summary) -> dict[str, str | None]:
    return {"Started": summary.started_at, "Finished": summary.finished_at, "Can go on": summary.resume_at}


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest:.0f} s" if minutes else f"{rest:.1f} s"
