"""``python -m tests.chaos --runs 2000 --parallel 8``: play jobs, print the table, exit 1 where something was wrong."""

from __future__ import annotations

import argparse
import math
import sys
import time

from tests.chaos import blind
from tests.chaos.campaign import Size, play, table
from tests.chaos.jobs import KINDS


def main() -> int:
    """Of the command line. With CHAOS_KEEP set the folders of jobs that went wrong are kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=0, help="how many jobs; 0: as many as the runs take")
    parser.add_argument("--runs", type=int, default=100, help="how many process runs")
    parser.add_argument("--parallel", type=int, default=4, help="how many jobs at a time")
    parser.add_argument("--seconds", type=float, default=math.inf, help="after so many no further job begins")
    parser.add_argument("--storms", type=int, default=5, help="how many runs of a job meet bad weather at most")
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--blind", action="store_true", help="play a sender that sends blindly what is not answered")
    given = vars(parser.parse_args())
    program, start = blind.main if given.pop("blind") else None, time.monotonic()
    tally = play(Size(**given), program)
    print(table(tally, time.monotonic() - start))
    return int(bool(tally.found))


if __name__ == "__main__":
    sys.exit(main())
