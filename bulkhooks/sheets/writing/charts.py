"""The charts of the Summary sheet, native, and with their numbers inside for viewers that do not calculate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xlsxwriter.chart import Chart
from xlsxwriter.workbook import Workbook

from bulkhooks.sheets.writing.sound import sound
from bulkhooks.sheets.writing.style import INK, LINE, chart_colour

_FONT = {"size": 9, "color": INK}


def by_verdict(book: Workbook, title: str, first_row: int, verdicts: Sequence[str], counts: Sequence[int]) -> Chart:
    """Bars, one a verdict. The table it shows begins in ``first_row`` with the verdict in A and the rows in B."""
    chart = book.add_chart({"type": "bar"})
    last_row = first_row + len(verdicts) - 1
    chart.add_series(
        {
            "name": "Rows",
            "categories": ["Summary", first_row, 0, last_row, 0],
            "categories_data": list(verdicts),
            "values": ["Summary", first_row, 1, last_row, 1],
            "values_data": list(counts),
            "points": [{"fill": {"color": chart_colour(verdict)}} for verdict in verdicts],
            "data_labels": {"value": True, "num_format": "#,##0", "font": _FONT},
            "gap": 45,
        }
    )
    _dress(chart, title)
    chart.set_legend({"none": True})
    return chart


def by_location(
    book: Workbook,
    title: str,
    first_row: int,
    *,
    labels: Sequence[str],
    verdicts: Sequence[str],
    table: Sequence[Sequence[int]],
) -> Chart:
    """Stacked bars, one a location. ``table`` has a row a location and a column a verdict; on the sheet its header is
    the row above ``first_row``, the labels are in A and the verdicts from B on."""
    chart = book.add_chart({"type": "bar", "subtype": "stacked"})
    last_row = first_row + len(labels) - 1
    for column, verdict in enumerate(verdicts, start=1):
        chart.add_series(
            {
                "name": ["Summary", first_row - 1, column],
                "name_data": [verdict],
                "categories": ["Summary", first_row, 0, last_row, 0],
                "categories_data": list(map(sound, labels)),
                "values": ["Summary", first_row, column, last_row, column],
                "values_data": [row[column - 1] for row in table],
                "fill": {"color": chart_colour(verdict)},
                "border": {"color": "#FFFFFF", "width": 0.75},
                "gap": 45,
            }
        )
    _dress(chart, title)
    chart.set_legend({"position": "bottom", "font": _FONT})
    return chart


def _dress(chart: Chart, title: str) -> None:
    plain: dict[str, Any] = {"num_font": _FONT, "line": {"color": LINE}}
    chart.set_title({"name": title, "name_font": {"size": 11, "bold": True, "color": INK}, "overlay": False})
    # The first row of the table is the uppermost bar.
    chart.set_y_axis({**plain, "reverse": True, "major_tick_mark": "none", "major_gridlines": {"visible": False}})
    chart.set_x_axis(
        {**plain, "num_format": "#,##0", "min": 0, "major_gridlines": {"visible": True, "line": {"color": LINE}}}
        | {"label_position": "high", "major_tick_mark": "none"}
    )
    chart.set_chartarea({"border": {"color": LINE}})
