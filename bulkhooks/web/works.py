"""What is under way in the server: each in a thread of its own, whoever looks at it and whoever closes the tab."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bulkhooks.errors import BulkhooksError
from bulkhooks.provision.signals import Stop
from bulkhooks.report import Progress, Question, Report

_log = logging.getLogger("bulkhooks")

_PATIENCE = 900.0
"""Seconds for which a question waits for its answer; then it is a no."""
_KEPT = 50
"""Ended works that are remembered."""
BY_THE_PAGE = "the button Stop"
BY_THE_SERVER = "the end of `bulkhooks serve`"


class Unexpected(BulkhooksError):
    """A mistake of this program."""

    exit_code = 4


@dataclass(slots=True)
class Work:
    """One command under way, or ended: then it has a ``report`` or an ``error``.

    ``owner`` is the id of who asked for it, ``who`` their name. ``question`` waits for an answer.
    """

    id: str
    kind: str
    title: str
    owner: str
    who: str = ""
    draft: str = ""
    """The id of the file that it is about."""
    began: float = field(default_factory=time.time)
    progress: Progress | None = None
    question: Question | None = None
    report: Report | None = None
    error: BulkhooksError | None = None
    is_over: bool = False
    stop: Stop = field(default_factory=Stop, repr=False)
    _answered: threading.Event = field(default_factory=threading.Event, repr=False)
    _answer: bool = False

    def moved(self, progress: Progress) -> None:
        """Take down how it stands: this is its own ``Watcher``."""
        self.progress = progress

    def ask(self, question: Question) -> bool:
        """Put a question to whoever is at the page, and wait for the answer: this is its own ``Ask``."""
        self._answered.clear()
        self._answer = False
        self.question = question
        began = time.monotonic()
        while not self._answered.wait(0.2):
            if self.stop.is_asked or time.monotonic() - began > _PATIENCE:
                break
        self.question = None
        return self._answer

    def answer(self, yes: bool) -> None:
        """Answer the question."""
        if self.question is not None:
            self._answer = yes
            self._answered.set()


class Works:
    """All works, the newest last. For any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._works: dict[str, Work] = {}
        self._threads: dict[str, threading.Thread] = {}

    def start(self, work: Work, do: Callable[[Work], Report], then: Callable[[Work], None] | None = None) -> Work:
        """Begin a work in a thread; ``then`` is called there at its end, whatever that is."""

        def carry_out() -> None:
            try:
                with work.stop.heeded():
                    work.report = do(work)
            except BulkhooksError as error:
                work.error = error
            except Exception as error:  # noqa: BLE001  # no traceback reaches a user
                _log.debug("unexpected", exc_info=error)
                work.error = Unexpected(f"something went wrong that should not have ({type(error).__name__})")
            try:
                if then is not None:
                    then(work)
            finally:
                work.is_over = True

        thread = threading.Thread(target=carry_out, name=f"work {work.id}", daemon=True)
        with self._guard:
            self._works[work.id] = work
            self._threads[work.id] = thread
            for name in [name for name, each in self._works.items() if each.is_over][:-_KEPT]:
                del self._works[name], self._threads[name]
        thread.start()
        return work

    def get(self, name: str) -> Work | None:
        """The work of that name."""
        with self._guard:
            return self._works.get(name)

    def under_way(self, *kinds: str) -> list[Work]:
        """What is not over, of these kinds; the newest first."""
        with self._guard:
            return [work for work in reversed(self._works.values()) if not work.is_over and work.kind in kinds]

    def end(self) -> None:
        """Stop everything, and wait for it: what is in flight is finished."""
        with self._guard:
            works, threads = list(self._works.values()), list(self._threads.values())
        for work in works:
            if not work.is_over:
                work.stop.ask(BY_THE_SERVER)
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)  # in short waits, so that a second Ctrl-C comes through
