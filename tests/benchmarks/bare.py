"""The loops that people write instead: rows of a CSV, one POST each, so many in flight, and nothing remembered.

``python -m tests.benchmarks.bare CLIENT ADDRESS FILE``, of which CLIENT is one of ``CLIENTS``; prints posts a second.
"""

from __future__ import annotations

import asyncio
import csv
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

IN_FLIGHT = 32


@asynccontextmanager
async def _shared() -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(limits=limits) as client:
        yield client


@asynccontextmanager
async def _aiohttp() -> AsyncIterator[httpx.AsyncClient]:
    from aiohttp import ClientSession, TCPConnector
    from httpx_aiohttp import AiohttpTransport

    transport = AiohttpTransport(client=lambda: ClientSession(connector=TCPConnector(limit=IN_FLIGHT)))
    async with httpx.AsyncClient(transport=transport) as client:
        yield client


CLIENTS = {"shared": _shared, "aiohttp": _aiohttp}


async def _main(kind: str, address: str, rows: list[dict[str, str]]) -> float:
    start = time.perf_counter()
    async with CLIENTS[kind]() as client:
        waiting = iter(rows)

        async def work() -> None:
            for row in waiting:
                body = {"BusinessId": int(row["BusinessId"]), "Name": row["Name"], "Action": 6, "URL": row["URL"]}
                answer = await client.post(
                    f"{address}/api/sys/webhooks", json=body, headers={"Authorization": "Bearer token"}
                )
                answer.raise_for_status()
                answer.json()["Value"]["Id"]

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return len(rows) / (time.perf_counter() - start)


if __name__ == "__main__":
    _, asked, far_end, file = sys.argv
    print(asyncio.run(_main(asked, far_end, list(csv.DictReader(Path(file).read_text("utf-8").splitlines())))))
