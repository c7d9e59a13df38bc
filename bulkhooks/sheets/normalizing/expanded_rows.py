"""Rows x locations x actions: which webhook each line of an expansion is, and what its blanks are filled in with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bulkhooks import actions
from bulkhooks.errors import InputError
from bulkhooks.sheets.normalizing.categorical import BoolArray, Categorical, IntArray, StrArray, texts
from bulkhooks.sheets.normalizing.normalize import TEMPLATED, Fields
from bulkhooks.sheets.values import text

MOST_WEBHOOKS = 10_000_000
"""An input that asks for more is a mistake: at the published limits it would take five years."""

_AS_WRITTEN = frozenset({"Active", *TEMPLATED})
"""Fields of which a template gets the text in the sheet; those of templates once they are filled in get that."""

_OF_EVENTS = {
    "Action": texts(["0", *actions.NAMES]),
    "ActionId": texts(map(str, range(len(actions.NAMES) + 1))),
}


@dataclass(slots=True)
class ExpandedRows:
    """The lines of an expansion, each entry of an array one of them: the position of its row, its location and event
    (0 where not known), and whether it is the first of its row. ``filled`` are the texts whose blanks are filled in."""

    fields: Fields
    row: IntArray
    business_id: IntArray
    action: IntArray
    is_first: BoolArray
    filled: dict[str, StrArray] = field(default_factory=dict)
    _values: dict[str, Categorical] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: Fields, stopped: BoolArray) -> ExpandedRows:
        """For each row its locations, and for each location its events; one line for a row that is stopped."""
        events = fields.actions.sizes()
        counts = np.where(stopped, 1, fields.ids.sizes() * events)
        total = int(counts.sum())
        if total > MOST_WEBHOOKS:
            widest = fields.table.rows["place"].iat[int(counts.argmax())]
            raise InputError(
                f"the input asks for {total:,} webhooks, {int(counts.max()):,} of them in {widest}, and at most"
                f" {MOST_WEBHOOKS:,} are taken; look at its locations and events, or use several inputs"
            )
        row = np.repeat(np.arange(len(counts)), counts)
        within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        location, event = np.divmod(within, np.maximum(events, 1)[row])
        return cls(fields, row, fields.ids.at(row, location), fields.actions.at(row, event), within == 0)

    def take(self, lines: IntArray) -> ExpandedRows:
        """Some of the lines."""
        filled = {name: column[lines] for name, column in self.filled.items()}
        return ExpandedRows(
            self.fields, self.row[lines], self.business_id[lines], self.action[lines], self.is_first[lines], filled
        )

    def fill_in(self, name: str, *, template: str | None = None, in_url: bool = False) -> dict[str, BoolArray]:
        """Fill in the blanks of one field (with another template than its own: ``template``).

        Returns, for each column that was empty in lines that ask for it, in which.
        """
        templates = self.fields.templates[name if template is None else template]
        self.filled[name], empty = templates.fill_in(self.row, self.value, in_url=in_url)
        self._values.pop(name, None)  # which was the text in the sheet
        return empty

    def value(self, key: str) -> Categorical:
        """What a placeholder stands for on every line."""
        if key not in self._values:
            self._values[key] = self._value(key)
        return self._values[key]

    def location(self) -> StrArray:
        """The name of every line's location: the sheet's, else that of the table of locations, else the id."""
        column = self.value("Location").texts()
        self._values.clear()
        return column

    def rows(self, where: BoolArray) -> Iterator[int]:
        """The rows of some lines, each once."""
        return iter(dict.fromkeys(self.row[where].tolist()))

    def _value(self, key: str) -> Categorical:
        if key in self.filled:
            return Categorical.of(self.filled[key])
        if key == "BusinessId":
            codes, distinct = pd.factorize(self.business_id)
            return Categorical(codes.astype(np.int32), texts(map(str, map(int, distinct))))
        if key == "Location":
            return self._location()
        if key in _OF_EVENTS:
            return Categorical(self.action, _OF_EVENTS[key])
        return self._column(key).take(self.row)

    def _column(self, key: str) -> Categorical:
        table = self.fields.table
        if key == "Account":
            return self.fields.account
        return Categorical.of(table.rows[key] if key in _AS_WRITTEN else texts(map(text, table.extras[key])))

    def _location(self) -> Categorical:
        known = self.fields.names
        ids = self.value("BusinessId")
        names = ids.map(lambda number: known.get(int(number)) or number) if known else ids
        shown_as = self.fields.shown_as[self.row]
        if not shown_as.any():
            return names
        return Categorical.of(np.where(shown_as == "", names.texts(), shown_as))
