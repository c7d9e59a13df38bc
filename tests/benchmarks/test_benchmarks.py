"""The benchmarks run; what they come to is for ``python -m tests.benchmarks`` to say."""

from __future__ import annotations

import pytest

from tests.benchmarks.__main__ import CASES, main
from tests.benchmarks.measure import Row, table


@pytest.mark.heavy
def test_every_case_runs(capsys):
    """In the short form each case gives its lines, also where a reference is not installed."""
    assert main(["--short"]) == 0
    told = capsys.readouterr().err
    assert all(f"{case}: " in told for case in CASES)


def test_the_table_says_what_was_reached():
    """A ratio is held against its goal, a ceiling or a floor; without a goal nothing is claimed."""
    lines = list(
        table(
            [
                Row("reading", "2 s", "other 1 s", 2.0, 1.5),
                Row("sending", "9/s", "other 3/s", 3.0, 2.0, at_least=True),
                Row("expanding", "1 s", ""),
            ]
        )
    )
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[3:] for row in cells[2:]] == [["2.00", "≤ 1.5", "NO"], ["3.00", "≥ 2", "yes"], ["", "", ""]]
