"""The program's entry: a signal that comes while it is still loading stops it as one that comes later."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


def _listen_no_more() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        from bulkhooks.cli.app import main as run
        from bulkhooks.cli.streams import prepare

        prepare()
        run()
    except KeyboardInterrupt:
        _listen_no_more()
        print("bulkhooks: stopped before anything was sent; run the same command again", file=sys.stderr)  # noqa: T201
        sys.exit(4)
    finally:
        _listen_no_more()  # what the interpreter puts away at its end takes no signal


if __name__ == "__main__":
    main()
