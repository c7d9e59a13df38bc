"""The program's entry: a signal that comes while it is still loading stops it as one that comes later."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

_STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    # What is half made now, an event loop for example, fails when it is put away, and Python would tell of it.
    sys.unraisablehook = lambda _: None
    raise KeyboardInterrupt


def _listen(handler: signal.Handlers | None = None) -> None:
    for number in _STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup and a shell's & leave it
            signal.signal(number, handler or _stop)


def main() -> None:
    """Run the command line."""
    try:
        _listen()
        from bulkhooks.cli.app import main as run
        from bulkhooks.cli.streams import prepare

        prepare()
        run()
    except KeyboardInterrupt:
        _listen(signal.SIG_IGN)
        print("bulkhooks: stopped before anything was sent; run the same command again", file=sys.stderr)  # noqa: T201
        sys.exit(4)
    finally:
        _listen(signal.SIG_IGN)  # what the interpreter puts away at its end takes no signal


if __name__ == "__main__":
    main()
