"""One run of an account at a time. The lock is the operating system's: it ends with its process, however that ends."""

from __future__ import annotations

import hashlib
from pathlib import Path

import anyio
from filelock import FileLock, Timeout

from bulkhooks.errors import JournalError, LockedError
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.report import local_time

_POLL = 0.2
"""Seconds."""


def lock_path(journal: Path, key: str) -> Path:
    """Beside the journal, one file for each account."""
    return journal.with_name(f"{journal.name}.{hashlib.sha256(key.encode()).hexdigest()[:12]}.lock")


async def hold(journal: Journal, account_id: int, key: str, name: str, wait: float) -> FileLock:
    """Take the account's lock, waiting for at most ``wait`` seconds; ``LockedError`` says who has it and since when."""
    lock = FileLock(lock_path(journal.path, key))
    # Tried at least once, also with ``wait`` 0. The lock is polled and not waited for in the operating system, because
    # a thread that blocks there could not be stopped by a signal.
    give_up_at = anyio.current_time() + wait
    while True:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if anyio.current_time() >= give_up_at:
                raise LockedError(_who(journal, account_id, name)) from None
            await anyio.sleep(min(_POLL, max(0.0, give_up_at - anyio.current_time())))
        except OSError as error:
            raise JournalError(f"{lock.lock_file}: the lock beside the journal cannot be made ({error})") from error
        else:
            return lock


def _who(journal: Journal, account_id: int, name: str) -> str:
    # The lock comes first and its run is entered later, so for a moment there is a holder without a name.
    holder = journal.holder(account_id)
    if holder is None:
        return f"another run of account {name!r} has just begun; wait for it to end, or use --wait-lock SECONDS"
    run_id, process, since = holder
    return (
        f"run {run_id} ({process}) has held account {name!r} since {local_time(since)};"
        " wait for it to end, or use --wait-lock SECONDS"
    )
