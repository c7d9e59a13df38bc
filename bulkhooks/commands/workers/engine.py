"""Which engine sends the accounts of a run: none, workers of this machine, or a cluster of the user's."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread

import bulkhooks
from bulkhooks.config.job import Job
from bulkhooks.engines.engine import Engine, EngineFailed
from bulkhooks.errors import UsageError

_EXTRA = "pip install 'bulkhooks[cluster]'"

_ROOT = str(Path(bulkhooks.__file__).parents[1])
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from bulkhooks.commands.workers import working; working.main()"


def over_workers(job: Job) -> bool:
    """Whether other processes send."""
    return job.workers is not None or job.scheduler is not None


def check_engine(job: Job) -> None:
    """Raise ``UsageError`` where a job cannot be sent by the workers that it asks for."""
    if not over_workers(job):
        return
    named = "--workers" if job.workers is not None else "--scheduler"
    if job.workers is not None and job.scheduler is not None:
        raise UsageError("--workers are processes of this machine, --scheduler is a cluster: give one of them")
    if job.shard is not None:
        raise UsageError(
            f"{named} divides the accounts by itself: leave --shard out, or start each shard without workers"
        )
    if any(importlib.util.find_spec(name) is None for name in ("distributed", "cryptography")):
        raise UsageError(f"{named} needs: {_EXTRA}")
    if job.scheduler is None:
        return
    if job.sandbox:
        raise UsageError("--sandbox is on this machine alone: rehearse with --workers N instead of --scheduler")
    if job.environment:
        raise UsageError("--scheduler: the workers have their own environment; put the credentials there")
    if not isinstance(job.journal, str):
        raise UsageError(
            "--scheduler: the workers of a cluster cannot see a file of this machine; name a shared journal, --journal"
            " postgresql://user@host/database"
        )


@asynccontextmanager
async def open_engine(job: Job) -> AsyncIterator[Engine | None]:
    """The engine that a job asks for, until the block is left; None where it sends by itself.

    Its workers start while others do what comes before sending. Raises ``UsageError`` where the scheduler is not there.
    """
    if not over_workers(job):
        yield None
        return
    try:
        engine = await anyio.to_thread.run_sync(lambda: _engine(job))
    except EngineFailed as error:
        raise UsageError(str(error)) from error
    try:
        yield engine
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(engine.close)


def _engine(job: Job) -> Engine:
    from bulkhooks.engines.dask import Dask, DaskHere  # loads a web server, which no run without workers needs

    if job.scheduler is not None:
        return Dask(job.scheduler)
    return DaskHere(job.workers or 1, ["-P", "-c", _PROGRAM, _ROOT], _environment(job), silence=job.lease)


def _environment(job: Job) -> dict[str, str]:
    """That of workers of this machine: this process's, with the credentials that the job has of its own."""
    if not job.environment:
        return dict(os.environ)
    return {name: value for name, value in os.environ.items() if not name.startswith("NEXUDUS_")} | {**job.environment}
