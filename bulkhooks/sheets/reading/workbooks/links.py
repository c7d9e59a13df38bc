"""Cells that are links: what a person clicks on goes to the target, whatever the cell shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from bulkhooks.sheets.reading.grid import Column
from bulkhooks.sheets.reading.headers import Layout
from bulkhooks.sheets.reading.workbooks.xlsx_cells import Cell, Flaw

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def follow_links(
    links: Mapping[Cell, str], layout: Layout, fields: dict[str, Column], flaws: dict[Cell, Flaw]
) -> dict[Cell, Flaw]:
    """Put the addresses that cells link to into the fields of URLs which show something else.

    Returns what there is to say of such cells. A text that is an address counts before the target, which spreadsheets
    do not always change with it. Of ``flaws`` those go that say a link's formula has no value: none is needed.
    """
    found: dict[Cell, Flaw] = {}
    for name in ("URL", "Replaces"):
        at = layout.fields.get(name, -1)
        of_field = {row: link for (row, column), link in links.items() if column == at}
        if not of_field:
            continue
        fields[name] = fields[name].copy()
        for row, link in of_field.items():
            shown = fields[name][row]
            if _ADDRESS.match(shown):
                if link and not _is_same(link, shown):
                    found[row, at] = Flaw.of_other_target(shown, link)
            elif link:
                fields[name][row] = link
                flaws.pop((row, at), None)
            elif (row, at) not in flaws:
                fields[name][row] = ""
                found[row, at] = Flaw.of_link(shown)
    return found


def _is_same(first: str, second: str) -> bool:
    return unquote(first).rstrip("/").casefold() == unquote(second).rstrip("/").casefold()
