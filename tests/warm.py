"""A process that has loaded the program and forks itself for each command, which spares the time of loading it.

Each command is a process of its own, with its own arguments, environment, folder and streams, and runs
``bulkhooks.__main__.main`` as ``python -m bulkhooks`` does. What depends on how a process starts (streams, encodings,
imports, signals meanwhile) is tested with ``python -m bulkhooks`` itself.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

_PRELOADED = (
    *(
        f"bulkhooks.cli.{name}"
        for name in ("app", "ask", "changes", "execute", "mapping", "progress", "runs", "services")
    ),
    *(f"bulkhooks.commands.{name}" for name in ("run", "plan", "check", "undo", "health", "history", "template")),
    "bulkhooks.config.job_file",
    "bulkhooks.provision.journal.sqlite.database",
    "bulkhooks.sandbox.server",
    # What these load when they are first at work.
    "anyio._backends._asyncio",
    "certifi",
    "encodings.idna",
    "encodings.utf_8_sig",
    "httpcore",
    "platformdirs.unix",
    "uvicorn.lifespan.on",
    "uvicorn.loops.asyncio",
)
_LENGTH = struct.Struct("!Q")


class Child:
    """A command under way, with what tests use of ``subprocess.Popen``.

    ``stdout`` and ``stderr`` are ``subprocess.PIPE``, ``DEVNULL`` or ``STDOUT``; stdin is empty. ``ignored``: signals
    that it does not hear. ``limits``: of the system, by their numbers in ``resource``.
    """

    stdout: IO[str] | None = None
    stderr: IO[str] | None = None

    def __init__(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        ignored: Sequence[int] = (),
        limits: Mapping[int, int] | None = None,
    ) -> None:
        self.args = [*words]
        self.returncode: int | None = None
        nothing = os.open(os.devnull, os.O_RDWR)
        self.stdout, out = _stream(stdout, nothing)
        self.stderr, err = (None, out) if stderr == subprocess.STDOUT else _stream(stderr, nothing)
        order = {
            "arguments": self.args, "cwd": str(cwd), "environment": {**env},
            "ignored": [*map(int, ignored)], "limits": [*(limits or {}).items()],
        }  # fmt: skip
        try:
            self._forker = _forker()
            self.pid = self._forker.fork(order, [nothing, out, err])
        finally:
            for descriptor in {nothing, out, err}:
                os.close(descriptor)

    def poll(self) -> int | None:
        """Its exit code, negative after a signal; None while it is at work."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Likewise at its end. Raises ``subprocess.TimeoutExpired``."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; what it has said."""
        said = ["", ""]

        def read(number: int, stream: IO[str]) -> None:
            said[number] = stream.read()
            stream.close()

        streams = [
            (number, stream)
            for number, stream in enumerate((self.stdout, self.stderr))
            if stream is not None and not stream.closed
        ]
        readers = [threading.Thread(target=read, args=each, daemon=True) for each in streams]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        return said[0], said[1]

    def send_signal(self, number: int) -> None:
        """Nothing where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self.returncode = self._forker.ended(self.pid, timeout)
        return self.returncode


def _stream(wanted: int, nothing: int) -> tuple[IO[str] | None, int]:
    """The end to read from, where one is wanted, and the one that the child writes to."""
    if wanted != subprocess.PIPE:
        return None, os.dup(nothing)
    ours, theirs = os.pipe()
    return os.fdopen(ours, encoding="utf-8"), theirs


class _Forker:
    """The process that forks: it takes orders, and tells the pid of each child and how it has ended."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
                cwd=Path(__file__).parents[1],
                pass_fds=[theirs.fileno()],
            )
        self._told = self._ours.makefile("r")
        self._codes: dict[int, int] = {}
        self._guard = threading.RLock()
        atexit.register(self._process.kill)

    def fork(self, order: Mapping[str, Any], streams: Sequence[int]) -> int:
        with self._guard:
            body = json.dumps(order).encode()
            socket.send_fds(self._ours, [_LENGTH.pack(len(body))], streams)
            self._ours.sendall(body)
            while True:
                number, code = self._next()
                if code is None:
                    return number
                self._codes[number] = code

    def ended(self, pid: int, timeout: float | None) -> int | None:
        until = None if timeout is None else time.monotonic() + timeout
        with self._guard:
            while pid not in self._codes:
                left = None if until is None else max(0.0, until - time.monotonic())
                if not select.select([self._ours], [], [], left)[0]:
                    return None
                number, code = self._next()
                assert code is not None
                self._codes[number] = code
            return self._codes[pid]

    def _next(self) -> tuple[int, int | None]:
        """The next line that was told: a pid, and its exit code where it has ended."""
        line = b""
        while not line.endswith(b"\n"):
            piece = self._ours.recv(1)
            assert piece, "the process that forks has ended"
            line += piece
        number, _, code = line.decode().strip().partition(" ")
        return int(number), int(code) if code else None


@functools.cache
def _forker() -> _Forker:
    return _Forker()


def _serve(control: socket.socket) -> None:
    for name in _PRELOADED:
        import_module(name)
    from bulkhooks.actions import match

    match("BookingCreate ")  # makes the table of all spellings
    # A child that ends wakes the loop.
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([control, woken], [], [])[0]
        if woken in ready:
            os.read(woken, 512)
            while (ended := _reaped()) is not None:
                control.sendall("{} {}\n".format(*ended).encode())
        if control in ready:
            head, streams, _, _ = socket.recv_fds(control, _LENGTH.size, 3)
            if not head:
                return
            order = json.loads(_received(control, _LENGTH.unpack(head)[0]))
            child = os.fork()
            if child == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (control.detach(), woken, waker):
                    os.close(descriptor)
                _be(streams, **order)
                return
            for descriptor in streams:
                os.close(descriptor)
            control.sendall(f"{child}\n".encode())


def _reaped() -> tuple[int, int] | None:
    with suppress(ChildProcessError):
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            return pid, os.waitstatus_to_exitcode(status)
    return None


def _received(control: socket.socket, length: int) -> bytes:
    body = b""
    while len(body) < length:
        body += control.recv(length - len(body))
    return body


def _be(streams: Sequence[int], ignored: Sequence[int], limits: Sequence[Sequence[int]], **order: Any) -> None:
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    for kind, limit in limits:
        import resource

        resource.setrlimit(kind, (limit, limit))
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    for descriptor in streams:
        os.close(descriptor)
    _become(**order)


def become(
    arguments: Sequence[str],
    cwd: str,
    environment: Mapping[str, str],
    streams: Sequence[str],
    main: Callable[[], None] | None = None,
) -> None:
    """Be the process that was asked for, to the end of the program; ``main`` is that, if not this one."""
    for number, path in enumerate(streams):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(descriptor, number)
        os.close(descriptor)
    _become(arguments, cwd, environment, main)


def _become(
    arguments: Sequence[str], cwd: str, environment: Mapping[str, str], main: Callable[[], None] | None = None
) -> None:
    if main is None:
        from bulkhooks.__main__ import main

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["bulkhooks", *arguments]
    main()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
