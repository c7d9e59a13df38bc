"""An open journal, and the accounts that a command talks to; stops them on a signal or when their time is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager, suppress

import anyio

from bulkhooks.errors import JournalError, LeaseLost, UsageError
from bulkhooks.nexudus.client import NexudusClient
from bulkhooks.provision.account import Account
from bulkhooks.provision.dispatch import Traffic
from bulkhooks.provision.journal.holding import hold
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.signals import Signals
from bulkhooks.provision.stopping import STOPPED_BY, TIME_IS_OVER, Budget, Cancellation, Halt
from bulkhooks.provision.tasks import task_group
from bulkhooks.provision.terms import AccountConfig, Terms


class Session:
    """What is open while a command talks to the API. Use as an asynchronous context.

    The first signal halts every account: what is in flight is finished, and each further request raises ``Stopped``.
    The second one (``was_aborted``) lets even that go, and requests raise ``Aborted``. Without ``hears`` signals are
    left to whoever runs the process.
    """

    def __init__(self, journal: Journal, terms: Terms, *, hears: bool = True) -> None:
        self.journal = journal
        self.terms = terms
        self.accounts: dict[str, Account] = {}
        self._locked: set[str] = set()
        self._before: tuple[Traffic, ...] = ()
        """What was sent for accounts before they were locked."""
        self.was_aborted = False
        self.ends_at: float | None = None
        """When no further request may begin, in seconds since 1970."""
        self._cancellation = Cancellation()
        self._signals = Signals(self._interrupt, self._abort)
        self._hears = hears
        self.budget = Budget(terms.limit)
        self._stack = AsyncExitStack()
        self._of_accounts: dict[str, AsyncExitStack] = {}

    async def __aenter__(self) -> Session:
        await self._stack.__aenter__()
        if self._hears:
            self._stack.enter_context(self._signals.heard())
        group = await self._stack.enter_async_context(task_group())
        # Entered last, left first: the tasks end before the group is waited for. Clients and locks are entered later,
        # so their connections are closed while the journal still commits.
        self._stack.callback(group.cancel_scope.cancel)
        group.start_soon(self.journal.keep)
        if self.journal.locks.may_be_lost:
            group.start_soon(self._hold)
        if self.terms.max_runtime is not None:
            self.ends_at = self.wall() + self.terms.max_runtime
            group.start_soon(self._end_at, anyio.current_time() + self.terms.max_runtime)
        return self

    async def __aexit__(self, *_: object) -> None:
        # Told of no error, the task group lets the body's own error through as it is, not as a group of one.
        await self._stack.__aexit__(None, None, None)

    async def open(self, config: AccountConfig, *, lock: bool = False, budget: Budget | None = None) -> Account:
        """An account, opened when first asked for; with ``lock``, no other run of it can be open. ``budget``: its own,
        where it does not share the session's.

        Raises ``UsageError`` where it is open under another name, ``LockedError``, and ``Stopped`` on a signal.
        """
        if config.name in self.accounts and (config.name in self._locked or not lock):
            return self.accounts[config.name]
        account_id = self.journal.account(config.key, config.name)
        for name, account in self.accounts.items():
            if account.id == account_id and name != config.name:
                raise UsageError(
                    f"accounts {name!r} and {config.name!r} are the same user at the same address: name it in one way"
                )
        # The lock comes before the account: what counts for its limits is read from the journal once nobody else can
        # add to it.
        stack = AsyncExitStack()
        self._stack.push_async_exit(stack)
        if lock:
            with self._cancellation.scope():
                await hold(self.journal, account_id, config.name, self.terms.wait_lock)
            stack.callback(self.journal.locks.release, account_id)
            self._locked.add(config.name)
            if config.name in self.accounts:
                self._before += (self.accounts[config.name].traffic,)
        client = await stack.enter_async_context(
            NexudusClient(
                config.base_url,
                config.authorization,
                timeout=self.terms.timeout,
                transport=self.terms.transport,
            )
        )
        account = Account(config, client, self.journal, account_id, terms=self.terms, budget=budget or self.budget)
        if self._cancellation.halt is not None:
            account.halt(self._cancellation.halt)
        self.accounts[config.name] = account
        self._of_accounts[config.name] = stack
        return account

    async def close(self, name: str) -> None:
        """Let go of one account before the others."""
        self.accounts.pop(name)
        self._locked.discard(name)
        await self._of_accounts.pop(name).aclose()

    @property
    def traffic(self) -> Traffic:
        """What all accounts have sent."""
        each = [*self._before, *(account.traffic for account in self.accounts.values())]
        return Traffic(
            sum(traffic.requests for traffic in each),
            sum(traffic.writes for traffic in each),
            sum(traffic.throttled for traffic in each),
            sum(traffic.retried for traffic in each),
        )

    def wall(self) -> float:
        """Now, in seconds since 1970."""
        return self.terms.wall()

    def halt(self, halt: Halt) -> None:
        """End the work of every account, also of those that are opened later."""
        self._cancellation.cancel(halt)
        for account in self.accounts.values():
            account.halt(halt)

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Work inside that sends no write: a first signal ends it with ``Stopped``, a second with ``Aborted``."""
        with self._cancellation.scope():
            yield
        self._cancellation.check()  # also where the last answer came all the same

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """What others do is waited for inside, also after a first signal; a second ends that with ``Aborted``."""
        with self._cancellation.scope(), self._cancellation.shielded():
            yield

    @property
    def halted(self) -> Halt | None:
        """Why the work of every account was ended; None while it goes on."""
        return self._cancellation.halt

    def standing_still(self) -> AbstractContextManager[None]:
        """For long work that never awaits: the second signal raises ``Aborted`` in it."""
        return self._signals.standing_still()

    async def _hold(self) -> None:
        """Give signs of life for the accounts that are held, and halt those that somebody else has taken over."""
        while True:
            await anyio.sleep(self.journal.locks.seconds / 3)
            with suppress(JournalError):  # then the leases end by themselves
                await self.journal.renew()
            for account in self.accounts.values():
                if account.id in self.journal.locks.lost:
                    account.stop(LeaseLost(self.journal.locks.lost[account.id]))
                elif account.id in self.journal.locks.stopped:
                    account.halt(Halt(f"{STOPPED_BY}whoever shares out the accounts of this run"))

    async def _end_at(self, deadline: float) -> None:
        await anyio.sleep_until(deadline)
        self.halt(Halt(TIME_IS_OVER))

    def _interrupt(self, name: str) -> None:
        self.halt(Halt(f"{STOPPED_BY}{name}: what is in flight is finished, the rest stays pending"))

    def _abort(self) -> None:
        self.was_aborted = True
        self._cancellation.drop()
        for account in self.accounts.values():
            account.drop()
