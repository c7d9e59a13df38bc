"""A session of PostgreSQL: it shows for as long as it lives that its process does, and waits no longer than it may."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg import conninfo

_OPTIONS = {
    "application_name": "bulkhooks",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
"""Of the connection, where its address does not say otherwise. Seconds, and milliseconds for the last."""

LOCKED = """
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid = ({0}::bigint >> 32)::oid AND objid = ({0}::bigint & 4294967295)::oid
"""
"""Asks which session has the advisory lock of a number, without taking it: a session may take its own again."""


def steady() -> float:
    """Seconds that also go on while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Session(psycopg.Connection[Any]):
    """A connection that can be told how long its server may take for an answer; after that it is closed."""

    _until = math.inf

    def answers_within(self, seconds: float) -> None:
        """From now on, all that is asked together."""
        self._until = steady() + seconds

    def wait(self, gen: Generator[Any, Any, Any], *how: Any, **named: Any) -> Any:
        """What the driver does to wait for its server. Raises ``psycopg.OperationalError``."""
        return super().wait(self._in_time(gen), *how, **named)

    def _in_time(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and steady() > self._until:
                    self.close()
                    raise psycopg.OperationalError("the server does not answer")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


def open_session(address: str, certificate: int) -> Session:
    """A new session, which has the advisory lock of the number ``certificate`` until it ends.

    One that had it before is over for its process, whatever the server knows of that. Raises ``psycopg.Error``.
    """
    options: dict[str, Any] = {**_OPTIONS, **conninfo.conninfo_to_dict(address)}
    session = Session.connect(
        conninfo.make_conninfo(**options),
        autocommit=True,
        prepare_threshold=None,  # behind pgbouncer the next statement may meet another session
    )
    try:
        earlier = f"SELECT pid FROM ({LOCKED.format(certificate)}) earlier WHERE pid <> pg_backend_pid()"
        session.execute(f"SELECT pg_terminate_backend(pid) FROM ({earlier}) ended".encode())
        session.execute(b"SELECT pg_advisory_lock(%s)", [certificate])
        # A process that is paused between two statements must not keep its successor out for ever.
        session.execute(b"SET idle_in_transaction_session_timeout = '30s'")
    except BaseException:
        session.close()
        raise
    return session
