"""Sends what the journal has to do for a run, all its accounts side by side."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from bulkhooks.provision.account import Account
from bulkhooks.provision.canary import Canary
from bulkhooks.provision.item import Outcome
from bulkhooks.provision.sender import Sender
from bulkhooks.provision.stopping import Halt
from bulkhooks.provision.tasks import task_group


async def send(
    accounts: Mapping[str, Account],
    run: int,
    *,
    unlisted: Mapping[str, Container[int]] | None = None,
    canary: int = 0,
    ended: Callable[[Outcome], None],
) -> None:
    """Send what the journal has to do for the run, all accounts side by side, and note why rows are left.

    ``unlisted``: by account the locations where what is in doubt cannot be looked up. ``canary``: so many rows have to
    succeed before the others follow. Raises ``JournalError`` where the disk takes no more, ``Aborted`` on a second
    signal.
    """
    await send_rows(accounts, run, Canary(canary), unlisted=unlisted or {}, ended=ended)
    for account in accounts.values():
        await account.close_run(run)


async def send_rows(
    accounts: Mapping[str, Account],
    run: int,
    first: Canary,
    *,
    unlisted: Mapping[str, Container[int]],
    ended: Callable[[Outcome], None],
) -> None:
    """Likewise, and note nothing; each account under its own limits. Where ``first`` has failed, all are halted."""
    async with task_group() as group:
        for name, account in accounts.items():
            sender = Sender(account, run, first, unlisted=unlisted.get(name, ()), ended=ended)
            group.start_soon(sender.send)
    for account in accounts.values():
        if first.has_failed and account.halted is None and account.closed is None:
            account.halt(Halt(f"not all of the first {first.size} writes succeeded (--canary)"))


def resume_at(accounts: Iterable[Account]) -> float | None:
    """The first moment (seconds since 1970) at which the limits let an account go on with what it has left."""
    return min((moment for account in accounts if (moment := account.resumes_at) is not None), default=None)
