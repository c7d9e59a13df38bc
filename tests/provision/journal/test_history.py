"""What the journal gives back of a run: its results, with the problems of each row one by one."""

from __future__ import annotations

from bulkhooks.provision.item import Operation
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.rows import InputRow, ItemRow, pack_problems
from bulkhooks.report import Problem
from bulkhooks.webhook import RESULT_COLUMNS, Status

URL = "https://hooks.example.com/in"
BAD = Problem(0, "Hooks!C2", "bad-url", "a; Hooks!D2: b", '"a; Hooks!D2: b" is no URL')
MAYBE = Problem(0, "Hooks!F2", "bad-boolean", "maybe", '"maybe" is neither yes nor no')
PLAIN = Problem(1, "Hooks!C3", "insecure-url", "http://a.io", "is http", warning=True)


def run_of(journal, *items):
    """A run with these rows, each its status, error code, sentence and problems; returns its number."""
    account = journal.account("https://spaces.example.com|admin", "default")
    run = journal.begin("run-1", command="run", job="", inputs=["hooks.xlsx"], accounts=[account], at=0.0)
    written = ("1001", "Soho", "BookingCreate", URL, "", "", "", "", "[]")
    journal.plan(
        run,
        columns=[],
        facts={},
        rows=[InputRow(number, *written) for number in range(len(items))],
        items=[
            ItemRow(
                number, f"Hooks!{number + 2}", account, 1001, "Soho", 6, URL, URL, "name", Operation.NOTHING, status,
                row=number, error_code=code, error=error, problems=pack_problems(problems),
            )
            for number, (status, code, error, problems) in enumerate(items)
        ],
    )  # fmt: skip
    return run


def cells(row):
    """The cells of a row by column."""
    return dict(zip(RESULT_COLUMNS, row.cells, strict=True))


def test_problems_come_back_one_by_one_whatever_their_values_hold(journal):
    """A value that looks like the end of one sentence and the place of the next takes nothing apart."""
    run = run_of(journal, (Status.INVALID, "", "", [BAD, MAYBE]))
    (row,) = history.results(journal, run)
    assert row.problems == [BAD, MAYBE]
    assert cells(row)["ErrorCode"] == "bad-url; bad-boolean"
    assert cells(row)["Error"] == f"{BAD}; {MAYBE}"
    assert cells(row)["Warning"] is None


def test_a_warning_stands_in_its_own_column_beside_an_error_of_the_engine(journal):
    """The row was sent in spite of the warning, and failed for another reason."""
    run = run_of(journal, (Status.EXISTS, "", "", []), (Status.FAILED, "api-error", "500", [PLAIN]))
    fine, failed = history.results(journal, run)
    assert (fine.problems, cells(fine)["Warning"]) == ([], None)
    assert failed.problems == [PLAIN, Problem(1, "Hooks!3", "api-error", "", "500")]
    found = cells(failed)
    assert (found["ErrorCode"], found["Error"], found["Warning"]) == ("api-error", "500", "insecure-url: is http")


def test_errors_are_counted_by_code_and_warnings_are_none(journal):
    """Each code with one sentence as an example, the most frequent first."""
    run = run_of(
        journal,
        (Status.INVALID, "", "", [BAD, MAYBE]),
        (Status.FAILED, "api-error", "500", [PLAIN]),
        (Status.INVALID, "", "", [BAD]),
    )
    found = [(error.code, error.count, error.example) for error in history.errors(journal, run)]
    assert found == [("bad-url", 2, str(BAD)), ("bad-boolean", 1, str(MAYBE)), ("api-error", 1, "500")]
