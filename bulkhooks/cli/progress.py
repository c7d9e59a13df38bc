"""The progress of a run on stderr: a bar on a terminal, else a line every half minute.

A command reports each second, also while nothing moves: at the limits, sixty webhooks go at once and then a minute
passes. So both say what is waited for and how long that takes.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from bulkhooks.cli.logs import NEWS
from bulkhooks.cli.terminal import cut
from bulkhooks.config.job import Job
from bulkhooks.report import Progress, Watcher, many
from bulkhooks.times import duration, local_time

if TYPE_CHECKING:
    from tqdm import tqdm

LINE_EVERY = 30.0
"""Seconds between two lines where stderr is no terminal."""

SHORTEST_BAR = 8
"""Columns; where the words leave less, some of them go."""

_NEED_A_LOOK = ("failed", "unknown", "changed")

_log = logging.getLogger("bulkhooks")


class _Bar:
    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._wall = wall

    def moved(self, progress: Progress) -> None:
        self._bar = self._bar if self._bar is not None else self._made()
        # Asked for anew each time, for a window may be resized. The last column stays empty: some terminals wrap there.
        width = _columns_of_stderr() - 1
        self._bar.ncols, self._bar.total, self._bar.n = width, progress.total or None, progress.done
        self._bar.bar_format = look(progress, width, self._wall())
        self._bar.refresh()

    @staticmethod
    def _made() -> tqdm[NoReturn]:
        from tqdm import tqdm

        return tqdm(file=sys.stderr, miniters=1, bar_format=" ", delay=1e9)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.delay = 0
            self._bar.close()


class _Lines:
    def __init__(self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wall = wall
        self._last = clock()

    def moved(self, progress: Progress) -> None:
        now = self._clock()
        if now - self._last >= LINE_EVERY:
            self._last = now
            _log.log(NEWS, "%s", in_words(progress, self._wall()))

    def close(self) -> None:
        pass


def look(progress: Progress, width: int, now: float) -> str:
    """The format of tqdm's bar for a line of ``width`` columns: as much of the words as fits. ``now``: since 1970."""
    if not progress.total:
        return cut(in_words(progress, now), width)
    count = f"{progress.done:,}/{progress.total:,}"
    room = width - len(f"100%  {count}") - SHORTEST_BAR - 2
    words = next((text for text in _shorter_and_shorter(progress, now) if len(text) <= room), "")
    return f"{{percentage:3.0f}}% {{bar}} {count}  {words}".rstrip()


def _shorter_and_shorter(progress: Progress, now: float) -> Iterator[str]:
    counts, ill = _counted(progress), _counted(progress, _NEED_A_LOOK)
    doubt, wait = _in_doubt(progress), _next(progress)
    end = _end(progress, now)
    short = end.partition(" (")[0]
    for parts in (
        (counts, doubt, wait, end),
        (counts, doubt, wait, short),
        (ill, doubt, wait, short),
        (ill, doubt, wait),
        (wait, short),
        (wait,),
    ):
        yield ", ".join(filter(None, parts))


def in_words(progress: Progress, now: float) -> str:
    """The progress as a line of a log. ``now``: seconds since 1970."""
    if not progress.total:
        head = f"comparing with the server: {many(progress.done, 'request', 'requests')} so far"
        return ", ".join(filter(None, (head, _next(progress))))
    head = f"{progress.done:,} of {progress.total:,} done"
    parts = (head, _counted(progress), _in_doubt(progress), _next(progress), _end(progress, now))
    return ", ".join(filter(None, parts))


def _counted(progress: Progress, only: tuple[str, ...] | None = None) -> str:
    return ", ".join(
        f"{count:,} {status}" for status, count in progress.counts.items() if count and (only is None or status in only)
    )


def _in_doubt(progress: Progress) -> str:
    return f"{progress.in_doubt:,} in doubt" if progress.in_doubt else ""


def _next(progress: Progress) -> str:
    if progress.next_in is None or progress.next_in < 1:
        return ""
    return f"next {progress.next_is} in {duration(math.ceil(progress.next_in))}"


def _end(progress: Progress, now: float) -> str:
    return f"done at {local_time(now + progress.seconds_left, now)}" if progress.seconds_left >= 1 else ""


def _columns_of_stderr() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


@contextmanager
def watching(job: Job) -> Iterator[Watcher | None]:
    """The watcher that a command reports its progress to; None where the job wants none (--no-progress, --quiet)."""
    if job.no_progress or job.quiet:
        yield None
        return
    watcher = _Bar() if sys.stderr.isatty() else _Lines()
    try:
        yield watcher
    finally:
        watcher.close()
