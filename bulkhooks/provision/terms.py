"""Where and as whom accounts send, and the terms of a run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bulkhooks.nexudus.address import account_key
from bulkhooks.nexudus.credentials import Authorization
from bulkhooks.nexudus.transport import Transport
from bulkhooks.provision.limits.rates import Rate

PATIENCE = 900.0
"""Seconds: a next slot farther away than this ends the run, unless ``--wait`` is given."""


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """Where and as whom requests are sent, and how many. ``name`` is what the sheet's Account column says."""

    name: str
    base_url: str
    authorization: Authorization
    writes: tuple[Rate, ...] = ()
    requests: tuple[Rate, ...] = ()

    @property
    def key(self) -> str:
        """The account as the journal knows it, whatever spelling of the server was given; never a secret."""
        return account_key(self.base_url, self.authorization.user or self.name)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a run sends, the same for all its accounts. Times are seconds.

    ``concurrency`` requests of an account are on their way at once; ``retries`` is how often a row is sent beyond
    the first time; ``settle`` how long a create in doubt is left alone before it is looked up; ``patience`` the
    longest wait for a slot; ``max_runtime`` None is no end; ``limit`` is the number of writes of the run, None no
    limit. ``transport``, ``draw`` (what jitter is drawn from) and ``wall`` (seconds since 1970) are other than the
    default in tests.
    """

    timeout: float = 30.0
    concurrency: int = 8
    retries: int = 5
    settle: float = 30.0
    give_up_after: float = 300.0
    patience: float = PATIENCE
    max_runtime: float | None = None
    wait_lock: float = 0.0
    limit: int | None = None
    transport: Transport | None = field(default=None, repr=False)
    draw: random.Random = field(default_factory=random.Random, repr=False)
    wall: Callable[[], float] = field(default=time.time, repr=False)
