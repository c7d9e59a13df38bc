"""What runs in the process that reads workbooks (`apart` starts it): one request after the other.

It is started for every input, so it imports as little as it can.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from bulkhooks.errors import InputError

_MEGABYTE = 1 << 20
_MOST_MEMORY = 768
"""Megabytes for a small workbook; together with what the program itself takes that is less than a gigabyte."""
_MEMORY_OF_SIZE = 16
"""Further bytes for each byte of the file, so that a large workbook can be read that is large because much is in it."""
_MOST_SECONDS = 5
"""Seconds of the processor for a small workbook, and one more for each megabyte."""


class Refusal(NamedTuple):
    """The sentence of an ``InputError``."""

    sentence: str


def memory_for(path: str) -> int:
    """Bytes that the process may take for this file."""
    return _MOST_MEMORY * _MEGABYTE + _MEMORY_OF_SIZE * _size(path)


def _size(path: str) -> int:
    with suppress(OSError, ValueError):
        return Path(path).stat().st_size
    return 0


def serve() -> NoReturn:
    """Answer requests on standard input until there are no more."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # Whatever a library prints is no answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from bulkhooks.sheets.reading.workbooks.book import answer

    try:
        while True:
            label, path, what, sheet = pickle.load(requests)  # noqa: S301 - the program's own
            _limit(path)
            try:
                parts: Iterator[Any] = answer(label, path, what, sheet)
                pickle.dump(next(parts), answers)
                for part in parts:
                    pickle.dump(part, answers, protocol=5)
            except InputError as error:
                pickle.dump(1, answers)
                pickle.dump(Refusal(str(error)), answers)
            answers.flush()
    except BaseException:  # noqa: BLE001 - out of memory, or nobody asks any more; there is nobody to tell
        os._exit(1)


def _limit(path: str) -> None:
    """Take no more than this file may need, where the system has such limits."""
    try:
        import resource
    except ImportError:
        return
    seconds = int(time.process_time()) + _MOST_SECONDS + _size(path) // _MEGABYTE
    for kind, most in (
        (resource.RLIMIT_AS, memory_for(path)),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
