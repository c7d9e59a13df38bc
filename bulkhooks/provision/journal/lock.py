"""The lock of an account in a file: the operating system's, so it ends with its process, however that ends."""

from __future__ import annotations

import math
import os
import struct
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from bulkhooks.errors import JournalError

if sys.platform == "linux":
    import fcntl
else:
    from filelock import FileLock, Timeout

_FIRST_BYTE = 1 << 40
"""Where the locks begin: far behind the largest journal, and behind the bytes that SQLite itself locks (at 2 ** 30)."""
_FIRST_SENDER = 1 << 41
"""Where the locks of those begin that send; accounts are not that many."""


class Holds(Protocol):
    """The accounts that one open journal has, and nobody else: by locks of a file, or by leases."""

    @property
    def may_be_lost(self) -> bool:
        """Whether somebody else may take an account over."""

    @property
    def seconds(self) -> float:
        """How long an account is kept without a sign of life."""

    @property
    def lost(self) -> Mapping[int, str]:
        """Why nothing more may be sent for an account that somebody else has taken over."""

    @property
    def stopped(self) -> Collection[int]:
        """Accounts whose run is asked to stop."""

    heir_of: int | None
    """The run whose accounts are taken, as one of its workers; None: accounts are taken for a run of one's own."""

    def take(self, account_id: int) -> bool: ...

    def hand_on(self, account_ids: Collection[int]) -> None:
        """Let the workers of this run have accounts that are held, and nobody else."""

    def release(self, account_id: int) -> None: ...

    def named(self, run: int, account_ids: Collection[int]) -> None: ...

    def renew(self) -> None: ...

    def not_after(self, account_id: int) -> float: ...

    def now(self) -> float: ...

    def check(self) -> None: ...

    def close(self) -> None: ...


class Locks:
    """The locks of accounts that one open journal holds. ``close`` it after the database.

    An account has two: its run's, and that of whoever sends for it. A process that runs alone has both. With workers
    the run's stays with whoever shares the accounts out, and each worker takes the other one; so no run begins while
    a worker is at it, nor between two workers.

    On Linux a lock is one byte of the journal's own file, the account's number behind ``_FIRST_BYTE``: nobody can
    remove it and leave the journal. It belongs to the open file (fcntl(2), "open file description locks"), so two
    journals of one process exclude each other like those of two processes. Elsewhere it is a file beside the journal;
    Windows lets nobody remove such a file while it is open.
    """

    may_be_lost = False
    seconds = math.inf
    lost: Mapping[int, str] = MappingProxyType({})
    stopped: Collection[int] = frozenset()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._real = path.resolve()
        self._descriptor: int | None = None
        self._files: dict[tuple[int, bool], Any] = {}
        self.heir_of: int | None = None
        with _guard:
            _users[self._real] += 1

    def take(self, account_id: int) -> bool:
        """Lock an account; False where somebody else has. Raises ``JournalError`` where that cannot be found out."""
        if self.heir_of is not None:
            return self._lock(account_id, sends=True)
        if not self._lock(account_id, sends=False):
            return False
        if self._lock(account_id, sends=True):
            return True
        self._unlock(account_id, sends=False)
        return False

    def hand_on(self, account_ids: Collection[int]) -> None:
        """Let workers of this run send for accounts; no other run may begin."""
        for account_id in account_ids:
            self._unlock(account_id, sends=True)

    def release(self, account_id: int) -> None:
        """Let others have the account."""
        self._unlock(account_id, sends=True)
        if self.heir_of is None:
            self._unlock(account_id, sends=False)

    def named(self, run: int, account_ids: Collection[int]) -> None:
        """Nothing to do: the tables of runs say who has an account."""

    def renew(self) -> None:
        """Nothing to do: the system knows that its process lives."""

    def not_after(self, account_id: int) -> float:  # noqa: ARG002
        """For ever: a lock ends with its process."""
        return math.inf

    def now(self) -> float:
        """The clock of ``not_after``."""
        return 0.0

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

    def _lock(self, account_id: int, *, sends: bool) -> bool:
        try:
            return self._try(account_id, sends)
        except OSError as error:
            raise JournalError(
                f"{self._path}: the journal cannot be locked ({error}); name one on a local disk with --journal"
            ) from error

    if sys.platform == "linux":

        def _try(self, account_id: int, sends: bool) -> bool:
            try:
                self._set(account_id, sends, fcntl.F_WRLCK)
            except (BlockingIOError, PermissionError):
                return False
            return True

        def _unlock(self, account_id: int, *, sends: bool) -> None:
            self._set(account_id, sends, fcntl.F_UNLCK)

        def _set(self, account_id: int, sends: bool, kind: int) -> None:
            if self._descriptor is None:
                self._descriptor = os.open(self._real, os.O_RDWR | os.O_CLOEXEC)
            first = _FIRST_SENDER if sends else _FIRST_BYTE
            wanted = struct.pack("hhqqi", kind, os.SEEK_SET, first + account_id, 1, 0)
            fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, wanted)

    else:

        def _try(self, account_id: int, sends: bool) -> bool:
            kind = "sender.lock" if sends else "lock"
            lock = FileLock(self._path.with_name(f"{self._path.name}.{account_id}.{kind}"))
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return False
            self._files[account_id, sends] = lock
            return True

        def _unlock(self, account_id: int, *, sends: bool) -> None:
            if lock := self._files.pop((account_id, sends), None):
                lock.release()


# A process that closes any descriptor of a file loses the locks that SQLite holds there for its other connections
# (fcntl(2), "POSIX locks"), so descriptors are closed together with the last journal of the process on that file.
_guard = threading.Lock()
_users: Counter[Path] = Counter()
_closing: defaultdict[Path, list[int]] = defaultdict(list)
