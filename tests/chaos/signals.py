"""Signals at moments that a seed chooses."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable

from tests.chaos.program import Child

_POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def strike(child: Child, draw: random.Random, requests: Callable[[], int]) -> list[str]:
    """Send a child none, one or several signals; returns their names. ``requests`` counts those that it has sent."""
    sent: list[str] = []
    for number in _choice(draw):
        if not _moment(child, draw, requests):
            break
        if child.signal(number):
            sent.append(number.name)
        if number == signal.SIGSTOP:
            time.sleep(draw.choice([0.05, 0.3, 1.2]))
            if child.signal(signal.SIGCONT):
                sent.append("SIGCONT")
    return sent


def _choice(draw: random.Random) -> list[signal.Signals]:
    chosen = draw.random()
    if chosen < 0.2:
        return []
    if chosen < 0.4:
        return [draw.choice(_POLITE)]
    if chosen < 0.55:
        return [draw.choice(_POLITE), draw.choice(_POLITE)]
    if chosen < 0.75:
        return [signal.SIGKILL]
    if chosen < 0.9:
        return [signal.SIGSTOP] * draw.randint(1, 2)
    return [signal.SIGSTOP, draw.choice([*_POLITE, signal.SIGKILL])]


def _moment(child: Child, draw: random.Random, requests: Callable[[], int]) -> bool:
    """Wait for a number of requests or for a time; False where the child ends before."""
    if draw.random() < 0.6:
        count = requests() + draw.randint(0, 25)
        while requests() < count:
            if not child.is_running:
                return False
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.03))
    else:
        child.wait(draw.uniform(0, 1.0))
    return child.is_running
