"""Killed at any moment, run again: each webhook once, no id lost.

``CRASH_KILLS=300 pytest tests/crash/test_kill.py`` is the long form; it prints what it did at its end with ``-s``.
"""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from tests.crash.bench import Bench, sandbox

KILLS = int(os.environ.get("CRASH_KILLS", "24"))
"""How many kills the whole module survives at least."""

MISFORTUNES = {
    "no fault": (),
    "every fault": ("drop-before=0.08", "drop-after=0.08", "error-500=0.08", "slow=0.02:1.5"),
    "answers lost": ("drop-after=0.4",),
}


@pytest.mark.parametrize("faults", MISFORTUNES.values(), ids=MISFORTUNES)
def test_a_run_killed_again_and_again_makes_each_webhook_once(tmp_path, faults):
    """SIGKILL at moments that a seed chooses, until a run gets to its end by itself."""
    kills, seed, struck = 0, 0, Counter()
    while kills < KILLS / len(MISFORTUNES):
        seed += 1
        folder = tmp_path / str(seed)
        folder.mkdir()
        with sandbox(*faults, seed=seed) as far_end:
            bench = Bench(folder, far_end.base_url)
            draw = random.Random(seed)
            code = None
            while code is None:
                code = bench.run_and_kill(draw)
            assert code == 0
            bench.check()
            assert bench.stats()["duplicates"] == 0
            struck.update(bench.stats()["faults"])
            bench.close()
        kills += bench.kills
    print(f"\n{kills} kills in {seed} jobs; faults: {dict(struck) or 'none'}; duplicates 0, lost ids 0")
