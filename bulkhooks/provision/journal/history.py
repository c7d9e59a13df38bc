"""What the journal knows: the memory that a plan is made against, and the results of every run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from bulkhooks import actions
from bulkhooks.errors import UsageError
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import revive, unpack_problems
from bulkhooks.provision.stopping import PLANNED_STOPS
from bulkhooks.report import ErrorCount, Problem, Summary, counted, iso
from bulkhooks.sheets.values import LocationLine, ResultRow, RunFacts
from bulkhooks.sheets.writing.counts import problem_cells
from bulkhooks.webhook import DONE, Status

_KNOWN = DONE | {Status.DELETED, Status.RESTORED, Status.CHANGED, Status.MISSING}
"""On these rows URL, Name and Description are what the server has."""


_NOT_SENT = "not sent: "
"""Before the reason for which a row was not sent."""

OWNED = ("id", "business_id", "location", "action", "url", "url_key", "name", "description")
KEY = ("business_id", "action", "url_key")
DOUBTED = ("business_id", "action", "url_key", "was_absent")


def owned(journal: Journal, account_id: int) -> pd.DataFrame:
    """Webhooks this tool made for the account and has not seen gone: columns ``OWNED``, by id."""
    found = journal.query(
        "SELECT webhook_id, business_id, location, action, url, url_key, name, description FROM created"
        " WHERE account = ? AND deleted_at IS NULL ORDER BY webhook_id",
        (account_id,),
    )
    return frame(found, OWNED)


def doubted(journal: Journal, account_id: int) -> pd.DataFrame:
    """Identities of the account whose last send has no outcome: columns ``DOUBTED``.

    ``was_absent`` is 1 where the server was seen not to have it before it was sent.
    """
    found = journal.query(
        "SELECT business_id, action, url_key, was_absent FROM doubts WHERE account = ? ORDER BY sent_at", (account_id,)
    )
    return frame(found, DOUBTED)


def resent(journal: Journal, account_id: int) -> pd.DataFrame:
    """Identities of the account that were sent again, and of which a twin may turn up: columns ``KEY``."""
    return frame(journal.query("SELECT business_id, action, url_key FROM resent WHERE account = ?", (account_id,)), KEY)


def frame(rows: Iterable[Sequence[object]], columns: Sequence[str]) -> pd.DataFrame:
    """A frame whose numbers are int64 and whose texts are objects, also where there is no row."""
    made = pd.DataFrame(list(rows), columns=list(columns), dtype=object)
    return made.astype({name: "int64" for name in ("id", "business_id", "action", "was_absent") if name in columns})


def own_columns(journal: Journal, run: int) -> list[str]:
    """The input's own columns that a run carried along, in order."""
    ((columns,),) = journal.query("SELECT columns FROM runs WHERE id = ?", (run,))
    return list(json.loads(columns))


def run_facts(journal: Journal, run: int) -> RunFacts:
    """What the workbook of a run's results tells besides its rows."""
    ((facts, locations),) = journal.query("SELECT facts, locations FROM runs WHERE id = ?", (run,))
    table = [LocationLine(*line) for line in json.loads(locations)]
    return RunFacts(json.loads(facts), table, run_warnings(journal, run))


def run_number(journal: Journal, run_id: str) -> int:
    """The journal's number of a run; ``last`` is the newest. ``UsageError`` where there is none of that id."""
    if run_id == "last":
        found = list(journal.query("SELECT max(id) FROM runs WHERE command <> 'undo'"))
    else:
        found = list(journal.query("SELECT id FROM runs WHERE run_id = ?", (run_id,)))
    if not found or found[0][0] is None:
        raise UsageError(f"--run {run_id}: the journal {journal.path} has no such run; `bulkhooks runs` lists them")
    return int(found[0][0])


def run_id(journal: Journal, run: int) -> str:
    """How the run of that number is called."""
    ((found,),) = journal.query("SELECT run_id FROM runs WHERE id = ?", (run,))
    return str(found)


def results(
    journal: Journal, run: int, waiting: Status = Status.PENDING, rows: range | None = None
) -> Iterator[ResultRow]:
    """The rows of a run's results, their cells those of ``RESULT_COLUMNS`` and then ``own_columns``, in input order.

    ``waiting`` is the word for rows that still have something to send; ``rows`` are those of the input to keep, None
    keeps all. Deletions, which no row of the input asked for, stand with its first row.
    """
    first, last = (-1, -1) if rows is None else (rows.start or -1, rows.stop - 1)
    found = journal.query(
        "SELECT place, business_id, i.location, i.action, i.url, i.name, i.description, i.active, i.account, status,"
        " webhook_id, http_status, error_code, error, changes, verified, attempts, sent_at, duration_ms,"
        " i.row, i.problems,"
        " r.business, r.location, r.action, r.url, r.name, r.description, r.active, r.account, r.extras"
        " FROM items i LEFT JOIN rows r ON r.run = i.run AND r.row = i.row"
        " WHERE i.run = ? AND (? OR i.row BETWEEN ? AND ?) ORDER BY seq",
        (run, rows is None, first, last),
    )
    width = len(own_columns(journal, run))
    for values in found:
        yield _result(values, width, waiting)


def done(journal: Journal, run: int, account_id: int) -> set[int]:
    """Ids of the account's webhooks that a run has made or changed, or found as they should be."""
    found = journal.query("SELECT webhook_id, status FROM items WHERE run = ? AND account = ?", (run, account_id))
    return {int(webhook_id) for webhook_id, status in found if status in DONE}


def counts(journal: Journal, run: int, waiting: Status = Status.PENDING) -> dict[str, int]:
    """Rows of a run by status, in the order of ``Status``."""
    found = dict(journal.query("SELECT status, count(*) FROM items WHERE run = ? GROUP BY status", (run,)))
    if Status.PENDING in found:
        found[waiting] = found.pop(Status.PENDING)
    return {str(status): found[status] for status in Status if status in found}


def errors(journal: Journal, run: int) -> list[ErrorCount]:
    """The error codes of a run, the most frequent first, each with a sentence as an example; warnings are no errors."""
    found: dict[str, ErrorCount] = {}
    # Only an invalid row has errors among its problems; the engine's own are found by the database.
    invalid = journal.query(
        "SELECT row, problems FROM items WHERE run = ? AND status = ? AND problems IS NOT NULL ORDER BY seq",
        (run, Status.INVALID),
    )
    for row, packed in invalid:
        for problem in unpack_problems(packed, row):
            if not problem.warning:
                found.setdefault(problem.code, ErrorCount(problem.code, 0, str(problem))).count += 1
    # What a signal or a limit left pending went wrong nowhere: somebody wanted it to wait.
    failed = journal.query(
        "SELECT error_code, count(*), error FROM items WHERE run = ? AND error_code <> ''"
        " AND NOT (status = ? AND (error LIKE ? OR error LIKE ? OR error LIKE ? OR error LIKE ?))"
        " GROUP BY error_code ORDER BY min(seq)",
        (run, Status.PENDING, *(f"{_NOT_SENT}{reason}%" for reason in PLANNED_STOPS)),
    )
    for code, count, error in failed:
        found.setdefault(code, ErrorCount(code, 0, error or "")).count += count
    return sorted(found.values(), key=lambda error: -error.count)


def run_warnings(journal: Journal, run: int) -> list[Problem]:
    """The warnings that concern the whole input or run, and no row."""
    ((packed,),) = journal.query("SELECT warnings FROM runs WHERE id = ?", (run,))
    return unpack_problems(packed, -1)


def warnings(journal: Journal, run: int) -> list[ErrorCount]:
    """The warning codes of a run; what stands in one row of the input counts once, however many webhooks it makes."""
    packed = journal.query(
        "SELECT DISTINCT row, problems FROM items WHERE run = ? AND problems IS NOT NULL ORDER BY seq", (run,)
    )
    of_rows = (problem for row, problems in packed for problem in unpack_problems(problems, row) if problem.warning)
    return counted([*run_warnings(journal, run), *dict.fromkeys(of_rows)])


def summary(journal: Journal, run: int) -> Summary:
    """What a run said of itself; of one that never ended, what the journal knows."""
    ((run_id, started_at, inputs, text, known),) = journal.query(
        "SELECT run_id, started_at, inputs, summary, facts FROM runs WHERE id = ?", (run,)
    )
    facts, inputs = json.loads(known), json.loads(inputs)
    found = Summary.from_dict(json.loads(text)) if text else _unfinished(journal, run, run_id, started_at, inputs)
    if not found.target:
        found.target = facts.get("Server", "")
        found.accounts = list(filter(None, facts.get("Accounts", "").split(", ")))
        found.user = facts.get("User", "")
    return found


def _unfinished(journal: Journal, run: int, run_id: str, started_at: float, inputs: Sequence[str]) -> Summary:
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


def runs(journal: Journal) -> list[dict[str, object]]:
    """The runs in the journal, the newest first."""
    found = journal.query(
        "SELECT run_id, command, job, started_at, finished_at, inputs, summary, facts,"
        " (SELECT group_concat(name, ', ') FROM run_accounts JOIN accounts ON accounts.id = account"
        " WHERE run = runs.id)"
        " FROM runs ORDER BY id DESC"
    )
    return [
        {
            "run_id": run_id,
            "command": command,
            "job": job,
            "started_at": iso(started_at),
            "finished_at": iso(finished_at),
            "accounts": accounts or "",
            "user": json.loads(facts).get("User", ""),
            "inputs": json.loads(inputs),
            "status": (json.loads(summary) if summary else {}).get("status", "unfinished"),
            "counts": (json.loads(summary) if summary else {}).get("counts", {}),
        }
        for run_id, command, job, started_at, finished_at, inputs, summary, facts, accounts in found
    ]


def _result(values: Sequence[Any], width: int, waiting: Status) -> ResultRow:
    (
        place, business_id, location, action, url, name, description, active, _, status,
        webhook_id, http_status, error_code, error, changes, verified, attempts, sent_at, duration_ms,
        row, packed_problems,
        raw_business, raw_location, raw_action, raw_url, raw_name, raw_description, raw_active, raw_account, extras,
    ) = values  # fmt: skip
    problems = unpack_problems(packed_problems, row)
    codes, sentences, warnings = problem_cells(problems)
    if not codes:  # no error of the row itself: the engine's, or which row it repeats
        codes, sentences = error_code, error
        waits = status == Status.PENDING and (error or "").removeprefix(_NOT_SENT).startswith(PLANNED_STOPS)
        if error_code and not waits:
            problems.append(Problem(row, place, error_code, "", error or ""))
    head: list[object]
    if status == Status.INVALID:
        head = [_number(raw_business), raw_location, raw_action, None, raw_url, raw_name, raw_description, raw_active]
    else:
        head = [business_id, location, actions.name_of(action), action]
        if status in _KNOWN or extras is None:
            head += [url, name, description or None]
        else:
            head += [raw_url, raw_name, raw_description]
            if attempts:
                written = {
                    "URL": (url, raw_url),
                    "Name": (name, raw_name),
                    "Description": (description, raw_description),
                }
                sentences = _with_what_was_sent(sentences, written)
        head.append(None if active is None else bool(active))
    ours = [
        place, *head, raw_account, waiting if status == Status.PENDING else status,
        webhook_id or None, http_status, codes, sentences, warnings, changes, "yes" if verified else None,
        attempts, iso(sent_at), duration_ms,
    ]  # fmt: skip
    theirs = json.loads(extras, object_hook=revive) if extras else [None] * width
    return ResultRow([None if value == "" else value for value in ours] + theirs, problems)


def _number(text: str) -> str | int:
    """An id that stands alone in a cell is a number, as everywhere in the results."""
    return int(text) if text.isascii() and text.isdecimal() and not text.startswith("0") and len(text) < 16 else text


def _with_what_was_sent(error: str, fields: dict[str, tuple[str, str]]) -> str:
    """The error, and the fields that the sheet has and that were not sent as they stand there."""
    sent = ", ".join(f"{name} {sent}" for name, (sent, written) in fields.items() if sent and written not in {"", sent})
    return f"{error} (sent: {sent})" if sent else error
