"""The progress of a run on stderr: a bar on a terminal, else a line every half minute."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from bulkhooks.cli.logs import NEWS
from bulkhooks.config.job import Job
from bulkhooks.report import Progress, Watcher, duration

if TYPE_CHECKING:
    from tqdm import tqdm

LINE_EVERY = 30.0
"""Seconds between two lines where stderr is no terminal."""

_log = logging.getLogger("bulkhooks")


class _Bar:
    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None

    def moved(self, progress: Progress) -> None:
        if not progress.total:
            return
        self._bar = self._bar or self._drawn(progress.total)
        self._bar.update(progress.done - self._bar.n)
        self._bar.set_postfix_str(_described(progress), refresh=False)

    @staticmethod
    def _drawn(total: int) -> tqdm[NoReturn]:
        from tqdm import tqdm

        look = "{percentage:3.0f}% {bar} {n_fmt}/{total_fmt} [{elapsed}, {rate_fmt}]{postfix}"
        return tqdm(total=total, unit="hook", file=sys.stderr, dynamic_ncols=True, bar_format=look)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Lines:
    """Logs the progress every half minute, from a thread of its own, so that a run that waits logs it too."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="progress", daemon=True)
        self._thread.start()

    def moved(self, progress: Progress) -> None:
        self._progress = progress

    def _tell(self) -> None:
        while not self._over.wait(LINE_EVERY):
            if (progress := self._progress) is not None:
                _log.log(NEWS, "%d of %d done, %s", progress.done, progress.total, _described(progress))

    def close(self) -> None:
        self._over.set()


def _described(progress: Progress) -> str:
    words = [f"{count:,} {status}" for status, count in progress.counts.items() if count]
    if progress.seconds_left >= 1:
        words.append(f"{duration(progress.seconds_left)} left at the limits")
    return ", ".join(words)


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
