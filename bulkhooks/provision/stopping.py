"""What keeps a run from sending more: an account that is halted, a signal, or the number of writes it was given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

from bulkhooks.errors import Aborted, ApiError, BulkhooksError, CredentialsError, Stopped
from bulkhooks.provision.limits.limiter import NextSlotTooFar

LOCATIONS_THAT_MEAN_LOCKED_OUT = 3
"""Refused on so many locations with no success between, the credentials themselves are taken to be the reason."""

_log = logging.getLogger("bulkhooks")

STOPPED_BY = "stopped by "
"""How the reason of a halt by a signal begins."""
LIMIT_REACHED = "the limit of "
ONLY_LATER = "the limits allow the next request only later"
TIME_IS_OVER = "the time given with --max-runtime is over"
PLANNED_STOPS = (STOPPED_BY, LIMIT_REACHED, ONLY_LATER, TIME_IS_OVER)
"""How the reasons begin of halts that somebody asked for: the rows that they leave are no errors."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Why an account's work ended early. ``resume_at``: seconds since 1970, where the limits are the reason."""

    reason: str
    exit_code: int = 4
    resume_at: float | None = None


class HeldBack(BulkhooksError):
    """A write that was ready to leave when the API asked everyone to wait, or when it was found to be down."""


class LookUpIsStale(BulkhooksError):
    """A create that was not found when it was looked up, and has waited for longer than ``--settle`` since then."""


class NotRead(ApiError):
    """A read that was tried often enough, while the API answered others."""

    exit_code = 4


class WritesClosed(BulkhooksError):
    """No further write in this run."""

    exit_code = 4


class Cancellation:
    """The one place at which waiting work is ended early: the halt, once there is one, and the scopes it cancels.

    Two scopes lie inside each other for every request. The outer one (``scope``) is cancelled by the first signal, so
    whatever waits for a slot, a token or a pause ends at once. The inner one (``shielded``) is around the request
    itself: it runs to its answer, because a write that has left must not lose its outcome. Only ``drop``, for the
    second signal, takes that shield away.
    """

    def __init__(self) -> None:
        self.halt: Halt | None = None
        self._is_dropped = False
        self._scopes: set[anyio.CancelScope] = set()
        self._shields: set[anyio.CancelScope] = set()
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Call it when the work is ended: for those who wait for something else than a request."""
        self._listeners.append(listener)

    def cancel(self, halt: Halt) -> bool:
        """End what waits, and start nothing more. The first reason stands; returns whether this was it."""
        if self.halt is not None:
            return False
        self.halt = halt
        for scope in self._scopes:
            scope.cancel()
        for listener in self._listeners:
            listener()
        return True

    def drop(self) -> None:
        """End even what is in flight; the journal has it in doubt."""
        self._is_dropped = True
        for scope in self._shields:
            scope.shield = False
        for scope in self._scopes:
            scope.cancel()

    def check(self) -> None:
        """Raise ``Aborted`` or ``Stopped``, as a scope does, where there is a halt already."""
        if self.halt is None:
            return
        if self._is_dropped:
            raise Aborted("stopped at once; the journal knows what was in flight: run the same command again")
        error = Stopped(self.halt.reason)
        error.exit_code = self.halt.exit_code
        raise error

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What waits inside ends with ``Stopped`` once there is a halt, and with ``Aborted`` once it is dropped."""
        self.check()
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)
        if scope.cancelled_caught:
            self.check()

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """What is awaited inside is in flight: a halt lets it end by itself."""
        with anyio.CancelScope(shield=True) as scope:
            self._shields.add(scope)
            try:
                yield
            finally:
                self._shields.discard(scope)


class Budget:
    """How many writes a run may still send, over all its accounts; None is no limit."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self._taken = 0

    @property
    def is_spent(self) -> bool:
        """Whether no further write may be sent."""
        return self.total is not None and self._taken >= self.total

    @property
    def taken(self) -> int:
        """How many writes have been sent."""
        return self._taken

    def take(self, count: int = 1) -> None:
        """Writes are about to be sent, or were sent by another process."""
        self._taken += count

    def give_back(self) -> None:
        """It was not sent after all."""
        self._taken -= 1


class Stoppable:
    """Whether an account may still send: it is halted for good, or closed to writes while it still looks up.

    ``budget`` is shared by all accounts of a run; ``wall`` tells seconds since 1970.
    """

    def __init__(self, budget: Budget, wall: Callable[[], float]) -> None:
        self._budget = budget
        self._wall = wall
        self._cancellation = Cancellation()
        self.capped: Halt | None = None
        """Why no more writes are sent in this run, where their limits are the reason."""
        self._refused: set[int] = set()

    @property
    def halted(self) -> Halt | None:
        """Why nothing more is sent; None while it is."""
        return self._cancellation.halt

    @property
    def closed(self) -> Halt | None:
        """Why no more writes are sent, where look-ups still are; None while they are."""
        if self._budget.is_spent:
            return Halt(f"{LIMIT_REACHED}{self._budget.total} writes in this run is reached")
        return self.capped

    def listen(self, listener: Callable[[], None]) -> None:
        """Call it once the account is halted."""
        self._cancellation.listen(listener)

    def halt(self, halt: Halt) -> None:
        """Start nothing more; what is in flight ends by itself. The first reason stands."""
        if self._cancellation.cancel(halt):
            _log.info(halt.reason)

    def stop(self, error: BulkhooksError) -> None:
        """Halt for an error that concerns all of the account's work."""
        if isinstance(error, NextSlotTooFar):
            self.halt(self._too_far(error))
        else:
            self.halt(Halt(str(error), 3 if isinstance(error, CredentialsError) else 4))

    def drop(self) -> None:
        """Let go even of what is in flight; the journal has it in doubt."""
        self._cancellation.drop()

    def close(self, far: NextSlotTooFar) -> Halt:
        """Send no more writes: they have reached their cap."""
        self.capped = self._too_far(far)
        return self.capped

    def refused(self, business_id: int, reason: str) -> None:
        """A row was turned away for want of permission: halt where the credentials seem to be the reason."""
        self._refused.add(business_id)
        if len(self._refused) >= LOCATIONS_THAT_MEAN_LOCKED_OUT:
            self.halt(Halt(f"writes to {len(self._refused)} locations were refused in a row ({reason})", 3))

    def was_let_in(self) -> None:
        """A write succeeded: refusals before it were for want of a permission at their location."""
        self._refused.clear()

    def _too_far(self, far: NextSlotTooFar) -> Halt:
        return Halt(ONLY_LATER, resume_at=self._wall() + far.seconds)
