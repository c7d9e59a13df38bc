"""What rows come to: counts, and errors told apart by their sentence."""

from __future__ import annotations

import pytest

from bulkhooks.sheets.writing.advice import VERDICTS, next_steps, what_to_do
from bulkhooks.sheets.writing.counts import Tally, problem_cells
from bulkhooks.webhook import RESULT_COLUMNS, Status
from tests.sheets.samples import problem, row, summary


def test_the_cells_of_a_row_join_its_errors_and_its_warnings():
    """Codes in ErrorCode, sentences with their places in Error, warnings with their codes in Warning."""
    problems = [
        problem("bad-url", '"a; b" is no URL', "Hooks!C7"),
        problem("insecure-url", "is http", "Hooks!C7", warning=True),
        problem("bad-boolean", "is neither", "Hooks!F7"),
        problem("private-url", "is private", "Hooks!C7", warning=True),
    ]
    assert problem_cells(problems) == (
        "bad-url; bad-boolean",
        'Hooks!C7: "a; b" is no URL; Hooks!F7: is neither',
        "insecure-url: is http; private-url: is private",
    )
    assert problem_cells([]) == ("", "", "")


def test_counts_do_not_depend_on_how_the_rows_arrive():
    """One batch or one row at a time: the same counts, and the same first places."""
    rows = [
        row(number, "failed", problem("api-error", "500", f"Hooks!{number}")) if number % 3 else row(number)
        for number in range(2, 60)
    ]
    whole, single = Tally(RESULT_COLUMNS), Tally(RESULT_COLUMNS)
    whole.add(rows)
    for line in rows:
        single.add([line])
    assert whole.rows == single.rows == 58
    assert (whole.verdicts, whole.locations, whole.actions) == (single.verdicts, single.locations, single.actions)
    assert whole.problems() == single.problems()
    (group,) = whole.problems()
    assert (group.count, group.places[:2]) == (39, [("Hooks!2", 0), ("Hooks!4", 2)])


def test_errors_of_one_code_stand_together_the_most_frequent_code_first():
    """Sorted by how often the code is, then by how often the sentence."""
    errors = ["a", "b", "b", "c", "c", "d"]
    codes = ["api-error", "api-conflict", "api-conflict", "api-error", "api-error", "api-error"]
    tally = Tally(RESULT_COLUMNS)
    tally.add([row(2 + n, "failed", problem(codes[n], errors[n], f"Hooks!{2 + n}")) for n in range(len(errors))])
    assert [(group.code, group.sentence) for group in tally.problems()] == [
        ("api-error", "c"),
        ("api-error", "a"),
        ("api-error", "d"),
        ("api-conflict", "b"),
    ]


def test_every_distinct_error_is_kept_up_to_a_thousand_and_the_rest_is_counted():
    """A sheet with very many different errors tells a thousand of them, and how many more there were of each kind."""
    tally = Tally(RESULT_COLUMNS)
    tally.add([row(n, "failed", problem("api-error", f"error {n}", f"Hooks!{n}")) for n in range(2, 1_502)])
    problems = tally.problems()
    assert len(problems) == 1_001
    assert sum(group.count for group in problems) == 1_500
    assert (problems[0].sentence, problems[0].count) == ("other errors of this kind", 500)


def test_warnings_stand_behind_the_errors_and_are_counted_apart():
    """However many there are: what stops a row comes first."""
    tally = Tally(RESULT_COLUMNS)
    tally.add([row(n, "created", problem("insecure-url", "is http", f"Hooks!C{n}", warning=True)) for n in range(2, 9)])
    tally.add([row(9, "failed", problem("api-error", "500", "Hooks!9"))])
    assert [(group.code, group.count, group.is_warning) for group in tally.problems()] == [
        ("api-error", 1, False),
        ("insecure-url", 7, True),
    ]


def test_every_status_has_a_meaning_and_every_code_an_advice():
    """No word of the results is left without an explanation."""
    assert set(map(str, Status)) <= set(VERDICTS)
    codes = [
        *("missing-value", "bad-business-id", "unknown-location", "unknown-action", "bad-url", "bad-boolean"),
        *("bad-template", "formula-error", "too-wide", "unknown-account", "insecure-url", "private-url", "never-fires"),
        *("already-exists", "api-validation", "api-auth", "api-forbidden", "api-not-found", "api-conflict"),
        *("api-error", "in-doubt", "not-sent"),
    ]
    assert not [code for code in codes if what_to_do(code) == what_to_do("no such code")]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"created": 3}, []),
        ({"created": 3, "invalid": 1}, ["run this very file"]),
        ({"deleted": 3, "failed": 1}, ["could not be taken back"]),
        ({"created": 1, "deleted": 3, "failed": 1}, ["run this very file"]),
        ({"pending": 2, "unknown": 1}, ["Run the same command again", "--resend-unknown"]),
        ({"disabled": 1}, ["--reactivate"]),
    ],
)
def test_what_to_do_next_follows_from_what_became_of_the_rows(counts, words):
    """Each outcome that needs somebody has one sentence, and where all is well there is none."""
    steps = next_steps(summary(), counts)
    assert len(steps) == len(words)
    assert all(word in step for word, step in zip(words, steps, strict=True))


def test_the_id_and_the_name_of_one_place_are_one_line():
    """Two places of one name are told apart by their ids; what nobody knows keeps its own words."""
    tally = Tally(RESULT_COLUMNS)
    tally.add(
        [
            row(2, BusinessId=1001, Location="Soho"),
            row(3, "invalid", BusinessId="1001", Location=None),
            row(4, "invalid", BusinessId="soho", Location=None),
            row(5, BusinessId=1002, Location="Annex"),
            row(6, BusinessId=1003, Location="Annex"),
            row(7, "invalid", BusinessId="Nowhere", Location=None),
        ]
    )
    assert tally.by_location() == {
        ("Soho", "created"): 1,
        ("Soho", "invalid"): 2,
        ("Annex (1002)", "created"): 1,
        ("Annex (1003)", "created"): 1,
        ("Nowhere", "invalid"): 1,
    }
