"""What keeps a run from sending more: an account that is halted, or the number of writes it was given."""

from __future__ import annotations

from dataclasses import dataclass

from bulkhooks.errors import ApiError, BulkhooksError

STOPPED_BY = "stopped by "
"""How the reason of a halt by a signal begins; the rows that it leaves count as no error."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Why an account's work ended early. ``resume_at``: seconds since 1970, where the limits are the reason."""

    reason: str
    exit_code: int = 4
    resume_at: float | None = None


class HeldBack(BulkhooksError):
    """A write that was ready to leave when the API asked everyone to wait, or when it was found to be down."""


class NotRead(ApiError):
    """A read that was tried often enough, while the API answered others."""

    exit_code = 4


class WritesClosed(BulkhooksError):
    """No further write in this run."""

    exit_code = 4


class Budget:
    """How many writes a run may still send, over all its accounts; None is no limit."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self._taken = 0

    @property
    def is_spent(self) -> bool:
        return self.total is not None and self._taken >= self.total

    def take(self) -> None:
        self._taken += 1

    def give_back(self) -> None:
        self._taken -= 1
