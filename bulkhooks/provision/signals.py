"""SIGINT, SIGTERM and SIGHUP: the first ends a command in good order, the second at once."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any

import sniffio

from bulkhooks.errors import Aborted
from bulkhooks.provision import event_loop

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that stop a command; Windows has no SIGHUP. One that is ignored stays ignored, as under nohup."""


_PACKAGE = __name__.partition(".")[0]
_LOOPS = frozenset({"asyncio", "selectors", "trio", "uvloop"})


class Signals:
    """Listens inside ``heard()``. ``first`` is called with the signal's name, ``again`` for each later one.

    Both are called by the event loop, in its next turn. Where there is none because something works without awaiting,
    the second signal raises ``Aborted`` in it.
    """

    def __init__(self, first: Callable[[str], None], again: Callable[[], None]) -> None:
        self._first = first
        self._again = again
        self._count = 0
        self._is_loop_behind = False
        self._stands_still = False
        self._run_soon: Callable[..., Any] = _no_loop

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear signals in the main thread, in another one the ``Stop`` that it was given, if any.

        Afterwards the handlers are as they were.
        """
        if threading.current_thread() is not threading.main_thread():
            stop = _stop.get()
            if stop is None:
                yield
                return
            self._run_soon = _event_loop()
            with stop.told_to(self):
                yield
            return
        self._run_soon = _event_loop()
        _add(self)
        try:
            yield
        finally:
            _remove(self)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Long work inside that never awaits: from the second signal on it ends with ``Aborted``."""
        self._stands_still = True
        try:
            self._stop_at_the_second()
            yield
        finally:
            self._stands_still = False

    def hear(self, number: int, *, in_our_code: bool) -> None:
        """A signal has come; called between any two instructions of the main thread."""
        self._count += 1
        if in_our_code or self._stands_still:
            self._stop_at_the_second()
        if self._count == 1:
            self._is_loop_behind = True
            self._run_soon(self._handle_first, signal.Signals(number).name)
        else:
            self._run_soon(self._again)

    def told(self, who: str) -> None:
        """Somebody in another thread wants it to stop."""
        self._count += 1
        if self._count == 1:
            self._run_soon(self._first, who)
        else:
            self._run_soon(self._again)

    def _handle_first(self, name: str) -> None:
        self._is_loop_behind = False
        self._first(name)

    def _stop_at_the_second(self) -> None:
        if self._count > 1 and (self._stands_still or self._is_loop_behind):
            raise Aborted("stopped at once; the journal has everything: bulkhooks results --run last -o PLACE")


class Stop:
    """Stops a command that works in another thread than the main one, where no signal is heard.

    The thread works inside ``heeded``. ``ask`` may be called by any thread and at any time: the first call is the first
    signal, each later one a further signal.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._asked: list[str] = []
        self._listeners: list[Signals] = []

    @property
    def is_asked(self) -> bool:
        """Whether anybody has asked."""
        return bool(self._asked)

    def ask(self, who: str) -> None:
        """Stop; ``who`` asks for it stands in the reason."""
        with self._guard:
            self._asked.append(who)
            for listener in self._listeners:
                listener.told(who)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """What this thread works on inside heeds the stop."""
        token = _stop.set(self)
        try:
            yield
        finally:
            _stop.reset(token)

    @contextmanager
    def told_to(self, listener: Signals) -> Iterator[None]:
        """``listener`` is told of every ask, those before it too."""
        with self._guard:
            self._listeners.append(listener)
            for who in self._asked:
                listener.told(who)
        try:
            yield
        finally:
            with self._guard:
                self._listeners.remove(listener)


_stop: ContextVar[Stop | None] = ContextVar("stop", default=None)


# Runs side by side in one event loop hear every signal together: the first to come puts the handler in its place, and
# the last to go puts those of the host program back.
_listening: list[Signals] = []
_before: dict[int, Any] = {}


def _hear(number: int, frame: FrameType | None) -> None:
    in_our_code = _is_ours(frame)
    for each in _listening:
        each.hear(number, in_our_code=in_our_code)


def _is_ours(frame: FrameType | None) -> bool:
    """Whether the event loop has called something of this program that is at work, and is not itself at work."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        package = module.partition(".")[0]
        if package in _LOOPS or module == event_loop.__name__:
            return False
        if package == _PACKAGE:
            return True
        frame = frame.f_back
    return False


def _add(listener: Signals) -> None:
    if not _listening:
        for number in STOPPING:
            handler = signal.getsignal(number)
            if handler is not None and handler != signal.SIG_IGN:  # None: not of Python, and could not be put back
                _before[number] = handler
                signal.signal(number, _hear)
    _listening.append(listener)


def _remove(listener: Signals) -> None:
    _listening.remove(listener)
    if _listening:
        return
    while _before:
        number, handler = _before.popitem()
        if signal.getsignal(number) is _hear:  # else the host has put another in its place meanwhile
            signal.signal(number, handler)


def _event_loop() -> Callable[..., Any]:
    """What calls a function in the next turn of the running event loop; it may be used in a signal handler."""
    if sniffio.current_async_library() == "trio":
        import trio

        return trio.lowlevel.current_trio_token().run_sync_soon
    return asyncio.get_running_loop().call_soon_threadsafe


def _no_loop(*_: object) -> None:
    pass
