"""Gates before the API: while one is shut, requests pass one at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from bulkhooks.provision.limits.outage import Outage


class Gate(ABC):
    """Lets requests pass one at a time while it is shut, and at once while it is open."""

    def __init__(self) -> None:
        self._turn = anyio.Lock()

    @property
    @abstractmethod
    def is_shut(self) -> bool:
        """Whether requests have to go one at a time."""

    @asynccontextmanager
    async def turn(self, *, overtakes: bool = False) -> AsyncIterator[None]:
        """Wait for a turn; the gate counts as passed when the block is left.

        A request that finds others waiting queues behind them even if the gate has just opened: a cap would otherwise
        leave gaps in the sheet. Reads have no order to keep, so they may overtake.
        """
        queues = self._turn.locked() and not overtakes
        while queues or self.is_shut:
            async with self._turn:
                # Shut or open is asked again here: whoever held the lock may have opened it.
                if self.is_shut:
                    yield
                    return
            queues = False
        yield


class FirstWriteGate(Gate):
    """Shut until the API has taken a write in: wrong credentials or a wrong address then cost one request, not many."""

    def __init__(self) -> None:
        super().__init__()
        self._is_open = False

    @property
    def is_shut(self) -> bool:
        return not self._is_open

    def open(self) -> None:
        """A write was taken in, or turned down for a reason of its own."""
        self._is_open = True


class OutageGate(Gate):
    """Shut while the API is down: it is not hammered, and what is sent to it is known before the next leaves."""

    def __init__(self, outage: Outage) -> None:
        super().__init__()
        self._outage = outage

    @property
    def is_shut(self) -> bool:
        return self._outage.is_down
