"""An open journal, and the lines of the accounts that a command talks to; ends in good order on a signal."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from types import FrameType

import anyio
from anyio.abc import TaskGroup

from bulkhooks.errors import Aborted, BulkhooksError, Stopped, UsageError
from bulkhooks.nexudus.client import NexudusClient
from bulkhooks.nexudus.credentials import Authorization
from bulkhooks.nexudus.transport import Transport
from bulkhooks.provision.account import Account
from bulkhooks.provision.dispatch import Traffic
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.lock import hold
from bulkhooks.provision.limiter import Limiter
from bulkhooks.provision.rates import Rate
from bulkhooks.provision.stopping import STOPPED_BY, Budget, Halt

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

PATIENCE = 900.0
"""Seconds: a next slot farther away than this ends the run, unless it was told to wait."""


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
        """The account as the journal knows it: base URL and user, never a secret."""
        return f"{self.base_url}|{self.authorization.user or self.name}"


@dataclass(frozen=True, slots=True)
class Terms:
    """How patient a run is. Seconds; ``max_runtime`` None is no end, ``draw`` is what jitter is drawn from."""

    timeout: float = 30.0
    concurrency: int = 8
    retries: int = 5
    give_up_after: float = 300.0
    patience: float = PATIENCE
    max_runtime: float | None = None
    wait_lock: float = 0.0
    limit: int | None = None
    transport: Transport | None = field(default=None, repr=False)
    draw: random.Random | None = field(default=None, repr=False)


class Session:
    """What is open while a command talks to the API. Use as an asynchronous context."""

    def __init__(self, journal: Journal, terms: Terms, *, wall: Callable[[], float] = time.time) -> None:
        self.journal = journal
        self.terms = terms
        self.wall = wall
        self.lines: dict[str, Account] = {}
        self.was_interrupted = False
        self.was_aborted = False
        self._signals = 0
        self._stoppable: set[anyio.CancelScope] = set()
        self._stands_still = False
        self._budget = Budget(terms.limit)
        self._stack = AsyncExitStack()
        self._deadline = float("inf")

    async def __aenter__(self) -> Session:
        await self._stack.__aenter__()
        group = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(group.cancel_scope.cancel)
        self._start(group)
        if self.terms.max_runtime is not None:
            self._deadline = anyio.current_time() + self.terms.max_runtime
        return self

    async def __aexit__(self, *_: object) -> None:
        # Told of no error, the task group lets the body's own error through as it is, not as a group of one.
        await self._stack.__aexit__(None, None, None)

    def _start(self, group: TaskGroup) -> None:
        group.start_soon(self.journal.keep)
        if threading.current_thread() is threading.main_thread():
            group.start_soon(self._listen_to_signals)

    async def open(self, account: AccountConfig, *, lock: bool = False) -> Account:
        """The line of an account, opened when first asked for; with ``lock``, no other run of it can have one."""
        if account.name in self.lines:
            return self.lines[account.name]
        number = self.journal.account(account.key, account.name)
        for name, line in self.lines.items():
            if line.account == number:
                raise UsageError(
                    f"accounts {name!r} and {account.name!r} are the same user at the same address: name it in one way"
                )
        if lock:
            held = await hold(self.journal, number, account.key, account.name, self.terms.wait_lock)
            self._stack.callback(held.release)
        client = await self._stack.enter_async_context(
            NexudusClient(
                account.base_url,
                account.authorization,
                timeout=self.terms.timeout,
                transport=self.terms.transport,
            )
        )
        line = Account(
            client,
            self.journal,
            number,
            Limiter(account.writes, account.requests),
            budget=self._budget,
            retries=self.terms.retries,
            give_up_after=self.terms.give_up_after,
            patience=self.terms.patience,
            deadline=self._deadline,
            wall=self.wall,
            draw=self.terms.draw,
        )
        if self.was_interrupted:
            line.halt(Halt(f"{STOPPED_BY}a signal"))
        self.lines[account.name] = line
        return line

    @property
    def traffic(self) -> Traffic:
        """What went over all lines."""
        lines = self.lines.values()
        return Traffic(
            sum(line.traffic.requests for line in lines),
            sum(line.traffic.writes for line in lines),
            sum(line.traffic.throttled for line in lines),
            sum(line.traffic.retried for line in lines),
        )

    def halt(self, halt: Halt) -> None:
        """End the work of every account."""
        for line in self.lines.values():
            line.halt(halt)

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Work inside that sends no write: the first signal ends it, once what is in flight has been answered.

        Raises ``Stopped`` then, and ``Aborted`` where a second signal did not leave time for that.
        """
        scope = anyio.CancelScope()
        self._stoppable.add(scope)
        try:
            with scope:
                if self.was_interrupted:
                    scope.cancel()
                yield
        except BulkhooksError as error:  # what a halted account makes of it
            if self.was_aborted:
                raise Aborted("stopped at once; nothing was sent to write") from error
            raise
        finally:
            self._stoppable.discard(scope)
        if self.was_interrupted:  # also where the last answer came all the same
            if self.was_aborted:
                raise Aborted("stopped at once; nothing was sent to write")
            raise Stopped("stopped before anything was sent to write; run the same command again")

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Long work inside, while no signal is listened to: the second one stops it all the same (``Aborted``)."""
        self._stands_still = True
        try:
            self._stop_at_the_second()
            yield
        finally:
            self._stands_still = False

    def _stop_at_the_second(self) -> None:
        if self._stands_still and self._signals > 1:
            raise Aborted("stopped at once; the journal has everything: bulkhooks results --run last -o PLACE")

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Count signals when they come, which is before anybody who listens to them hears of them."""
        listening = {number: signal.getsignal(number) for number in _SIGNALS}

        def count(number: int, frame: FrameType | None) -> None:
            self._signals += 1
            handler = listening[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)
            self._stop_at_the_second()

        for number in _SIGNALS:
            signal.signal(number, count)
        try:
            yield
        finally:
            for number, handler in listening.items():
                signal.signal(number, handler)

    async def _listen_to_signals(self) -> None:
        with anyio.open_signal_receiver(*_SIGNALS) as signals, self._counting():
            async for number in signals:
                if self.was_interrupted:
                    self.was_aborted = True
                    for line in self.lines.values():
                        line.drop()
                    continue
                self.was_interrupted = True
                name = signal.Signals(number).name
                self.halt(Halt(f"{STOPPED_BY}{name}: what is in flight is finished, the rest stays pending"))
                for scope in self._stoppable:
                    scope.cancel()
