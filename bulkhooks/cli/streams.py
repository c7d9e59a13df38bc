"""stdin, stdout and stderr that never stop a run: what cannot be told decides nothing.

A reader that has gone (``| head``), a full disk, a stream that the caller has closed (``2>&-``), an encoding that lacks
a character: the text is lost or spelled out, the work goes on and the exit code is its own.
"""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Patient(io.FileIO):
    """Bytes to a descriptor. Once one write has failed, everything goes nowhere."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)

    def write(self, content: ReadableBuffer, /) -> int:
        try:
            while (written := super().write(content)) is None:  # not blocking, and full
                select.select([], [self.fileno()], [])
        except (OSError, ValueError):
            # The descriptor itself leads nowhere from here on, for whoever else writes to it, up to the exit.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(content).nbytes
        return written


def prepare() -> None:
    """Put such streams in the place of this process's own. Call it first, before any file is opened."""
    for descriptor in range(3):
        # A file opened later would get the number of a closed stream, and what is told would be written into it.
        if not _is_open(descriptor):
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = _patient(1, sys.stdout)
    sys.stderr = _patient(2, sys.stderr)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _patient(descriptor: int, stream: TextIO | None) -> TextIO:
    is_terminal = stream is not None and stream.isatty()
    if stream is not None and is_terminal and os.name == "nt":
        return stream  # a console of Windows takes characters, not bytes
    return io.TextIOWrapper(
        io.BufferedWriter(_Patient(descriptor)),
        encoding="utf-8" if stream is None else stream.encoding,
        errors="backslashreplace",
        line_buffering=is_terminal or descriptor == 2,
    )
