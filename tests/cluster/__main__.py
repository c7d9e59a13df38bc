"""``python -m tests.cluster --kills 500 --pauses 200``: play, print the table, exit 1 where something was wrong."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from tests.cluster.campaign import FENCED, HEAD, UNFENCED, Size, play, table


def main() -> int:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster")
    for field in dataclasses.fields(Size):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    parser.add_argument("--unfenced", action="store_true", help="play the program without its fence")
    given = vars(parser.parse_args())
    program = UNFENCED if given.pop("unfenced") else FENCED
    print(HEAD)
    rounds = play(Size(**given), program)
    print(table(rounds))
    return int(any(each.twice or each.lost or each.wrong for each in rounds))


if __name__ == "__main__":
    sys.exit(main())
