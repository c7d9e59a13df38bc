"""From rows to webhooks: locations x actions, templates filled in, URLs checked and duplicates marked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bulkhooks import actions
from bulkhooks.errors import Code, ErrorCode, WarningCode
from bulkhooks.redact import shown_url
from bulkhooks.report import Problem
from bulkhooks.sheets.normalizing.categorical import BoolArray, Categorical, IntArray, StrArray, combine, texts
from bulkhooks.sheets.normalizing.expanded_rows import ExpandedRows
from bulkhooks.sheets.normalizing.findings import Finding, missing
from bulkhooks.sheets.normalizing.normalize import Fields
from bulkhooks.sheets.normalizing.problems import Problems
from bulkhooks.sheets.normalizing.urls import NOTHING, UrlCheck, check
from bulkhooks.webhook import Status, url_key


@dataclass(frozen=True, slots=True)
class Expansion:
    """What an input asks for.

    ``webhooks``: one line a webhook, in the order written (locations, and for each the actions), and one line for a
    row that is invalid. Index: positions from 0. Columns: ``row`` (int64, position in ``Table.rows``), ``place`` (its),
    ``account``, ``business_id`` (int64, 0 where not known), ``location`` (its name, else its id), ``action`` (int64, 0
    where not known), ``url``, ``url_key`` (in which URLs are compared), ``name``, ``description`` ('' where not given),
    ``active`` (int8; -1 where not given, else 0 or 1), ``replaces`` ('' or a URL), ``known_id`` (int64, 0 where none),
    ``known_doubt`` (bool), ``status`` (planned, duplicate, invalid), ``error_code`` (''; the engine's), ``error`` (of a
    duplicate, which row it repeats), ``problems`` (a tuple of ``Problem``: the errors and warnings of its row, of
    several lines each those that concern it). On an invalid line the texts are as written.

    ``problems``: everything found, by row and in a row by field, warnings among them.
    """

    webhooks: pd.DataFrame
    problems: list[Problem]


def expand(fields: Fields) -> Expansion:
    """The webhooks that a table asks for. Raises ``InputError`` where it asks for more than anybody can mean."""
    problems = fields.problems.copy()
    # A row with a problem so far gets one line; only the others are multiplied, which is what takes time and memory.
    stopped = problems.stopped()
    lines = ExpandedRows.of(fields, stopped)
    _fill_in(lines, problems)
    _check_urls(lines, problems)

    # What a URL lacks shows only once its templates are filled in: such a row falls back to its first line.
    late = problems.stopped() & ~stopped
    if late.any():
        stopped |= late
        lines = lines.take(np.flatnonzero(lines.is_first | ~late[lines.row]))
    found = problems.sorted()
    return Expansion(_frame(lines, stopped, found, problems), found)


def _fill_in(lines: ExpandedRows, problems: Problems) -> None:
    """Fill in every template; a problem where a name, or a column that a URL asks for, is empty.

    Name goes first, for URL and Replaces may name it, and Description last, for it may name all of them.
    """
    lines.fill_in("Name")
    blank = _is_blank(lines.filled["Name"])
    if blank.any():
        names = lines.filled["Name"]
        lines.fill_in("Name", template="")
        names = lines.filled["Name"] = np.where(blank, lines.filled["Name"], names)
        finding = missing("Name", "Neither the cell nor --name-template gives one. Write one")
        problems.add("Name", ((row, finding) for row in lines.rows(_is_blank(names))))
    for name in ("URL", "Replaces"):
        for key, where in lines.fill_in(name, in_url=True).items():
            sentence = f"{name} asks for {{{key}}}, which is empty in this row. Fill it in, or take it out of {name}"
            problems.add(name, ((row, Finding(ErrorCode.MISSING_VALUE, "", sentence)) for row in lines.rows(where)))
            lines.filled[name][where] = ""
    lines.fill_in("Description")


def _is_blank(column: StrArray) -> BoolArray:
    return _flags(not text or text.isspace() for text in column)


def _flags(values: Iterable[bool]) -> BoolArray:
    return np.fromiter(values, dtype=bool)


def _check_urls(lines: ExpandedRows, problems: Problems) -> None:
    """Check every URL as it would be sent; a row has each problem once, for the first URL that has it."""
    for name in ("URL", "Replaces"):
        column = lines.value(name)
        verdicts = [check(url) if url else NOTHING for url in column.distinct]
        flags: dict[Code, BoolArray] = {ErrorCode.BAD_URL: _flags(verdict.sentence != "" for verdict in verdicts)}
        if name == "URL":
            flags[WarningCode.INSECURE_URL] = _flags(verdict.is_insecure for verdict in verdicts)
            flags[WarningCode.PRIVATE_URL] = _flags(verdict.is_private for verdict in verdicts)
            flags[WarningCode.ODD_URL] = _flags(verdict.odd != "" for verdict in verdicts)
        for code, flagged in flags.items():
            where = column.where(flagged)
            rows, first = np.unique(lines.row[where], return_index=True)
            codes = column.codes[where[first]].tolist()
            findings = {number: _finding(code, column.distinct[number], verdicts[number]) for number in set(codes)}
            problems.add(name, ((row, findings[number]) for row, number in zip(rows.tolist(), codes, strict=True)))


def _finding(code: Code, url: str, verdict: UrlCheck) -> Finding:
    url = shown_url(url)
    if code == WarningCode.INSECURE_URL:
        return Finding.of(
            code, url, "is http: events go there unencrypted. Use https if the endpoint can", warning=True
        )
    if code == WarningCode.PRIVATE_URL:
        return Finding.of(code, url, "is in a private network, where Nexudus cannot reach it", warning=True)
    if code == WarningCode.ODD_URL:
        return Finding.of(code, url, verdict.odd, warning=True)
    return Finding.of(code, url, verdict.sentence)


def _frame(lines: ExpandedRows, stopped: BoolArray, found: Iterable[Problem], problems: Problems) -> pd.DataFrame:
    fields, rows, row = lines.fields, lines.fields.table.rows, lines.row
    count = len(row)
    keys = lines.value("URL").map(_shared_key)
    account = fields.account.take(row)
    known_id = np.where(np.bincount(row)[row] == 1, np.asarray(rows["known_id"], dtype=np.int64)[row], 0)

    invalid = np.flatnonzero(stopped[row])
    valid = np.flatnonzero(~stopped[row])
    # Duplicates are looked for among valid lines only: one that repeats an invalid row is the first that is sent.
    same_key = Categorical.of(keys.distinct).codes[keys.codes]
    numbers, first = combine(lines.business_id[valid], account.codes[valid], lines.action[valid], same_key[valid])
    firsts = valid[first[numbers]]
    again = np.flatnonzero(firsts != valid)
    twins, firsts = valid[again], firsts[again]
    known_id[firsts] = np.maximum(known_id[firsts], known_id[twins])

    status = np.full(count, str(Status.PLANNED), dtype=object)
    status[twins], status[invalid] = str(Status.DUPLICATE), str(Status.INVALID)
    error = np.full(count, "", dtype=object)
    error[twins] = texts(_same_as(lines, problems, twins, firsts))

    columns = lines.filled | {"url_key": keys.texts(), "Location": lines.location()}
    nowhere = invalid[lines.business_id[invalid] == 0]
    for name, column in columns.items():
        as_written, those = (
            ("URL", invalid) if name == "url_key" else (name, nowhere if name == "Location" else invalid)
        )
        column[those] = np.asarray(rows[as_written], dtype=object)[row[those]]

    return pd.DataFrame(
        {
            "row": row,
            "place": _text(np.asarray(rows["place"], dtype=object)[row]),
            "account": _text(account.texts()),
            "business_id": lines.business_id,
            "location": _text(columns["Location"]),
            "action": lines.action,
            "url": _text(columns["URL"]),
            "url_key": _text(columns["url_key"]),
            "name": _text(columns["Name"]),
            "description": _text(columns["Description"]),
            "active": fields.active[row],
            "replaces": _text(columns["Replaces"]),
            "known_id": known_id,
            "known_doubt": np.asarray(rows["known_doubt"], dtype=bool)[row],
            "status": _text(status),
            "error_code": _text(np.full(count, "", dtype=object)),
            "error": _text(error),
            "problems": pd.Series(_by_line(found, lines), dtype=object, copy=False),
        },
        copy=False,
    )


def _text(column: StrArray) -> pd.Series[str]:
    return pd.Series(column, dtype=object, copy=False)


def _shared_key(url: str) -> str:
    """The URL's key; where they are equal the URL itself, so that they are one object."""
    key = url_key(url)
    return url if key == url else key


def _same_as(lines: ExpandedRows, problems: Problems, twins: IntArray, firsts: IntArray) -> Iterator[str]:
    """For every twin which line it is the same as."""
    row, action, business_id = lines.row, lines.action, lines.business_id
    places = np.asarray(lines.fields.table.rows["place"], dtype=object)[row[firsts]]
    columns = (places, row[twins], action[twins], business_id[twins])
    for place, twin, event, location in zip(*(column.tolist() for column in columns), strict=True):
        yield (
            f"{problems.cell(twin, 'BusinessId')}: {actions.name_of(event)} of location {location} to this URL is in"
            f" {place} already and is not sent a second time"
        )


def _by_line(found: Iterable[Problem], lines: ExpandedRows) -> StrArray:
    """For every line the problems of its row; of a warning about some locations or events only the lines with these."""
    of_row: dict[int, list[Problem]] = {}
    for problem in found:
        of_row.setdefault(problem.row, []).append(problem)
    concerned: dict[str, tuple[IntArray, Collection[int]]] = {
        code: (lines.business_id, ids) for code, ids in lines.fields.silent.items()
    }
    concerned[WarningCode.NEVER_FIRES] = (lines.action, {actions.NEVER_FIRES})
    by_line = np.empty(len(lines.row), dtype=object)
    by_line.fill(())
    for number, problems in of_row.items():
        shared = tuple(problems)
        those = range(*np.searchsorted(lines.row, [number, number + 1]).tolist())  # lines are in the order of rows
        partial = [problem for problem in problems if problem.code in concerned] if len(those) > 1 else []
        for line in those:
            others = {one for one in partial if concerned[one.code][0][line] not in concerned[one.code][1]}
            by_line[line] = tuple(one for one in shared if one not in others) if others else shared
    return by_line
