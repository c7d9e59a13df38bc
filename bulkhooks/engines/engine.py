"""What a run needs of an engine: it is given tasks, says which have ended, and is closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bulkhooks.errors import BulkhooksError

Task = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""A coroutine function of a module, done in another process. Its order and its answer are values of JSON."""


class EngineFailed(BulkhooksError):
    """No worker can be had, or the scheduler is not heard any more."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Ended:
    """A task that has ended, by the name that it was given. ``error`` says why there is no answer; '' where there is.

    ``may_repeat``: the worker died, and not the task by itself.
    """

    name: str
    answer: Mapping[str, Any]
    error: str = ""
    may_repeat: bool = False


class Engine(Protocol):
    """Tasks in other processes, any number side by side. A task whose process dies is begun again in another."""

    def submit(self, name: str, task: Task, order: Mapping[str, Any]) -> None:
        """Have a task done. It may be begun several times, and twice at once where a worker was taken for dead."""

    async def completed(self) -> Ended:
        """The next that has ended. Raises ``EngineFailed``."""

    def close(self) -> None:
        """Let go of the workers, whatever they do; those of this machine end."""
