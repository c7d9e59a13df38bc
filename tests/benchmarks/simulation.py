"""A million webhooks over a thousand accounts, under a clock that jumps: days of limits in minutes.

What is simulated is what an operator has: the published limits, a nightly run an account, a server that counts to the
letter on arrival and now and then asks to wait for no reason. What runs is the real ``Limiter``; what an earlier night
has sent is told to the next night's, as a journal does.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import trio
import trio.testing

from bulkhooks.provision.limits.limiter import DAY, Limiter, NextSlotTooFar
from bulkhooks.provision.limits.rates import Rate, parse_rates
from tests.benchmarks.measure import Row, Scale

WRITES = parse_rates(("60/min", "5000/day"))
REQUESTS = parse_rates(("1/100ms", "120/min", "5000/h"))
WORKERS = 8
PATIENCE = 900.0
"""Seconds: a next slot farther away ends the night's run."""
ASKED_TO_WAIT = 0.001
"""How often the server asks to wait for no reason that a client can know."""


@dataclass
class Server:
    """One account's far end: what it has taken, by its own clock."""

    draw: random.Random
    taken: int = 0
    throttled: int = 0
    """Those that a limit was the reason of."""
    unasked: int = 0
    _windows: list[tuple[Rate, deque[float]]] = field(
        default_factory=lambda: [(rate, deque()) for rate in (*WRITES, *REQUESTS) if rate.period >= 1]
    )

    def takes(self) -> bool:
        now = anyio.current_time()
        if self.draw.random() < ASKED_TO_WAIT:
            self.unasked += 1
            return False
        for rate, window in self._windows:
            while window and window[0] <= now - rate.period:
                window.popleft()
            if len(window) >= rate.count:
                self.throttled += 1
                return False
        for _, window in self._windows:
            window.append(now)
        self.taken += 1
        return True


def cases(scale: Scale, folder: Path) -> Iterator[Row]:
    """50 accounts of 12,000 webhooks, and 950 that share the rest; each has a run every night."""
    large, small = scale(50, 1), scale(950, 4)
    each_large, each_small = scale(12_000, 150), scale(421, 30)
    sizes = [each_large] * large + [each_small] * small
    servers = [Server(random.Random(number)) for number in range(len(sizes))]
    ended = trio.run(_all, sizes, servers, clock=trio.testing.MockClock(autojump_threshold=0))
    least, makespan = max(map(_least, sizes)), max(ended)
    throttled, unasked = sum(server.throttled for server in servers), sum(server.unasked for server in servers)
    yield Row(
        f"simulated: {sum(sizes):,} webhooks, {len(sizes):,} accounts, a run a night",
        f"{makespan / 3600:.3f} h, {throttled} throttled by a limit",
        f"least possible {least / 3600:.3f} h; {unasked:,} asked to wait",
        makespan / least,
        1.02,
    )


async def _all(sizes: list[int], servers: list[Server]) -> list[float]:
    """When each account was done, in seconds."""
    ended = [0.0] * len(sizes)

    async def account(number: int) -> None:
        ended[number] = await _nights(sizes[number], servers[number])

    async with anyio.create_task_group() as group:
        for number in range(len(sizes)):
            group.start_soon(account, number)
    return ended


async def _nights(size: int, server: Server) -> float:
    answered: list[float] = []
    night = 0
    while server.taken < size:
        await anyio.sleep_until(night * DAY)
        await _run(size, server, answered)
        night += 1
    return anyio.current_time()


async def _run(size: int, server: Server, answered: list[float]) -> None:
    """One night's run: until everything is sent, or the cap is reached."""
    limiter = Limiter(WRITES, REQUESTS)
    now = anyio.current_time()
    limiter.remember([now - moment for moment in answered if moment > now - DAY], write=True)
    left = size - server.taken

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            try:
                slot = await limiter.slot(write=True, patience=PATIENCE)
            except NextSlotTooFar:
                return
            await anyio.sleep(_latency(server.draw))
            taken = server.takes()
            await anyio.sleep(_latency(server.draw))
            if taken:
                slot.answered()
                answered.append(anyio.current_time())
            else:
                slot.throttled()
                limiter.pause(server.draw.randint(1, 3))
                left += 1

    async with anyio.create_task_group() as group:
        for _ in range(WORKERS):
            group.start_soon(work)


def _latency(draw: random.Random) -> float:
    """One way, in seconds; few different ones, so that the clock has fewer stops."""
    return draw.choice((0.02, 0.04, 0.08))


def _least(size: int) -> float:
    """The least time in which so many can leave, no latency and no throttling."""
    a_minute, a_day = (rate.count for rate in WRITES)
    nights, last = divmod(size - 1, a_day)
    minutes, rest = divmod(last, a_minute)
    return nights * DAY + minutes * 60 + rest * 0.1
