"""The engine on Dask distributed: workers of this machine, or a cluster of the user's. Nobody else imports it.

Dask has what is hard: which worker does what, who has died, and that its tasks are begun again elsewhere. Its own
workers for one machine are started by ``multiprocessing``, which imports the user's script again; ours are programs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import anyio.to_thread
import dask
from distributed import Client, Future, KilledWorker, LocalCluster, Security, Worker

from bulkhooks.engines.engine import Ended, EngineFailed, Task
from bulkhooks.engines.processes import Processes
from bulkhooks.provision import event_loop

_AT_ONCE = 100
"""Tasks that a worker of ours has under way at once: an account mostly waits."""

_CONNECT = 20.0
"""Seconds to reach a scheduler."""

_ANSWER = 60.0
"""Seconds for an answer that is there to be fetched from its worker."""

_LOGS = ("distributed", "distributed.client", "tornado")
"""Loggers of Dask's, which write to stderr: what there is to say, we say."""

_QUIET = {
    "distributed.admin.log-format": "%(message)s",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # A worker that dies is no fault of what it was at.
    "distributed.scheduler.allowed-failures": 1_000_000,
}

_GONE = "the scheduler {} is not heard any more; the workers stop by themselves: run it again once it can be reached"


class Dask:
    """An ``Engine`` whose scheduler is at an address. Raises ``EngineFailed`` where nothing answers there."""

    def __init__(self, address: str, security: Security | None = None) -> None:
        self._address = address
        self._ended: queue.SimpleQueue[Ended | EngineFailed] = queue.SimpleQueue()
        self._futures: dict[str, Future[Any]] = {}
        self._is_closed = False
        self._levels = {name: logging.getLogger(name).level for name in _LOGS}
        _silence()
        try:
            self._client = Client(address, security=security, timeout=_CONNECT, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            self._speak()
            raise EngineFailed(f"--scheduler {address}: no scheduler of Dask answers there ({error})") from error

    def submit(self, name: str, task: Task, order: Mapping[str, Any]) -> None:
        """``Engine.submit``."""
        future = self._client.submit(task, dict(order), pure=False)
        self._futures[name] = future
        future.add_done_callback(lambda done: self._note(name, done))

    async def completed(self) -> Ended:
        """``Engine.completed``."""
        found = await anyio.to_thread.run_sync(self._ended.get, abandon_on_cancel=True)
        if isinstance(found, EngineFailed):
            self.fail(found)  # for whoever asks next
            raise found
        self._futures.pop(found.name, None)
        return found

    def fail(self, error: EngineFailed) -> None:
        """There are no workers, and there will be none."""
        self._ended.put(error)

    def close(self) -> None:
        """``Engine.close``."""
        self._let_go()
        self._speak()

    def _let_go(self) -> None:
        self._is_closed = True
        self._futures.clear()
        self._ended.put(EngineFailed("closed"))  # lets a thread go that still waits
        with suppress(Exception):  # a scheduler that is no more
            self._client.close(timeout=2)

    def _speak(self) -> None:
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)

    def _note(self, name: str, done: Future[Any]) -> None:
        """Called in a thread of Dask's."""
        if self._is_closed:
            return
        if done.status in {"cancelled", "lost"}:
            self.fail(EngineFailed(_GONE.format(self._address)))
            return
        try:
            self._ended.put(Ended(name, done.result(timeout=_ANSWER)))
        except Exception as error:  # noqa: BLE001  # whatever went wrong there, one account is not done
            # Also where the answer alone did not get here: what was done stands in the journal.
            repeated = isinstance(error, (KilledWorker, OSError, TimeoutError))
            self._ended.put(Ended(name, {}, f"{type(error).__name__}: {error}", may_repeat=repeated))


class DaskHere(Dask):
    """An ``Engine`` of ``count`` workers on this machine, which run a Python ``program`` in ``environment``.

    They are heard on loopback only, and only by those who know a key that is made for the purpose. ``silence``: seconds
    without a sign of life after which one is replaced.
    """

    def __init__(self, count: int, program: Sequence[str], environment: Mapping[str, str], *, silence: float) -> None:
        security = Security.temporary()
        with dask.config.set({**_QUIET, "distributed.scheduler.worker-ttl": f"{max(1, round(silence))}s"}):
            self._cluster = LocalCluster(
                n_workers=0,
                processes=False,
                host="127.0.0.1",
                protocol="tls://",
                security=security,
                # Without it a second run of this machine would find the port of the first one's taken, and say so.
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                silence_logs=logging.CRITICAL,
            )
            super().__init__(self._cluster.scheduler_address, security)
        worker = security.get_tls_config_for_role("worker")
        self._processes = Processes(
            count,
            [*program],
            {"address": self._cluster.scheduler_address, "ca": worker["ca_file"], "cert": worker["cert"],
             "key": worker["key"]},
            environment,
            known=self._names,
            failed=lambda said: self.fail(EngineFailed(f"--workers {count}: no worker could be started: {said}")),
        )  # fmt: skip

    def _names(self) -> list[str]:
        scheduler: Any = self._cluster.scheduler
        return [str(worker.name) for worker in [*scheduler.workers.values()]]

    def close(self) -> None:
        """``Engine.close``."""
        self._processes.close()
        self._let_go()
        with suppress(Exception):
            self._cluster.close(timeout=2)
        self._speak()


def _silence() -> None:
    for name in _LOGS:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def serve(stop: Callable[[], Awaitable[None]]) -> None:
    """Be a worker of ``DaskHere``. ``stop`` ends what is under way, in good order, once that is no more."""
    for number in (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])):
        signal.signal(number, signal.SIG_IGN)  # whoever shares out the accounts says when it is over
    told = json.loads(sys.stdin.buffer.readline())
    _silence()
    with dask.config.set(_QUIET):
        event_loop.run(lambda: _serve(told, stop))


async def _serve(told: Mapping[str, str], stop: Callable[[], Awaitable[None]]) -> None:
    security = Security(
        require_encryption=True, tls_ca_file=told["ca"], tls_worker_cert=told["cert"], tls_worker_key=told["key"]
    )
    alone, loop = asyncio.Event(), asyncio.get_running_loop()

    def wait_for_the_end() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        loop.call_soon_threadsafe(alone.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    worker = Worker(
        told["address"],
        name=told["name"],
        nthreads=_AT_ONCE,
        host="127.0.0.1",
        protocol="tls://",
        security=security,
        local_directory=told["folder"],
        memory_limit=0,
        dashboard=False,
        dashboard_address="127.0.0.1:0",
    )
    async with worker:
        ends = [asyncio.ensure_future(worker.finished()), asyncio.ensure_future(alone.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        await stop()
