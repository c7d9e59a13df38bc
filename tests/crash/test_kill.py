"""Killed at any moment, run again: each webhook once, no id lost.

``pytest -m heavy tests/crash/test_kill.py`` is the long form; with ``-s`` it prints what it did.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.crash.bench import Bench, sandbox

EVERY_FAULT = ("drop-before=0.08", "drop-after=0.08", "error-500=0.08", "slow=0.02:1.5")


@pytest.mark.parametrize(
    ("journal", "at_least", "faults"),
    [
        pytest.param("file", 3, EVERY_FAULT, id="every fault, short"),
        pytest.param("file", 30, EVERY_FAULT, id="every fault", marks=pytest.mark.heavy),
        pytest.param("file", 30, (), id="no fault", marks=pytest.mark.heavy),
        pytest.param("file", 30, ("drop-after=0.4",), id="answers lost", marks=pytest.mark.heavy),
        pytest.param("postgresql", 10, EVERY_FAULT, id="every fault, shared", marks=pytest.mark.heavy),
    ],
    indirect=["journal"],
)
def test_a_run_killed_again_and_again_makes_each_webhook_once(tmp_path, at_least, faults, journal):
    """SIGKILL at moments that a seed chooses, until a run gets to its end by itself."""
    kills, seed, struck = 0, 0, Counter()
    while kills < at_least:
        seed += 1
        folder = tmp_path / str(seed)
        folder.mkdir()
        with sandbox(*faults, seed=seed) as far_end:
            bench = Bench(folder, far_end.base_url, journal=journal)
            draw = random.Random(seed)
            code = None
            while code is None:
                code = bench.run_and_kill(draw, "--timeout", "1")
            assert code == 0
            bench.check()
            assert bench.stats()["duplicates"] == 0
            struck.update(bench.stats()["faults"])
            bench.close()
        kills += bench.kills
    print(f"\n{kills} kills in {seed} jobs; faults: {dict(struck) or 'none'}; duplicates 0, lost ids 0")
