"""What the journal knows: the memory that a plan is made against, and the results of every run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa

from bulkhooks import actions
from bulkhooks.errors import UsageError
from bulkhooks.provision.journal.blocks import LOCATIONS
from bulkhooks.provision.journal.database import Readable
from bulkhooks.provision.journal.listed import host_of
from bulkhooks.provision.journal.parts import missing, parts_of, together, with_input
from bulkhooks.provision.journal.rows import LINE, InputRow, ItemRow, revive, unpack_problems
from bulkhooks.provision.journal.stored import WrittenRows, items
from bulkhooks.provision.journal.tables import created, doubts, runs
from bulkhooks.provision.journal.tables import resent as sent_again
from bulkhooks.provision.stopping import PLANNED_STOPS
from bulkhooks.report import ErrorCount, Problem, Summary, counted
from bulkhooks.sheets.values import LocationLine, ResultRow, RunFacts
from bulkhooks.sheets.writing.counts import problem_cells
from bulkhooks.times import iso, moment
from bulkhooks.webhook import DONE, Status

_KNOWN = DONE | {Status.DELETED, Status.RESTORED, Status.CHANGED, Status.MISSING}
"""On these rows URL, Name and Description are what the server has."""


_NOT_SENT = "not sent: "
"""Before the reason for which a row was not sent."""

MADE_BY = "Made by"
"""The fact that tells which runs made what exists, a line each."""

OWNED = ("id", "business_id", "location", "action", "url", "url_key", "name", "description")
KEY = ("business_id", "action", "url_key")
DOUBTED = ("business_id", "action", "url_key", "was_absent")


def owned(journal: Readable, account_id: int) -> pd.DataFrame:
    """Webhooks this tool made for the account and has not seen gone: columns ``OWNED``, by id."""
    found = journal.query(
        sa.select(created.c.webhook_id, *(created.c[name] for name in OWNED[1:]))
        .where(created.c.account == account_id, created.c.deleted_at.is_(None))
        .order_by(created.c.webhook_id)
    )
    return frame(found, OWNED)


def doubted(journal: Readable, account_id: int) -> pd.DataFrame:
    """Identities of the account whose last send has no outcome: columns ``DOUBTED``.

    ``was_absent`` is 1 where the server was seen not to have it before it was sent.
    """
    found = journal.query(
        sa.select(*(doubts.c[name] for name in DOUBTED))
        .where(doubts.c.account == account_id)
        .order_by(doubts.c.sent_at)
    )
    return frame(found, DOUBTED)


def resent(journal: Readable, account_id: int) -> pd.DataFrame:
    """Identities of the account that were sent again, and of which a twin may turn up: columns ``KEY``."""
    wanted = sa.select(*(sent_again.c[name] for name in KEY)).where(sent_again.c.account == account_id)
    return frame(journal.query(wanted), KEY)


def frame(rows: Iterable[Sequence[object]], columns: Sequence[str]) -> pd.DataFrame:
    """A frame whose numbers are int64 and whose texts are objects, also where there is no row."""
    made = pd.DataFrame(list(rows), columns=list(columns), dtype=object)
    return made.astype({name: "int64" for name in ("id", "business_id", "action", "was_absent") if name in columns})


def own_columns(journal: Readable, run: int) -> list[str]:
    """The input's own columns that a run carried along, in order."""
    ((columns,),) = _of(journal, with_input(journal, run), runs.c["columns"])
    return list(json.loads(columns))


def run_facts(journal: Readable, run: int) -> RunFacts:
    """What the workbook of a run's results tells besides its rows."""
    found: dict[str, str] = {}
    for part in parts_of(journal, run):
        ((facts, holder),) = _of(journal, part, runs.c.facts, runs.c.holder)
        for name, fact in (json.loads(facts) | {"Computer": host_of(holder)}).items():
            found[name] = together(found.get(name, ""), fact, "\n" if name == MADE_BY else ", ")
    blocks = journal.blocks(with_input(journal, run), LOCATIONS)
    table = [LocationLine(*line) for block in blocks for line in journal.unpacked(block.content, LINE)]
    return RunFacts(found, table, run_warnings(journal, run))


def run_number(journal: Readable, run_id: str, *, even_pruned: bool = False) -> int:
    """The journal's number of a run; ``last`` is the newest. ``UsageError`` where there is none of that id.

    Of a run that was removed from the journal only what it made is left, if that: for who takes it back,
    ``even_pruned``.
    """
    if run_id == "last":
        is_whole = runs.c.part_of.is_(None)
        newest = sa.select(sa.func.max(runs.c.id)).where(runs.c.command != "undo", runs.c.pruned_at.is_(None), is_whole)
        found = journal.query(newest)
    else:
        named = sa.select(runs.c.id).where(runs.c.run_id == run_id)
        found = journal.query(named if even_pruned else named.where(runs.c.pruned_at.is_(None)))
    if not found or found[0][0] is None:
        raise UsageError(f"--run {run_id}: the journal {journal.place} has no such run; `bulkhooks runs` lists them")
    return int(found[0][0])


def has_run(journal: Readable, name: str) -> bool:
    """Whether any run is called so, also one of which only what it made is left."""
    return bool(journal.query(sa.select(runs.c.id).where(runs.c.run_id == name)))


def run_id(journal: Readable, run: int) -> str:
    """How the run of that number is called."""
    ((found,),) = _of(journal, run, runs.c.run_id)
    return str(found)


def results(
    journal: Readable, run: int, waiting: Status = Status.PENDING, rows: range | None = None
) -> Iterator[ResultRow]:
    """The rows of a run's results, their cells those of ``RESULT_COLUMNS`` and then ``own_columns``, in input order.

    ``waiting`` is the word for rows that still have something to send; ``rows`` are those of the input to keep, None
    keeps all. Deletions, which no row of the input asked for, stand with its first row.
    """
    written = WrittenRows(journal, run)
    width = len(own_columns(journal, run))
    kept = None if rows is None else range(rows.start or -1, rows.stop)
    for item in items(journal, run, kept):
        yield _result(item, written.of(item.row), width, waiting)


def done(journal: Readable, run: int, account_id: int) -> set[int]:
    """Ids of the account's webhooks that a run has made or changed, or found as they should be."""
    return {item.webhook_id for item in items(journal, run) if item.account == account_id and item.status in DONE}


def counts(journal: Readable, run: int, waiting: Status = Status.PENDING) -> dict[str, int]:
    """Rows of a run by status, in the order of ``Status``."""
    found = Counter(item.status for item in items(journal, run))
    if Status.PENDING in found:
        found[waiting] = found.pop(Status.PENDING)
    return {str(status): found[status] for status in Status if status in found}


def errors(journal: Readable, run: int) -> list[ErrorCount]:
    """The error codes of a run, the most frequent first, each with a sentence as an example; warnings are no errors."""
    found: dict[str, ErrorCount] = {}
    for item in items(journal, run):
        problems = unpack_problems(item.problems, item.row) if item.status == Status.INVALID else ()
        errors = [(problem.code, str(problem)) for problem in problems if not problem.warning]
        if item.error_code and not _is_planned(item):
            errors.append((item.error_code, item.error or ""))
        for code, example in errors:
            found.setdefault(code, ErrorCount(code, 0, example)).count += 1
    return sorted(found.values(), key=lambda error: -error.count)


def _is_planned(item: ItemRow) -> bool:
    """Whether a row was left pending by a stop that somebody asked for: nothing went wrong there."""
    return item.status == Status.PENDING and (item.error or "").removeprefix(_NOT_SENT).startswith(PLANNED_STOPS)


def run_warnings(journal: Readable, run: int) -> list[Problem]:
    """The warnings that concern the whole input or run, and no row."""
    found = [_of(journal, part, runs.c.warnings)[0][0] for part in parts_of(journal, run)]
    return list(dict.fromkeys(problem for packed in found for problem in unpack_problems(packed, -1)))


def warnings(journal: Readable, run: int) -> list[ErrorCount]:
    """The warning codes of a run; what stands in one row of the input counts once, however many webhooks it makes."""
    packed = dict.fromkeys((item.row, item.problems) for item in items(journal, run) if item.problems)
    of_rows = (problem for row, problems in packed for problem in unpack_problems(problems, row) if problem.warning)
    return counted([*run_warnings(journal, run), *dict.fromkeys(of_rows)])


def summary(journal: Readable, run: int) -> Summary:
    """What a run said of itself; of one that never ended, what the journal knows; of one in shards, that of all."""
    parts = parts_of(journal, run)
    if parts != [run]:
        return _of_all(journal, run, [summary(journal, part) for part in parts])
    ((run_id, started_at, inputs, text, known),) = _of(
        journal, run, runs.c.run_id, runs.c.started_at, runs.c.inputs, runs.c.summary, runs.c.facts
    )
    facts, inputs = json.loads(known), json.loads(inputs)
    found = Summary.from_dict(json.loads(text)) if text else _unfinished(journal, run, run_id, started_at, inputs)
    if not found.target:
        found.target = facts.get("Server", "")
        found.accounts = list(filter(None, facts.get("Accounts", "").split(", ")))
        found.user = facts.get("User", "")
    return found


def _of(journal: Readable, run: int, *columns: sa.Column[Any]) -> list[tuple[Any, ...]]:
    """Columns of a run, as the one row that there is."""
    return journal.query(sa.select(*columns).where(runs.c.id == run))


def _unfinished(journal: Readable, run: int, run_id: str, started_at: float, inputs: Sequence[str]) -> Summary:
    by_status = counts(journal, run)
    return Summary(
        run_id,
        status="incomplete",
        counts=by_status,
        total=sum(by_status.values()),
        started_at=iso(started_at) or "",
        remaining=by_status.get(Status.PENDING, 0),
        inputs=list(inputs),
        errors=errors(journal, run),
        warnings=warnings(journal, run),
    )


def _of_all(journal: Readable, run: int, parts: Sequence[Summary]) -> Summary:
    """The summary of a run in shards; what was sent is that of the last round of each."""
    ((run_id, inputs),) = _of(journal, run, runs.c.run_id, runs.c.inputs)
    by_status = counts(journal, run)
    found = Summary(
        run_id,
        counts=by_status,
        total=sum(by_status.values()),
        remaining=by_status.get(Status.PENDING, 0),
        inputs=json.loads(inputs),
        errors=errors(journal, run),
        warnings=warnings(journal, run),
        started_at=min(part.started_at for part in parts),
        resume_at=min((part.resume_at for part in parts if part.resume_at), default=None),
        accounts=sorted({name for part in parts for name in part.accounts}),
    )
    for name in ("writes", "requests", "throttled", "retried"):
        setattr(found, name, sum(getattr(part, name) for part in parts))
    for name in ("target", "user"):
        setattr(found, name, ", ".join(dict.fromkeys(filter(None, (getattr(part, name) for part in parts)))))
    found.settle(refused=any(part.status == "auth-error" for part in parts))
    is_over = all(part.finished_at for part in parts) and not missing(journal, run)[0]
    if is_over:
        found.close(max(moment(part.finished_at) for part in parts))
    elif found.status != "auth-error":
        found.status = "incomplete"
    return found


def _result(item: ItemRow, written: InputRow | None, width: int, waiting: Status) -> ResultRow:
    problems = unpack_problems(item.problems, item.row)
    codes, sentences, warnings = problem_cells(problems)
    if not codes:  # no error of the row itself: the engine's, or which row it repeats
        codes, sentences = item.error_code, item.error
        if item.error_code and not _is_planned(item):
            problems.append(Problem(item.row, item.place, item.error_code, "", item.error or ""))
    head: list[object]
    if item.status == Status.INVALID and written is not None:
        head = [
            _number(written.business), written.location, written.action, None,
            written.url, written.name, written.description, written.active,
        ]  # fmt: skip
    else:
        head = [item.business_id, item.location, actions.name_of(item.action), item.action]
        if item.status in _KNOWN or written is None:
            head += [item.url, item.name, item.description or None]
        else:
            head += [written.url, written.name, written.description]
            if item.attempts:
                sentences = _with_what_was_sent(
                    sentences,
                    {
                        "URL": (item.url, written.url),
                        "Name": (item.name, written.name),
                        "Description": (item.description, written.description),
                    },
                )
        head.append(None if item.active is None else bool(item.active))
    ours = [
        item.place, *head, written and written.account, waiting if item.status == Status.PENDING else item.status,
        item.webhook_id or None, item.http_status, codes, sentences, warnings, item.changes,
        "yes" if item.verified else None, item.attempts, iso(item.sent_at), item.duration_ms,
    ]  # fmt: skip
    theirs = json.loads(written.extras, object_hook=revive) if written and written.extras else [None] * width
    return ResultRow([None if value == "" else value for value in ours] + theirs, problems)


def _number(text: str) -> str | int:
    """An id that stands alone in a cell is a number, as everywhere in the results."""
    return int(text) if text.isascii() and text.isdecimal() and not text.startswith("0") and len(text) < 16 else text


def _with_what_was_sent(error: str, fields: Mapping[str, tuple[str | None, str]]) -> str:
    """The error, and the fields that the sheet has and that were not sent as they stand there."""
    sent = ", ".join(f"{name} {sent}" for name, (sent, written) in fields.items() if sent and written not in {"", sent})
    return f"{error} (sent: {sent})" if sent else error
