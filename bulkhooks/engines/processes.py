"""Workers of this machine: processes of our own, each replaced when it ends, and none that outlives this one."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress

from bulkhooks.temporary import temporary_folder

_LOOK_EVERY = 0.2
"""Seconds."""

_SAID = "said.log"
"""What a worker writes to stdout and stderr."""

_FAILURES = 3
"""Processes in a row that end by themselves before any was at work: then there is no use in another."""


class Processes:
    """``count`` processes of a command, until they are closed.

    Each gets a line of JSON on its stdin, ``told`` with a ``name`` and a ``folder`` of its own. Its stdin ends when
    this process does, whatever ends it, and then so does the worker. It is in a session of its own, so the signals of
    a terminal do not reach it. ``known`` tells the names of those that are at work: one that was and is not any more is
    stopped or cut off; it is killed, which frees what it holds. ``failed`` is called, once, with the last words of the
    workers where none comes about.
    """

    def __init__(
        self,
        count: int,
        command: Sequence[str],
        told: Mapping[str, object],
        environment: Mapping[str, str],
        *,
        known: Callable[[], Collection[str]],
        failed: Callable[[str], None],
    ) -> None:
        self._command = [sys.executable, *command]
        self._told = told
        self._environment = dict(environment)
        self._known = known
        self._failed = failed
        self._numbers = itertools.count(1)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._at_work: set[str] = set()
        self._failures = 0
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="bulkhooks-workers", daemon=True)
        self._stack = ExitStack()
        self._folder = self._stack.enter_context(temporary_folder())
        self._stack.callback(self._kill)
        with ExitStack() as unless_all_start:
            unless_all_start.callback(self._stack.close)
            for _ in range(count):
                self._start()
            unless_all_start.pop_all()
        self._watcher.start()

    def close(self) -> None:
        """End them all, at once: what they were at stands in the journal."""
        self._closing.set()
        self._watcher.join()
        self._stack.close()

    def _kill(self) -> None:
        for child in self._children.values():
            child.kill()
        for child in self._children.values():
            _reap(child)

    def _start(self) -> None:
        name = f"bulkhooks-{next(self._numbers)}"
        folder = self._folder / name
        folder.mkdir()
        with (folder / _SAID).open("wb") as said:
            child = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                self._command,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                env=self._environment,
                start_new_session=True,
            )
        self._children[name] = child
        line = json.dumps({**self._told, "name": name, "folder": str(folder)}).encode() + b"\n"
        assert child.stdin is not None  # noqa: S101 (it was asked for)
        with suppress(OSError):  # it has ended already, which is seen at the next look
            child.stdin.write(line)
            child.stdin.flush()

    def _watch(self) -> None:
        while not self._closing.wait(_LOOK_EVERY):
            known = set(self._known())
            if known:
                self._failures = 0
            for name in [*self._children]:
                self._look_at(name, is_known=name in known)
            if self._failures >= _FAILURES:
                self._failed(self._last_words())
                return

    def _look_at(self, name: str, *, is_known: bool) -> None:
        child = self._children[name]
        if is_known:
            self._at_work.add(name)
        elif name in self._at_work:
            child.kill()
            child.wait()
        if child.poll() is None:
            return
        self._failures += name not in self._at_work
        _reap(child)
        del self._children[name]
        self._start()

    def _last_words(self) -> str:
        files = sorted(self._folder.glob(f"*/{_SAID}"), key=lambda path: path.stat().st_mtime)
        lines = [line for path in files for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else "they said nothing"


def _reap(child: subprocess.Popen[bytes]) -> None:
    child.wait()
    if child.stdin is not None:
        with suppress(OSError):
            child.stdin.close()
