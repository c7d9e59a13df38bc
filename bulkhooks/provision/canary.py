"""The first few of a run, which have to succeed before the others follow."""

from __future__ import annotations

from collections.abc import Callable

from bulkhooks.provision.item import Outcome
from bulkhooks.webhook import DONE, Status


class Canary:
    """Lets ``size`` items pass, and the others only when all of those have succeeded; 0 lets everything pass.

    ``alone``: the others are not sent here, whatever becomes of the first.
    """

    def __init__(self, size: int = 0, *, alone: bool = False) -> None:
        self.size = size
        self._alone = alone
        self._to_pass = size
        self._to_succeed = size
        self._listeners: list[Callable[[], None]] = []
        self.has_failed = False

    def listen(self, listener: Callable[[], None]) -> None:
        """Call it once it is known whether the others follow."""
        self._listeners.append(listener)

    def admits_next(self) -> bool:
        """Whether the next item may go now; to be asked once for each that then goes."""
        if self._to_pass > 0:
            self._to_pass -= 1
            return True
        return self._to_succeed <= 0 and not self.is_over

    @property
    def is_over(self) -> bool:
        """Whether nothing passes any more."""
        return self.has_failed or (self._alone and self._to_succeed <= 0)

    def ended(self, outcome: Outcome | None) -> None:
        """One of those that passed has ended; None: without an outcome."""
        if self._to_succeed <= 0:
            return
        if outcome is not None and outcome.status in {*DONE, Status.DELETED}:
            self._to_succeed -= 1
        else:
            self.has_failed = True
        if self._to_succeed <= 0 or self.has_failed:
            for listener in self._listeners:
                listener()
