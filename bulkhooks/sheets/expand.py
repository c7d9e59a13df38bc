"""From rows to webhooks: locations x actions, with every blank filled in, every URL looked at and every twin named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from bulkhooks import actions
from bulkhooks.errors import InputError
from bulkhooks.sheets.factored import Codes, Factored, Texts, Truths, combine, texts
from bulkhooks.sheets.finding import Finding, cut, missing
from bulkhooks.sheets.normalize import Fields, Problems
from bulkhooks.sheets.problems import Problem
from bulkhooks.sheets.urls import check, hidden
from bulkhooks.sheets.values import text
from bulkhooks.webhook import Status, url_key

MOST_WEBHOOKS = 10_000_000
"""An input that asks for more is a mistake: at the published limits it would take five years."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """What an input asks for.

    ``webhooks``: one line a webhook, in the order written (locations, and for each the actions), and one line for a row
    that is invalid. Index: positions from 0. Columns: ``row`` (int64, position in ``Table.rows``), ``place`` (the row's),
    ``account``, ``business_id`` (int64, 0 where not known), ``location`` (its name, else its id), ``action`` (int64, 0
    where not known), ``url``, ``url_key`` (in which URLs are compared), ``name``, ``description`` ('' where not given),
    ``active`` (int8; -1 where not given, else 0 or 1), ``replaces`` ('' or a URL), ``known_id`` (int64, 0 where none),
    ``status`` (planned, duplicate, invalid), ``error_code``, ``error``. On an invalid line the texts are as written.

    ``problems``: everything found, by row and in a row by field, warnings among them.
    """

    webhooks: pd.DataFrame
    problems: list[Problem]


def expand(fields: Fields) -> Expansion:
    """The webhooks that a table asks for. Raises ``InputError`` where it asks for more than anybody can mean."""
    problems = fields.problems.copy(fields.table)
    stopped = problems.stopped()
    lines = _Lines.of(fields, stopped)
    filled = _fill_in(lines, problems)
    _check_urls(lines, filled, problems)

    late = problems.stopped() & ~stopped
    if late.any():
        stopped |= late
        kept = np.flatnonzero(lines.is_first | ~late[lines.row])
        lines = lines.take(kept)
        filled = {name: column.take(kept) for name, column in filled.items()}
    found = problems.sorted()
    return Expansion(_frame(lines, filled, stopped, found, problems), found)


@dataclass(slots=True)
class _Lines:
    """The lines of an expansion: for each its row, location and event; and the values that templates ask for."""

    fields: Fields
    row: Codes
    business_id: Codes
    action: Codes
    is_first: Truths
    """Whether it is its row's first line."""
    values: dict[str, Factored] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: Fields, stopped: Truths) -> _Lines:
        events = fields.actions.sizes()
        counts = np.where(stopped, 1, fields.ids.sizes() * events)
        total = int(counts.sum())
        if total > MOST_WEBHOOKS:
            raise InputError(
                f"the input asks for {total:,} webhooks, more than {MOST_WEBHOOKS:,}; look for a row with too wide a range"
                " or too many events, or use several inputs"
            )
        row = np.repeat(np.arange(len(counts)), counts)
        within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        location, event = np.divmod(within, np.maximum(events, 1)[row])
        return cls(fields, row, fields.ids.at(row, location), fields.actions.at(row, event), within == 0)

    def take(self, lines: Codes) -> _Lines:
        """Some of the lines."""
        values = {name: column.take(lines) for name, column in self.values.items()}
        return _Lines(
            self.fields, self.row[lines], self.business_id[lines], self.action[lines], self.is_first[lines], values
        )

    def value(self, key: str) -> Factored:
        """What a placeholder stands for on every line."""
        if key not in self.values:
            self.values[key] = self._value(key)
        return self.values[key]

    def _value(self, key: str) -> Factored:
        if key in {"BusinessId", "Location"}:
            codes, distinct = pd.factorize(self.business_id)
            ids = Factored(codes, texts(map(str, distinct)))
            return ids if key == "BusinessId" else self._location(ids)
        if key == "Action":
            return Factored(self.action, _EVENTS)
        if key == "ActionId":
            return Factored(self.action, _EVENT_NUMBERS)
        if key == "Account":
            return self.fields.account.take(self.row)
        table = self.fields.table
        if key == "Active":
            return Factored.of(table.rows[key]).take(self.row)
        return Factored.of(texts(map(text, table.extras[key]))).take(self.row)

    def _location(self, ids: Factored) -> Factored:
        names = ids.map(lambda number: self.fields.names.get(int(number)) or number)
        shown_as = self.fields.shown_as[self.row]
        if not shown_as.any():
            return names
        return Factored.of(np.where(shown_as == "", names.texts(), shown_as))


_EVENTS = texts(["0", *actions.NAMES])
_EVENT_NUMBERS = texts(map(str, range(len(actions.NAMES) + 1)))


def _fill_in(lines: _Lines, problems: Problems) -> dict[str, Factored]:
    """Name, URL, Replaces and Description of every line; blanks that stay empty are told where they do harm."""
    templates = lines.fields.templates
    filled: dict[str, Factored] = {}

    name, _ = templates["Name"].fill_in(lines.row, lines.value)
    blank = np.array([not name or name.isspace() for name in name], dtype=bool)
    if blank.any():
        default, _ = templates[""].fill_in(lines.row, lines.value)
        name = np.where(blank, default, name)
        blank = np.array([not name or name.isspace() for name in name], dtype=bool)
        finding = missing("Name", "neither the cell nor --name-template gives one; write one")
        problems.add("Name", ((row, finding) for row in _rows(lines, blank)))
    filled["Name"] = lines.values["Name"] = Factored.of(name)

    for field_name in ("URL", "Replaces", "Description"):
        in_url = field_name != "Description"
        column, empty = templates[field_name].fill_in(lines.row, lines.value, in_url=in_url)
        filled[field_name] = lines.values[field_name] = Factored.of(column)
        for key, where in empty.items() if in_url else ():
            finding = Finding(
                "missing-value",
                "",
                f"{field_name} asks for {{{key}}}, which is empty in this row; fill it in, or take {{{key}}} out of the"
                f" {field_name}",
            )
            problems.add(field_name, ((row, finding) for row in _rows(lines, where)))
    return filled


def _check_urls(lines: _Lines, filled: dict[str, Factored], problems: Problems) -> None:
    """Whether every URL is one. Each thing that is to be said of a row's URLs is said once, of the first."""
    for name in ("URL", "Replaces"):
        column = filled[name]
        verdicts = [check(url) if url else None for url in column.distinct]
        said = [
            ("bad-url", [verdict is not None and verdict.sentence != "" for verdict in verdicts]),
            ("insecure-url", [verdict is not None and verdict.is_insecure for verdict in verdicts]),
            ("private-url", [verdict is not None and verdict.is_private for verdict in verdicts]),
        ]
        for code, flags in said if name == "URL" else said[:1]:
            if any(flags):
                _say(code, flags, lines, column, name, problems)


def _say(code: str, flags: list[bool], lines: _Lines, column: Factored, name: str, problems: Problems) -> None:
    flagged = column.where(flags)
    rows, first = np.unique(lines.row[flagged], return_index=True)
    urls = column.distinct[column.codes[flagged[first]]]
    problems.add(name, ((row, _finding(code, url)) for row, url in zip(rows.tolist(), urls, strict=True)))


def _finding(code: str, url: str) -> Finding:
    shown = hidden(url)
    if code == "insecure-url":
        return Finding.of(
            code, shown, "is http: events go there unencrypted; use https where the endpoint can", warning=True
        )
    if code == "private-url":
        return Finding.of(
            code, shown, "is an address of a private network, which Nexudus cannot reach from outside", warning=True
        )
    return Finding(code, cut(shown), check(url).sentence)


def _rows(lines: _Lines, where: Truths) -> list[int]:
    """The rows of some lines, each once."""
    return list(dict.fromkeys(lines.row[where].tolist()))


def _frame(
    lines: _Lines, filled: dict[str, Factored], stopped: Truths, found: Iterable[Problem], problems: Problems
) -> pd.DataFrame:
    fields, rows, row = lines.fields, lines.fields.table.rows, lines.row
    count = len(row)
    keys = filled["URL"].map(_shared_key)
    account = fields.account.take(row)
    known_id = np.where(np.bincount(row)[row] == 1, np.asarray(rows["known_id"], dtype=np.int64)[row], 0)

    invalid = np.flatnonzero(stopped[row])
    valid = np.flatnonzero(~stopped[row])
    same_key = Factored.of(keys.distinct).codes[keys.codes]
    numbers, first = combine(
        account.codes[valid], lines.value("BusinessId").codes[valid], lines.action[valid], same_key[valid]
    )
    firsts = valid[first[numbers]]
    again = np.flatnonzero(firsts != valid)
    twins, firsts = valid[again], firsts[again]
    known_id[firsts] = np.maximum(known_id[firsts], known_id[twins])

    status = np.full(count, str(Status.PLANNED), dtype=object)
    status[twins], status[invalid] = str(Status.DUPLICATE), str(Status.INVALID)
    error_code, error = np.full(count, "", dtype=object), np.full(count, "", dtype=object)
    error[twins] = texts(_same_as(lines, problems, line, first) for line, first in zip(twins, firsts, strict=True))
    error_code[invalid], error[invalid] = _told(found, row[invalid])

    written = {name: np.asarray(rows[name], dtype=object) for name in ("BusinessId", "Location", *filled)}
    columns = {name: column.texts() for name, column in filled.items()}
    for name, column in columns.items():
        column[invalid] = written[name][row[invalid]]
    url_keys, location = keys.texts(), lines.value("Location").texts()
    url_keys[invalid] = columns["URL"][invalid]
    nowhere = invalid[lines.business_id[invalid] == 0]
    location[nowhere] = [written["Location"][line] or written["BusinessId"][line] for line in row[nowhere]]

    return pd.DataFrame(
        {
            "row": row,
            "place": _text(np.asarray(rows["place"], dtype=object)[row]),
            "account": _text(account.texts()),
            "business_id": lines.business_id,
            "location": _text(location),
            "action": lines.action,
            "url": _text(columns["URL"]),
            "url_key": _text(url_keys),
            "name": _text(columns["Name"]),
            "description": _text(columns["Description"]),
            "active": fields.active[row],
            "replaces": _text(columns["Replaces"]),
            "known_id": known_id,
            "status": _text(status),
            "error_code": _text(error_code),
            "error": _text(error),
        },
        copy=False,
    )


def _text(column: Texts) -> pd.Series[str]:
    return pd.Series(column, dtype=object, copy=False)


def _shared_key(url: str) -> str:
    """The URL's key; where they are equal the URL itself, so that they are one object."""
    key = url_key(url)
    return url if key == url else key


def _same_as(lines: _Lines, problems: Problems, line: int, first: int) -> str:
    row, first_row = int(lines.row[line]), int(lines.row[first])
    event = actions.name_of(int(lines.action[line]))
    return (
        f"{problems.cell(row, 'BusinessId')}: the same webhook is in {lines.fields.table.rows['place'].iat[first_row]}"
        f" already ({problems.cell(first_row, 'BusinessId')}: {event} of location {lines.business_id[line]} to the same URL)"
        " and is not sent a second time"
    )


def _told(found: Iterable[Problem], rows: Codes) -> tuple[Texts, Texts]:
    """The codes and the sentences of invalid rows."""
    of_row: dict[int, list[Problem]] = {}
    for problem in found:
        if not problem.warning:
            of_row.setdefault(problem.row, []).append(problem)
    told = [of_row[row] for row in rows.tolist()]
    return (
        texts("; ".join(problem.code for problem in problems) for problems in told),
        texts("; ".join(map(str, problems)) for problems in told),
    )
