"""What rows come to: counts, and errors told apart by their sentence."""

from __future__ import annotations

import pytest

from bulkhooks.sheets.writing.advice import VERDICTS, next_steps, what_to_do
from bulkhooks.sheets.writing.counts import Tally, sentences
from bulkhooks.webhook import RESULT_COLUMNS, Status
from tests.sheets.samples import row, summary


@pytest.mark.parametrize(
    ("row_place", "error", "found"),
    [
        ("Hooks!9", "Hooks!A9: wrong", [("Hooks!A9", "wrong")]),
        ("Hooks!9", "Hooks!A9: a; b; Hooks!AB9: c", [("Hooks!A9", "a; b"), ("Hooks!AB9", "c")]),
        ("a.xlsx:My Hooks!9", "a.xlsx:My Hooks!A9: x", [("a.xlsx:My Hooks!A9", "x")]),
        ("h.csv:7", "h.csv:7 URL: x; h.csv:7 My id: y", [("h.csv:7 URL", "x"), ("h.csv:7 My id", "y")]),
        ("h.csv:7", "h.csv:7: the same as h.csv:2", [("h.csv:7", "the same as h.csv:2")]),
        ("Hooks!9", "Name: is a required field", [("Hooks!9", "Name: is a required field")]),
        ("Hooks!9", "", [("Hooks!9", "")]),
    ],
)
def test_the_sentences_of_an_error_come_with_their_places(row_place, error, found):
    """An Error cell is taken apart where the next place of its row begins, and nowhere else."""
    assert sentences(error, row_place) == found


def test_counts_do_not_depend_on_how_the_rows_arrive():
    """One batch or one row at a time: the same counts, and the same first places."""
    rows = [
        row(number, "failed" if number % 3 else "created", ErrorCode="api-error" if number % 3 else None, Error="500")
        for number in range(2, 60)
    ]
    whole, single = Tally(RESULT_COLUMNS), Tally(RESULT_COLUMNS)
    whole.add(rows)
    for line in rows:
        single.add([line])
    assert whole.rows == single.rows == 58
    assert (whole.verdicts, whole.locations, whole.actions) == (single.verdicts, single.locations, single.actions)
    assert whole.problems() == single.problems()
    (problem,) = whole.problems()
    assert (problem.count, problem.places[:2]) == (39, [("Hooks!2", 0), ("Hooks!4", 2)])


def test_errors_of_one_code_stand_together_the_most_frequent_code_first():
    """Sorted by how often the code is, then by how often the sentence."""
    errors = ["a", "b", "b", "c", "c", "d"]
    codes = ["api-error", "api-conflict", "api-conflict", "api-error", "api-error", "api-error"]
    tally = Tally(RESULT_COLUMNS)
    tally.add(
        [row(2 + n, "failed", ErrorCode=codes[n], Error=f"Hooks!{2 + n}: {errors[n]}") for n in range(len(errors))]
    )
    assert [(group.code, group.sentence) for group in tally.problems()] == [
        ("api-error", "c"),
        ("api-error", "a"),
        ("api-error", "d"),
        ("api-conflict", "b"),
    ]


def test_every_distinct_error_is_kept_up_to_a_thousand_and_the_rest_is_counted():
    """A sheet with very many different errors tells a thousand of them, and how many more there were of each kind."""
    tally = Tally(RESULT_COLUMNS)
    tally.add([row(n, "failed", ErrorCode="api-error", Error=f"Hooks!{n}: error {n}") for n in range(2, 1_502)])
    problems = tally.problems()
    assert len(problems) == 1_001
    assert sum(problem.count for problem in problems) == 1_500
    assert (problems[0].sentence, problems[0].count) == ("other errors of this kind", 500)


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
        ({"deleted": 3, "failed": 1}, ["could not be deleted"]),
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
