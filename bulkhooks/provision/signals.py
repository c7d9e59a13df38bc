"""SIGINT and SIGTERM: the first ends a command in good order, the second at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import anyio

from bulkhooks.errors import Aborted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Listens while ``listen()`` runs. ``first`` is called with the signal's name, ``again`` for each later one."""

    def __init__(self, first: Callable[[str], None], again: Callable[[], None]) -> None:
        self._first = first
        self._again = again
        self._count = 0
        self._stands_still = False

    async def listen(self) -> None:
        """Hear signals until cancelled; in the main thread only."""
        was_called = False
        with anyio.open_signal_receiver(*_SIGNALS) as signals, self._counting():
            async for number in signals:
                if was_called:
                    self._again()
                else:
                    was_called = True
                    self._first(signal.Signals(number).name)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Long work inside that never awaits, so that nobody listens: the second signal raises ``Aborted`` in it."""
        self._stands_still = True
        try:
            self._stop_at_the_second()
            yield
        finally:
            self._stands_still = False

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Count signals when they come, which is before anybody who listens to them hears of them."""
        # The event loop's own handlers are in place by now; ours wraps them and calls them, and is taken off first.
        listening = {number: signal.getsignal(number) for number in _SIGNALS}

        def count(number: int, frame: FrameType | None) -> None:
            self._count += 1
            handler = listening[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)
            self._stop_at_the_second()

        for number in _SIGNALS:
            signal.signal(number, count)
        try:
            yield
        finally:
            for number, handler in listening.items():
                signal.signal(number, handler)

    def _stop_at_the_second(self) -> None:
        if self._stands_still and self._count > 1:
            raise Aborted("stopped at once; the journal has everything: bulkhooks results --run last -o PLACE")
