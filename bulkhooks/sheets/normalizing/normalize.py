"""From the cells of a table to parsed fields, and every problem of a single cell.

Every distinct text of a column is parsed once. What depends on single webhooks (a URL with its templates filled in) is
left to ``expand``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bulkhooks.errors import Code, ErrorCode, UsageError, WarningCode
from bulkhooks.report import Problem
from bulkhooks.sheets.normalizing.business_ids import IdReader
from bulkhooks.sheets.normalizing.categorical import BoolArray, Categorical, Lists, StrArray, texts
from bulkhooks.sheets.normalizing.fields import HOW_TO_WRITE_AN_EVENT, Read, account_reader, event_reader, read_active
from bulkhooks.sheets.normalizing.findings import Finding, missing
from bulkhooks.sheets.normalizing.problems import Problems
from bulkhooks.sheets.normalizing.templates import Template, TemplateColumn, TemplateReader, escape
from bulkhooks.sheets.normalizing.urls import clean
from bulkhooks.sheets.reading.locations import Locations, name_key
from bulkhooks.sheets.reading.source import FIELDS
from bulkhooks.sheets.reading.table import Table
from bulkhooks.sheets.strings import shown

T = TypeVar("T")

TEMPLATED = ("Name", "URL", "Replaces", "Description")
"""Fields that are templates, in the order in which they are filled in. Each may name the others: those before it as
they are filled in, those after it where there is nothing in them to be filled in."""
_NAMEABLE = ("BusinessId", "Location", "Action", "ActionId", "Account", "Active")
"""What every template may name, besides the input's own columns."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What the cells mean, one entry for each row of ``table``, which has what there is to tell of all cells besides.

    ``ids`` and ``actions``: the numbers of locations and events, in the order written (of a row without any, none).
    ``silent``: the ids of locations that a warning is about, by its code.
    ``shown_as``: the location's name as the sheet has it, '' where it has none; ``names`` then has it by id.
    ``account``: names of credentials. ``active``: int8, -1 where the cell is empty. ``templates``: by field, those of
    ``TEMPLATED``; under "" the template of names, for names that turn out empty.
    """

    table: Table
    problems: Problems
    ids: Lists
    actions: Lists
    silent: Mapping[Code, Collection[int]]
    shown_as: StrArray
    names: Mapping[int, str]
    account: Categorical
    active: npt.NDArray[np.int8]
    templates: Mapping[str, TemplateColumn]


def normalize(
    table: Table, *, locations: Locations, accounts: Collection[str], account: str, name_template: str
) -> Fields:
    """Parse every field of a table.

    ``accounts`` are the names there are, ``account`` that of rows without one. Raises ``UsageError`` where
    ``name_template`` asks for what there is not.
    """
    problems = Problems(table)
    # The reader's findings first: a cell that holds an error is empty here, and must not be missing as well.
    flawed = problems.add_flaws(table.flaws)
    raw = {name: np.asarray(table.rows[name], dtype=object) for name in FIELDS}
    for name in ("URL", "Replaces"):
        raw[name] = Categorical.of(raw[name]).map(clean).texts()

    # A location may be given by id or by name; where the id is empty, the name is read as the id would be. An id that
    # is an error is not empty.
    is_named: BoolArray = (raw["BusinessId"] == "") & (raw["Location"] != "") & ~flawed["BusinessId"]
    raw["Location"] = _still_meant(table, raw["Location"], is_named, locations)
    where = Categorical.of(np.where(is_named, raw["Location"], raw["BusinessId"]))
    found: dict[int, Sequence[Finding]] = {}
    if locations is table.locations and table.tables:
        where = _by_table(table, where)
        readers = {id(known): IdReader(known) for known in table.tables}
        ids = Lists.of(where.codes, _parsed(where, _tables_reader(table, readers), found))
        where = where.map(lambda text: text.partition(_BETWEEN)[2])
    else:
        readers = {id(locations): IdReader(locations)}
        ids = Lists.of(where.codes, _parsed(where, readers[id(locations)].read, found))
    said = dict.fromkeys(remark for reader in readers.values() for remark in reader.remarks)
    remarks = [Problem.of_whole(WarningCode.NETWORK_LOCATION, "", remark) for remark in said]
    problems.add_distinct("Location", where, found, is_named)
    problems.add_distinct("BusinessId", where, found, ~is_named)
    _add_missing(problems, "BusinessId", where, flawed["BusinessId"] | flawed["Location"])

    events = Categorical.of(raw["Action"])
    found = {}
    numbers = Lists.of(events.codes, _parsed(events, event_reader(), found))
    problems.add_distinct("Action", events, found)
    _add_missing(problems, "Action", events, flawed["Action"])

    templates = _templates(table, raw, name_template, problems)
    _add_missing(problems, "URL", Categorical.of(raw["URL"]), flawed["URL"])

    switches = Categorical.of(raw["Active"])
    found = {}
    active = np.array(list(_parsed(switches, read_active, found)), dtype=np.int8)
    problems.add_distinct("Active", switches, found)

    tenants = Categorical.of(raw["Account"])
    found = {}
    known = Categorical.of(np.array(list(_parsed(tenants, account_reader(accounts, account), found)), dtype=object))
    problems.add_distinct("Account", tenants, found)

    return Fields(
        table=_as_written(replace(table, warnings=[*table.warnings, *remarks]) if remarks else table, problems, flawed),
        problems=problems,
        ids=ids,
        actions=numbers,
        silent={
            WarningCode.NETWORK_LOCATION: {number for known in readers.values() for number in known.locations.networks},
            WarningCode.SUSPENDED_LOCATION: {
                number for known in readers.values() for number in known.locations.suspended
            },
        },
        shown_as=np.where(is_named, "", raw["Location"]),
        names=locations.name_of,
        account=Categorical(known.codes[tenants.codes], known.distinct),
        active=active[switches.codes],
        templates=templates,
    )


def _as_written(table: Table, problems: Problems, flawed: Mapping[str, BoolArray]) -> Table:
    """The table with the text of every formula and error in its cell, for results and for those who read them again."""
    texts_of = {flaw.place: flaw.value for flaw in table.flaws if flaw.code == ErrorCode.FORMULA_ERROR}
    rows = table.rows
    for name, where in flawed.items() if texts_of else ():
        if where.any():
            column = rows[name].to_numpy(dtype=object, copy=True)
            for row in np.flatnonzero(where).tolist():
                column[row] = texts_of.get(problems.cell(row, name), column[row])
            rows = rows.assign(**{name: column})
    return replace(table, rows=rows) if rows is not table.rows else table


_BETWEEN = "\x1f"


def _by_table(table: Table, where: Categorical) -> Categorical:
    """The cells, each with the number of the table of locations before it that counts for its row."""
    source = np.asarray(table.rows["source"])
    numbers = {id(known): str(number) for number, known in enumerate(table.tables)}
    prefixes = texts(numbers[id(known)] + _BETWEEN for known in table.tables)
    return Categorical.of(prefixes[source] + where.texts())


def _tables_reader(table: Table, readers: Mapping[int, IdReader]) -> Read[Sequence[int]]:
    def read(cell: str) -> tuple[Sequence[int], Sequence[Finding]]:
        number, _, text = cell.partition(_BETWEEN)
        return readers[id(table.tables[int(number)])].read(text)

    return read


_NUMBER = re.compile(r"\d+(?:\.0+)?")


def _still_meant(table: Table, column: StrArray, is_named: BoolArray, locations: Locations) -> StrArray:
    """The names of locations. In rows of results that are tried again they may be those of an id corrected since: what
    is an id, or a name of the table, is looked up anew."""
    has_results = np.array([source.has_results for source in table.sources], dtype=bool)
    again = has_results[np.asarray(table.rows["source"])] & (np.asarray(table.rows["known_id"]) == 0) & ~is_named
    if not again.any():
        return column
    names = Categorical.of(column)
    known = [_NUMBER.fullmatch(name) is not None or name_key(name) in locations.by_name for name in names.distinct]
    column = column.copy()
    column[again & np.asarray(known, dtype=bool)[names.codes]] = ""
    return column


def _parsed(column: Categorical, read: Read[T], found: dict[int, Sequence[Finding]]) -> Iterator[T]:
    """What each distinct text means; what is wrong with it goes into ``found``. An empty one is not asked about."""
    for number, text in enumerate(column.distinct):
        value, findings = read(text)
        if findings:
            found[number] = findings
        yield value


def _add_missing(problems: Problems, name: str, column: Categorical, flawed: BoolArray) -> None:
    rows = column.where(column.distinct == "")
    finding = missing(name, _WANTED[name])
    problems.add(name, ((row, finding) for row in rows[~flawed[rows]].tolist()))


_WANTED = {
    "BusinessId": "Write the id of a location, several, a range as 1001-1010, or a name from the table of locations",
    "Action": HOW_TO_WRITE_AN_EVENT,
    "URL": "Write where the events are to go, such as https://hooks.example.com/in",
}


def _templates(
    table: Table, raw: Mapping[str, StrArray], name_template: str, problems: Problems
) -> dict[str, TemplateColumn]:
    """The templates of every field. The text of rows that are done is what the server has, and no template."""
    done = np.asarray(table.rows["known_id"]) > 0
    default = _default_name(table, name_template)
    templates: dict[str, TemplateColumn] = {}
    theirs = {header: kind for source in table.sources for kind, header in source.headers.items()}
    for name in TEMPLATED:
        column = Categorical.of(raw[name])
        braced = column.where(["{" in text or "}" in text for text in column.distinct])
        literal = braced[done[braced]]
        if len(literal) and name != "Replaces":
            written = raw[name].copy()
            written[literal] = [escape(text) for text in written[literal]]
            column = Categorical.of(written)
        if name == "Name":
            column = column.map(lambda text: text or name_template)
        found: dict[int, Sequence[Finding]] = {}
        reader = TemplateReader(name, _nameable(table, name), theirs)
        templates[name] = TemplateColumn.of(column.codes, _parsed(column, reader.read, found))
        problems.add_distinct(name, column, found)
    templates[""] = TemplateColumn.of(np.broadcast_to(np.int32(0), len(table.rows)), [default])
    for name in TEMPLATED:
        _check_placeholders(table, raw, templates, name, problems)
    return templates


def _check_placeholders(
    table: Table, raw: Mapping[str, StrArray], templates: Mapping[str, TemplateColumn], name: str, problems: Problems
) -> None:
    """A column that a template asks for may hold an error, or be a template that is filled in only later."""
    later = TEMPLATED[TEMPLATED.index(name) + 1 :]
    for key in templates[name].placeholders():
        rows = templates[name].rows_with(key)
        flaws = table.extra_flaws.get(key, {})
        problems.add_flaws(flaws[row] for row in rows.tolist() if row in flaws)
        if key in later:
            words = f"asks for {{{key}}}, which is to be filled in itself. Write out what is meant"
            sentence = f"{name} {words}"
            braced = (row for row in rows.tolist() if "{" in raw[key][row])
            problems.add(name, ((row, Finding(ErrorCode.BAD_TEMPLATE, f"{{{key}}}", sentence)) for row in braced))


def _nameable(table: Table, field: str) -> list[str]:
    others = [name for name in TEMPLATED if name != field]
    return list(dict.fromkeys([*_NAMEABLE, *others, *map(str, table.extras.columns)]))


def _default_name(table: Table, name_template: str) -> Template:
    if not name_template.strip():
        raise UsageError('--name-template must not be empty. The default is "{Location} - {Action}"')
    template, findings = TemplateReader("--name-template", _nameable(table, "Name")).read(name_template)
    if findings:
        raise UsageError(f"--name-template {shown(name_template)}: {'; '.join(found.sentence for found in findings)}")
    return template
