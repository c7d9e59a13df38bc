"""Many jobs, several at a time, and the table of what came of them.

python -m tests.chaos --runs 2000 --parallel 8 --seed 1
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tests.chaos.jobs import KINDS, Job, Tally
from tests.chaos.oracle import LOST, TWICE, WRONG
from tests.chaos.program import Main, Program, load


@dataclass(frozen=True)
class Size:
    """``jobs`` jobs (0: any number) until there were ``runs`` process runs in all, in ``parallel`` processes.

    After ``seconds`` no further job begins.
    """

    seed: int = 1
    jobs: int = 0
    runs: int = 100
    parallel: int = 4
    seconds: float = math.inf
    kinds: Sequence[str] = KINDS
    storms: int = 5
    """Processes of a job that meet bad weather before it clears, at most."""


def play(size: Size, main: Main | None = None) -> Tally:
    """Play jobs. ``main`` is the program, if not this one. For a process that has no threads."""
    if main is None:
        load()
    pipes: list[tuple[int, int]] = []
    for number in range(size.parallel):
        there = os.pipe()
        pid = os.fork()
        if pid == 0:
            _work(there[1], size, number, Program(main))
        os.close(there[1])
        pipes.append((pid, there[0]))
    tally = Tally()
    for pid, here in pipes:
        with os.fdopen(here, "rb") as told:
            tally.add(_unpacked(told.read()))
        os.waitpid(pid, 0)
    return tally


def _work(there: int, size: Size, number: int, program: Program) -> NoReturn:
    """One of the processes: it plays every so manieth job, and tells what came of them."""
    tally, seed, until = Tally(), size.seed + number, time.monotonic() + size.seconds
    jobs, runs = (-(-total // size.parallel) for total in (size.jobs, size.runs))
    try:
        while (jobs == 0 or tally.jobs.total() < jobs) and tally.runs.total() < runs and time.monotonic() < until:
            folder = Path(tempfile.mkdtemp(prefix="chaos"))
            found = Job(program, folder, seed, size.kinds[seed % len(size.kinds)], size.storms).play()
            tally.add(found)
            for finding in found.found:
                print(folder, *finding, file=sys.stderr, flush=True)
            if not (found.found and os.environ.get("CHAOS_KEEP")):
                shutil.rmtree(folder)
            seed += size.parallel
    except BaseException:  # noqa: BLE001  # it is told in the table
        tally.found.append((WRONG, f"seed {seed}", f"the suite itself: {traceback.format_exc()}"))
    with os.fdopen(there, "wb") as out:
        out.write(json.dumps([tally.jobs, tally.runs, tally.faults, tally.signals, tally.found]).encode())
    program.close()
    os._exit(0)


def _unpacked(told: bytes) -> Tally:
    *counts, found = json.loads(told)
    return Tally(*map(Counter, counts), [tuple(each) for each in found])


def table(tally: Tally, seconds: float) -> str:
    """The figures, as text."""
    bad = Counter(kind for kind, _, _ in tally.found)
    lines = [
        f"{'jobs':<28}{tally.jobs.total():>8,}",
        *(f"  {name:<26}{count:>8,}" for name, count in tally.jobs.most_common()),
        f"{'process runs':<28}{tally.runs.total():>8,}",
        *(f"  {name:<26}{count:>8,}" for name, count in tally.runs.most_common()),
        f"{'faults':<28}{tally.faults.total():>8,}",
        *(f"  {name:<26}{count:>8,}" for name, count in tally.faults.most_common()),
        f"{'signals':<28}{tally.signals.total():>8,}",
        *(f"  {name:<26}{count:>8,}" for name, count in tally.signals.most_common()),
        f"{'twice within the contract':<28}{bad[TWICE]:>8,}",
        f"{'lost':<28}{bad[LOST]:>8,}",
        f"{'wrong':<28}{bad[WRONG]:>8,}",
        f"{'seconds':<28}{seconds:>8,.0f}",
    ]
    return "\n".join([*lines, *(f"{kind}: {job}: {sentence}" for kind, job, sentence in tally.found)])
