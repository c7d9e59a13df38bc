"""The program's entry: a signal that comes while it is still loading stops it as one that comes later."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

from bulkhooks.cli.streams import prepare


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        prepare()
        from bulkhooks.cli.app import main as run

        run()
    except KeyboardInterrupt:
        print("bulkhooks: stopped before anything was sent; run the same command again", file=sys.stderr)  # noqa: T201
        sys.exit(4)


if __name__ == "__main__":
    main()
