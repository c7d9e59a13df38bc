"""An event loop that reads what has come before it says that the time for it is over.

A process may be stopped for a while (Ctrl-Z, SIGSTOP, a container that is paused, a machine with too much to do). When
it goes on, times are over, and answers that came in time are there, unread. asyncio compares its timers with the clock
right after it has looked at the connections: if the stop falls between the two, or interrupts the look (which then
finds nothing, PEP 475), every request in flight ends as timed out, and the id that its answer brought is not read.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

import anyio

_TURNS = 3
"""Turns of the loop from the end of a time to what is done then. In the first the loop looks at the connections, in the
second it reads from them, in the third who waited for that goes on, and needs no time any more."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class EventLoop(asyncio.SelectorEventLoop):
    """The loop of the system, whose timers let go first what has come."""

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        def turn(left: int) -> None:
            if timer.cancelled():
                return
            if left:
                self.call_soon(turn, left - 1, context=context)
            else:
                callback(*args)

        timer = super().call_at(when, turn, _TURNS, context=context)
        return timer


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end in an event loop of its own."""
    if sys.platform == "win32":  # a loop with a selector starts no processes there
        return anyio.run(work)
    return anyio.run(work, backend_options={"loop_factory": EventLoop})
