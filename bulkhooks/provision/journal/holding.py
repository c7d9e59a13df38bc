"""One run of an account at a time: waits for the account, and says who has it."""

from __future__ import annotations

import logging
from typing import Protocol

import anyio

from bulkhooks.errors import LockedError
from bulkhooks.provision.journal.lock import Holds
from bulkhooks.times import local_time

_log = logging.getLogger("bulkhooks")

_POLL = 0.2
"""Seconds."""


class Lockable(Protocol):
    """What ``hold`` needs of an open journal: its locks, and which run holds an account."""

    locks: Holds

    def holder(self, account_id: int) -> tuple[str, str, float] | None: ...


async def hold(journal: Lockable, account_id: int, name: str, wait: float) -> None:
    """Take the account's lock, waiting for at most ``wait`` seconds; ``LockedError`` says who has it and since when."""
    # Tried at least once, also with ``wait`` 0. The lock is polled and not waited for in the operating system, because
    # a thread that blocks there could not be stopped by a signal.
    give_up_at = anyio.current_time() + wait
    is_logged = False
    while not journal.locks.take(account_id):
        if anyio.current_time() >= give_up_at:
            raise LockedError(f"{who_has(journal, account_id, name)}; wait for it to end, or use --wait-lock SECONDS")
        if not is_logged:
            is_logged = True
            _log.info("waiting for the lock: %s", who_has(journal, account_id, name))
        await anyio.sleep(min(_POLL, max(0.0, give_up_at - anyio.current_time())))


def who_has(journal: Lockable, account_id: int, name: str) -> str:
    """Which run has the account and since when, as the beginning of a sentence."""
    # The lock comes first and its run is entered later, so for a moment there is a holder without a name.
    holder = journal.holder(account_id)
    if holder is None:
        return f"another run of account {name!r} has just begun"
    run_id, process, since = holder
    return f"run {run_id} ({process}) has held account {name!r} since {local_time(since)}"
