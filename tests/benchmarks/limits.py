"""Our limiter beside others, against a server that counts to the letter, with latency that varies."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

import anyio
import httpx

from bulkhooks.nexudus.transport import Connections
from bulkhooks.provision.limits.limiter import Limiter
from bulkhooks.provision.limits.rates import Rate
from tests.benchmarks.measure import Row, Scale, installed, skipped
from tests.benchmarks.server import far_end

COUNT = 60
"""Writes in a window, as published; the windows are shorter, or this would take hours."""

LATENCIES = (0.005, 0.05, 0.5)
"""Seconds, the longest; see ``FarEnd`` for how they vary."""

Send = Callable[[], Awaitable[bool]]
"""Sends one write; False where it was throttled."""
Limited = Callable[[Send], Awaitable[bool]]
"""Waits for a limiter, and sends."""


def _ours(period: float) -> Limited:
    limiter = Limiter([Rate(COUNT, period)], [])

    async def limited(send: Send) -> bool:
        slot = await limiter.slot(write=True)
        taken = await send()
        if taken:
            slot.answered()
        else:
            slot.throttled()
            limiter.pause(1)
        return taken

    return limited


def _aiolimiter(period: float) -> Limited:
    from aiolimiter import AsyncLimiter

    limiter = AsyncLimiter(COUNT, period)

    async def limited(send: Send) -> bool:
        async with limiter:
            taken = await send()
        if not taken:
            await anyio.sleep(1)
        return taken

    return limited


def _pyrate(period: float) -> Limited:
    import pyrate_limiter

    limiter = pyrate_limiter.Limiter(pyrate_limiter.Rate(COUNT, round(period * 1000)))

    async def limited(send: Send) -> bool:
        await limiter.try_acquire_async("writes")
        taken = await send()
        if not taken:
            await anyio.sleep(1)
        return taken

    return limited


LIMITERS = {
    "bulkhooks": (_ours, ""),
    "aiolimiter": (_aiolimiter, "aiolimiter"),
    "pyrate-limiter": (_pyrate, "pyrate_limiter"),
}


def cases(scale: Scale, folder: Path) -> Iterator[Row]:
    """180 writes at 60 in 2 seconds, for each latency: the time beside the least possible, and what was throttled."""
    writes, period = scale(3 * COUNT, COUNT + 2), 1.0 if scale.short else 2.0
    names = [name for name, (_, module) in LIMITERS.items() if not module or installed(module)]
    with ExitStack() as stack:
        addresses = {
            latency: stack.enter_context(far_end(latency=latency, rate=COUNT, period=period)) for latency in LATENCIES
        }
        taken = anyio.run(_all, addresses, names, writes, period, scale.repeats)
    windows = (writes - 1) // COUNT
    for latency in LATENCIES:
        least = windows * period
        allowed = 1.02 * least + (windows + 1) * latency
        for name in names:
            seconds = median(each for each, _ in taken[latency, name])
            throttled = median(each for _, each in taken[latency, name])
            is_ours = name == "bulkhooks"
            yield Row(
                f"{writes} writes at {COUNT} in {period:g} s, {latency * 1000:g} ms",
                f"{name} {seconds:.2f} s, {throttled:g} throttled",
                f"least possible {least:g} s" + (f", allowed {allowed:.2f} s" if is_ours else ""),
                seconds / (allowed if is_ours else least),
                1.0 if is_ours else None,
            )
    for name in LIMITERS.keys() - names:
        yield skipped("limiters", name)


async def _all(
    addresses: dict[float, str], names: list[str], writes: int, period: float, repeats: int
) -> dict[tuple[float, str], list[tuple[float, int]]]:
    """Every limiter by turns, the latencies side by side, for there is little to do."""
    taken: dict[tuple[float, str], list[tuple[float, int]]] = {}

    async def one(latency: float, address: str, name: str) -> None:
        taken.setdefault((latency, name), []).append(await _drive(address, LIMITERS[name][0](period), writes))

    for _, name in itertools.product(range(repeats), names):
        async with anyio.create_task_group() as group:
            for latency, address in addresses.items():
                group.start_soon(one, latency, address, name)
    return taken


async def _drive(address: str, limited: Limited, writes: int) -> tuple[float, int]:
    """Seconds until all writes are taken, and how many were throttled on the way."""
    waiting = iter(range(writes))
    throttled = 0
    async with Connections(httpx.AsyncHTTPTransport) as transport:
        send = partial(_send, transport, f"{address}/api/sys/webhooks")
        await _answer(transport, httpx.Request("POST", f"{address}/reset", content=b""))

        async def work() -> None:
            nonlocal throttled
            for _ in waiting:
                while not await limited(send):
                    throttled += 1

        start = anyio.current_time()
        async with anyio.create_task_group() as group:
            for _ in range(COUNT):
                group.start_soon(work)
        return anyio.current_time() - start, throttled


async def _send(transport: Connections, url: str) -> bool:
    answer = await _answer(transport, httpx.Request("POST", url, content=b'{"BusinessId":1001}'))
    return answer.status_code == 200


async def _answer(transport: Connections, request: httpx.Request) -> httpx.Response:
    """Read to its end, which gives its connection back."""
    answer = await transport.handle_async_request(request)
    await answer.aread()
    await answer.aclose()
    return answer
