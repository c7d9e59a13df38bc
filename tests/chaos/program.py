"""The program in processes of its own that cost little: children of one that has loaded everything already.

A process start loads modules for over a second; a fork does not. Whatever else a process is, a child of it is: it has
the command line, the environment, the streams and the signals, and ends with an exit code.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from tests.warm import become

Main = Callable[[], None]
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def load() -> None:
    """Import what a run imports: a child that makes a trial run tells its modules."""
    there, here = os.pipe(), tempfile.mkdtemp()
    pid = os.fork()
    if pid == 0:
        _trial(Path(here), there[1])
    os.close(there[1])
    with os.fdopen(there[0], "rb") as told:
        names = told.read().decode().split()
    os.waitpid(pid, 0)
    shutil.rmtree(here)
    for name in names:
        with suppress(ImportError):
            import_module(name)


def _trial(folder: Path, there: int) -> NoReturn:
    try:
        (folder / "hooks.csv").write_text("BusinessId,Action,URL\n1001,6,https://hooks.example.com/in\n")
        arguments = ["run", "hooks.csv", "-o", "out.csv", "--sandbox", "-q"]
        with suppress(SystemExit):
            become(arguments, str(folder), os.environ.copy(), [os.devnull] * 3)
        names = [
            name for name in sys.modules if name.startswith(("bulkhooks", "anyio", "http", "asyncio", "encodings"))
        ]
        with os.fdopen(there, "wb") as out:
            out.write("\n".join(names).encode())
    finally:
        os._exit(0)


class Child:
    """A command at work. Its streams are the files ``out`` and ``err`` in its folder."""

    def __init__(self, pid: int, ended: Callable[[], int]) -> None:
        self.pid = pid
        self._status: int | None = None
        self._ended = ended
        self._waiter = threading.Thread(target=self._wait, daemon=True)
        self._waiter.start()

    def _wait(self) -> None:
        self._status = self._ended()

    @property
    def is_running(self) -> bool:
        return self._waiter.is_alive()

    def signal(self, number: int) -> bool:
        """Send a signal; False where the child has ended."""
        if not self.is_running:
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def wait(self, seconds: float) -> int | None:
        """The exit code, negative for a signal; None if it takes longer."""
        self._waiter.join(seconds)
        return None if self._status is None else os.waitstatus_to_exitcode(self._status)


class Program:
    """Starts children, one at a time. To be made before the process has threads; ``load`` comes first.

    ``main`` is what a child does: the program's own ``main``, or that of a program which has a mistake.
    """

    def __init__(self, main: Main | None = None) -> None:
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._orders)
            os.close(self._answers)
            _stand_by(orders, answers, main)
        os.close(orders)
        os.close(answers)
        self._lines = os.fdopen(self._answers, "r")

    def start(self, arguments: Sequence[str], folder: Path, environment: dict[str, str]) -> Child:
        """Start a command in a folder."""
        order = json.dumps([list(arguments), str(folder), {**os.environ, **environment}]) + "\n"
        os.write(self._orders, order.encode())
        return Child(int(self._lines.readline()), lambda: int(self._lines.readline()))

    def close(self) -> None:
        """No more children."""
        os.close(self._orders)
        self._lines.close()
        os.waitpid(self._pid, 0)


def _stand_by(orders: int, answers: int, main: Main | None) -> NoReturn:
    """Fork for each order; answer with the child's number, and with its status when it has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(orders, "r") as lines:
        for line in lines:
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            pid = os.fork()
            if pid == 0:
                _become(*json.loads(line), main)
            os.write(answers, b"%d\n" % pid)
            os.write(answers, b"%d\n" % os.waitpid(pid, 0)[1])
    os._exit(0)


def _become(arguments: list[str], folder: str, environment: dict[str, str], main: Main | None) -> NoReturn:
    """Be a process that has just been started with these arguments."""
    for number in _SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.setsid()
    os.closerange(3, 256)
    code = 70
    try:
        streams = [os.devnull, *(str(Path(folder) / name) for name in ("out", "err"))]
        become(arguments, folder, environment, streams, lambda: _open_to_signals(main or _bulkhooks))
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # as the interpreter does
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _open_to_signals(main: Main) -> None:
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    except KeyboardInterrupt:  # it came before there was a program
        os._exit(130)
    main()


def _bulkhooks() -> None:
    from bulkhooks.__main__ import main

    main()
