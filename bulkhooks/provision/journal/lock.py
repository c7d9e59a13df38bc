"""One run of an account at a time. The lock is the operating system's: it ends with its process, however that ends."""

from __future__ import annotations

import logging
import os
import struct
import sys
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Protocol

import anyio
from filelock import FileLock, Timeout

from bulkhooks.errors import JournalError, LockedError
from bulkhooks.times import local_time

if sys.platform == "linux":
    import fcntl

_log = logging.getLogger("bulkhooks")

_POLL = 0.2
"""Seconds."""

_FIRST_BYTE = 1 << 40
"""Where the locks begin: far behind the largest journal, and behind the bytes that SQLite itself locks (at 2 ** 30)."""


class Locks:
    """The locks of accounts that one open journal holds. ``close`` it after the database.

    On Linux a lock is one byte of the journal's own file, the account's number behind ``_FIRST_BYTE``: nobody can
    remove it and leave the journal. It belongs to the open file (fcntl(2), "open file description locks"), so two
    journals of one process exclude each other like those of two processes. Elsewhere it is a file beside the journal;
    Windows lets nobody remove such a file while it is open.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._real = path.resolve()
        self._descriptor: int | None = None
        self._files: dict[int, FileLock] = {}
        with _guard:
            _users[self._real] += 1

    def take(self, account_id: int) -> bool:
        """Lock an account; False where somebody else has. Raises ``JournalError`` where that cannot be found out."""
        try:
            if sys.platform == "linux":
                return self._lock_byte(account_id, fcntl.F_WRLCK)
            lock = FileLock(self._path.with_name(f"{self._path.name}.{account_id}.lock"))
            lock.acquire(timeout=0)
        except Timeout:
            return False
        except OSError as error:
            raise JournalError(
                f"{self._path}: the journal cannot be locked ({error}); name one on a local disk with --journal"
            ) from error
        self._files[account_id] = lock
        return True

    def release(self, account_id: int) -> None:
        """Let others have the account."""
        if sys.platform == "linux":
            self._lock_byte(account_id, fcntl.F_UNLCK)
        else:
            self._files.pop(account_id).release()

    def check(self) -> None:
        """Raises ``JournalError`` where accounts are locked and the journal's file is no longer in its place.

        The next run would begin another journal there, and know nothing of this one.
        """
        if self._descriptor is None:
            return
        try:
            is_there = os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            is_there = False
        if not is_there:
            raise JournalError(
                f"{self._path}: the journal was removed or replaced while a run used it; nothing more is sent: put it"
                " back and run again"
            )

    def close(self) -> None:
        """Give up what is held."""
        with _guard:
            _users[self._real] -= 1
            if self._descriptor is not None:
                _closing[self._real].append(self._descriptor)
                self._descriptor = None
            if not _users[self._real]:
                del _users[self._real]
                for descriptor in _closing.pop(self._real, ()):
                    os.close(descriptor)

    if sys.platform == "linux":

        def _lock_byte(self, account_id: int, kind: int) -> bool:
            if self._descriptor is None:
                self._descriptor = os.open(self._real, os.O_RDWR | os.O_CLOEXEC)
            wanted = struct.pack("hhqqi", kind, os.SEEK_SET, _FIRST_BYTE + account_id, 1, 0)
            try:
                fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, wanted)
            except (BlockingIOError, PermissionError):
                return False
            return True


# A process that closes any descriptor of a file loses the locks that SQLite holds there for its other connections
# (fcntl(2), "POSIX locks"), so descriptors are closed together with the last journal of the process on that file.
_guard = threading.Lock()
_users: Counter[Path] = Counter()
_closing: defaultdict[Path, list[int]] = defaultdict(list)


class Lockable(Protocol):
    """What ``hold`` needs of an open journal: its locks, and which run holds an account."""

    locks: Locks

    def holder(self, account_id: int) -> tuple[str, str, float] | None: ...


async def hold(journal: Lockable, account_id: int, name: str, wait: float) -> None:
    """Take the account's lock, waiting for at most ``wait`` seconds; ``LockedError`` says who has it and since when."""
    # Tried at least once, also with ``wait`` 0. The lock is polled and not waited for in the operating system, because
    # a thread that blocks there could not be stopped by a signal.
    give_up_at = anyio.current_time() + wait
    is_logged = False
    while not journal.locks.take(account_id):
        if anyio.current_time() >= give_up_at:
            raise LockedError(f"{_who(journal, account_id, name)}; wait for it to end, or use --wait-lock SECONDS")
        if not is_logged:
            is_logged = True
            _log.info("waiting for the lock: %s", _who(journal, account_id, name))
        await anyio.sleep(min(_POLL, max(0.0, give_up_at - anyio.current_time())))


def _who(journal: Lockable, account_id: int, name: str) -> str:
    # The lock comes first and its run is entered later, so for a moment there is a holder without a name.
    holder = journal.holder(account_id)
    if holder is None:
        return f"another run of account {name!r} has just begun"
    run_id, process, since = holder
    return f"run {run_id} ({process}) has held account {name!r} since {local_time(since)}"
