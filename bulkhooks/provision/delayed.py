"""Items that wait for their time: a look-up that has to settle, a send that follows a pause."""

from __future__ import annotations

import heapq
import itertools
import math

import anyio

from bulkhooks.provision.item import Item


class Delayed:
    """A queue by due time; items due at the same moment come out in the order in which they were put in."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Item]] = []
        self._tickets = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, item: Item, seconds: float) -> None:
        """Keep an item for so many seconds."""
        heapq.heappush(self._heap, (anyio.current_time() + seconds, next(self._tickets), item))

    def take_due(self) -> Item | None:
        """The first item whose time has come; None where none has."""
        if self._heap and self._heap[0][0] <= anyio.current_time():
            return heapq.heappop(self._heap)[2]
        return None

    @property
    def seconds_left(self) -> float:
        """Seconds until the next item is due; infinity where there is none."""
        return self._heap[0][0] - anyio.current_time() if self._heap else math.inf
