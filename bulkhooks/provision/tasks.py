"""Tasks side by side, as anyio has them, but with errors that can be caught by what they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
import sniffio
from anyio.abc import TaskGroup

from bulkhooks.errors import BulkhooksError
from bulkhooks.provision import event_loop

T = TypeVar("T")


@asynccontextmanager
async def task_group() -> AsyncIterator[TaskGroup]:
    """A task group; of the errors that end it together, the first that is ours comes out as it is."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as several:
        ours = _first_of_ours(several)
        if ours is None:
            raise
        raise ours from several


async def each(items: Iterable[T], work: Callable[[T], Coroutine[Any, Any, None]], workers: int) -> None:
    """Do the work for every item, so many at a time, begun in their order."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with task_group() as group:
        for _ in range(workers):
            group.start_soon(worker)


def _first_of_ours(several: BaseExceptionGroup[BaseException]) -> BulkhooksError | None:
    for error in several.exceptions:
        found = _first_of_ours(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, BulkhooksError):
            return found
    return None


def run_sync(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, also where an event loop runs already (a notebook, a scheduler)."""
    try:
        sniffio.current_async_library()
    except sniffio.AsyncLibraryNotFoundError:
        pass
    else:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="bulkhooks") as elsewhere:
            return elsewhere.submit(event_loop.run, work).result()
    return event_loop.run(work)
