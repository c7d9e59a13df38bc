"""Sends what the journal has to do for a run, all its accounts side by side."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from bulkhooks.provision.account import Account
from bulkhooks.provision.canary import Canary
from bulkhooks.provision.item import Outcome
from bulkhooks.provision.journal import history
from bulkhooks.provision.sender import Sender
from bulkhooks.provision.stopping import Halt
from bulkhooks.provision.tasks import task_group


async def send(
    lines: Mapping[str, Account],
    run: int,
    unlisted: Mapping[str, Container[int]],
    *,
    workers: int,
    retries: int,
    settle: float,
    canary: int = 0,
    ended: Callable[[Outcome], None],
) -> None:
    """Send what the journal has to do for the run, all accounts side by side, each under its own limits.

    ``unlisted``: by account the locations where what is in doubt cannot be looked up.
    """
    cage = Canary(canary)
    async with task_group() as group:
        for name, line in lines.items():
            sender = Sender(
                line,
                run,
                unlisted=unlisted.get(name, ()),
                retries=retries,
                settle=settle,
                canary=cage,
                ended=ended,
                named={"run_id": history.run_id(line.journal, run), "account": name},
            )
            group.start_soon(sender.send, workers)
    for line in lines.values():
        await line.journal.durable()
        reason = line.halted or line.closed
        if cage.has_failed and reason is None:
            line.halt(reason := Halt(f"not all of the first {canary} writes succeeded (--canary)"))
        if reason is not None:
            line.journal.give_up(run, line.account, f"not sent: {reason.reason}")
        line.left = line.journal.pending(run, line.account)


def resume_at(lines: Iterable[Account]) -> float | None:
    """The first moment (seconds since 1970) at which the limits let an account go on with what it has left."""
    return min((moment for line in lines if (moment := line.resumes_at) is not None), default=None)
