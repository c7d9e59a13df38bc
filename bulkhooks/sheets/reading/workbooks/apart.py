"""Workbooks are read in a process of its own, so that none of them can take this one with it.

The libraries that take workbooks apart trust them. A cell at XFD1048576 asks for half a terabyte and ends the process,
3 MB may unpack to 6 GB, and a damaged ``.xls`` prints the panic of another language. That process
(bulkhooks/sheets/reading/workbooks/child.py) has a limit for memory and for time where the system has such limits (not
on Windows); what it prints goes nowhere; and where it breaks down, that is a sentence about the file.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.grid import letter
from bulkhooks.sheets.reading.workbooks.ask import Ask
from bulkhooks.sheets.reading.workbooks.child import Refusal, memory_for

_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); from bulkhooks.sheets.reading.workbooks.child import serve; serve()"
)
_ROOT = str(Path(__file__).parents[3])
_INHERITED = ("PATH", "HOME", "PYTHON", "LD_", "DYLD_", "SYSTEM", "VIRTUAL", "COVERAGE", "TEMP", "TMP", "LANG", "LC_")
"""How the variables begin that the process gets. Secrets stay with those who need them."""
_BROKEN = (EOFError, OSError, pickle.UnpicklingError)
"""What reading from a process raises that is no more."""


class Worker:
    """The process, started when it is first asked. It keeps one workbook open: the one it was asked for last."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, label: str, path: str, what: Ask, sheet: str = "") -> Iterator[Any]:
        """The parts of an answer, one by one. Raises ``InputError`` where the workbook cannot be read."""
        try:
            yield from self._answers(label, path, what, sheet)
        except _BROKEN:
            took_too_long = self.close(_A_MOMENT) == _OUT_OF_TIME
            if what is Ask.REACH:
                raise
            raise InputError(_slow(label) if took_too_long else self._too_much(label, path, sheet)) from None
        except InputError:
            raise
        except BaseException:
            self.close()  # or the rest of this answer would be taken for the next
            raise

    def close(self, patience: float = 0) -> int | None:
        """End the process; returns what it ended with where it ended by itself, in ``patience`` seconds."""
        if self._process is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        ended = self._process.poll()
        self._finalize()
        self._process = None
        return ended

    def _answers(self, label: str, path: str, what: Ask, sheet: str) -> Iterator[Any]:
        if self._process is None:
            self._process = _started()
            self._finalize = weakref.finalize(self, _end, self._process)
        process = self._process
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
        pickle.dump((label, path, what, sheet), process.stdin)
        process.stdin.flush()
        for _ in range(pickle.load(process.stdout)):  # noqa: S301 - our own process wrote it
            part = pickle.load(process.stdout)  # noqa: S301
            if isinstance(part, Refusal):
                raise InputError(part.sentence)
            yield part

    def _too_much(self, label: str, path: str, sheet: str) -> str:
        """Why reading broke down, in a sentence: the cell that lies too far away, if there is one."""
        most = memory_for(path) >> 20
        try:
            rows, columns = next(self.ask(label, path, Ask.REACH, sheet)) if sheet else (0, 0)
        except (*_BROKEN, InputError):
            rows = columns = 0
        if rows * columns > _FAR:
            return (
                f"{label}: sheet {sheet} reaches to cell {letter(columns - 1)}{rows}, too far to be read; delete what"
                " stands far from the table, and save it again"
            )
        return (
            f"{label}: the workbook cannot be read: it takes more than {most:,} MB of memory, or is damaged; open it in"
            " Excel or LibreOffice, keep the table alone, and save it again"
        )


def _slow(label: str) -> str:
    return (
        f"{label}: the workbook cannot be read: it takes longer than a table of its size may; open it in Excel or"
        " LibreOffice, keep the table alone, and save it again"
    )


_OUT_OF_TIME = -int(getattr(signal, "SIGXCPU", 0)) or None
_A_MOMENT = 5.0
"""Seconds that a process may take to end which has closed its end of the pipe."""
_FAR = 5_000_000
"""The library holds every cell of the rectangle that is in use, empty or not; this many are no problem."""


@dataclass(slots=True)
class _Shared(threading.local):
    worker: weakref.ref[Worker] | None = None


_shared = _Shared()


def shared_worker() -> Worker:
    """The process of this thread; it is there as long as anybody holds on to it."""
    worker = _shared.worker() if _shared.worker else None
    if worker is None:
        worker = Worker()
        _shared.worker = weakref.ref(worker)
    return worker


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - this very interpreter
        # Not from the working folder, where a file may be called like a module.
        [sys.executable, "-P", "-c", _PROGRAM, _ROOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name.upper().startswith(_INHERITED)},
        # What is typed at the terminal is for this process, which decides what it means.
        process_group=0 if os.name == "posix" else None,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was not written has nobody to read it
                pipe.close()
