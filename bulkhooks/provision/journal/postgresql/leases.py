"""Who has which account, where several machines share a journal: leases, each with a token that grows.

What is written for an account is written under its token, so nothing is once somebody else has taken it over. That
alone would not do: a process may be paused between its record and the request. So requests also leave only as long as
their lease is trusted (``not_after``), which ends before anybody can take it over for its age
(bulkhooks/docs/decisions/leases.md).
"""

from __future__ import annotations

import json
import math
import os
import secrets
import socket
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from bulkhooks.errors import JournalError, LeaseLost
from bulkhooks.provision.journal import tables
from bulkhooks.provision.journal.postgresql.sessions import steady

if TYPE_CHECKING:
    from bulkhooks.provision.journal.postgresql.database import PostgreSQL

_EARLY = 1.0
"""Seconds before its end from which a lease is no longer trusted."""


class Leases:
    """The leases that one open journal has. ``seconds`` is how long one lasts without a sign of life."""

    may_be_lost = True

    def __init__(self, database: PostgreSQL, seconds: float = 30.0, clock: Callable[[], float] = steady) -> None:
        self.seconds = seconds
        self.certificate = secrets.randbits(62)
        """The number of the advisory lock that this process holds for as long as it lives."""
        self.heir_of: int | None = None
        """The run whose accounts are taken, whoever of its processes has them."""
        self.lost: dict[int, str] = {}
        """Why nothing more may be sent for an account."""
        self.stopped: set[int] = set()
        """Accounts whose run is asked to stop."""
        self._database = database
        self._clock = clock
        self._tokens: dict[int, int] = {}
        self._handed_on: set[int] = set()
        self._until: dict[int, float] = {}
        self._is_closing = False

    def take(self, account_id: int) -> bool:
        """Take an account; False where somebody has it. Raises ``JournalError``."""
        before = self._clock()
        ((token,),) = self._database.query(
            sa.select(
                _function("take_lease")(
                    account_id, holder(), self.certificate, self.seconds, sa.cast(self.heir_of, sa.BigInteger)
                )
            )
        )
        if token is None:
            return False
        self._tokens[account_id] = token
        self._handed_on.discard(account_id)
        self._until[account_id] = before + self.seconds - _EARLY
        self.lost.pop(account_id, None)
        return True

    def hand_on(self, account_ids: Collection[int]) -> None:
        """Let workers of this run take accounts over, each when it comes to it; until then they are kept."""
        self._handed_on.update(account_ids)

    def release(self, account_id: int) -> None:
        """Let others have the account, if it is still ours.

        Where the server is not heard, the lease ends by itself: a run that is over has nothing to lose by that.
        """
        token = self._tokens.pop(account_id, None)
        if token is None:
            return
        lease = tables.leases
        mine = sa.update(lease).where(lease.c.account == account_id, lease.c.token == token)
        with suppress(JournalError), self._database.transaction() as connection:
            connection.execute(mine.values(holder="", run=None))
        self._until.pop(account_id, None)

    def named(self, run: int, account_ids: Collection[int]) -> None:
        """Say which run has the accounts."""
        lease = tables.leases
        with self._database.transaction() as connection:
            for account_id in account_ids:
                mine = sa.update(lease).where(
                    lease.c.account == account_id, lease.c.token == self._tokens.get(account_id)
                )
                connection.execute(mine.values(run=run))

    def renew(self) -> None:
        """Give a sign of life for all of them; what is no longer ours is ``lost``. Raises ``JournalError``."""
        before, mine = self._clock(), dict(self._tokens)
        if not mine:
            return
        renewed = _function("renew_leases")(sa.cast(sa.literal(self.packed(mine), sa.Text), JSONB), self.seconds)
        found = dict(map(tuple, self._database.query(sa.select(sa.text("*")).select_from(renewed))))
        for account_id, token in mine.items():
            if self._tokens.get(account_id) != token:
                continue  # given back, or taken once more, while this was asked
            if account_id in found:
                self._until[account_id] = before + self.seconds - _EARLY
            else:
                self.lose(account_id)
        self.stopped = {account_id for account_id, is_stopped in found.items() if is_stopped}

    def lose(self, account_id: int) -> None:
        """Somebody else has taken an account over, which is as it should be where it was handed on."""
        if self._tokens.pop(account_id, None) is None:
            return
        self._until.pop(account_id, None)
        if account_id in self._handed_on:
            return
        self.lost[account_id] = (
            "another run has taken the account over, because this one gave no sign of life for too long (cut off from"
            " the journal, or asleep): nothing more is sent; run it again"
        )

    def packed(self, of: Iterable[int]) -> str:
        """Leases as the functions take them: those of some accounts, as far as they are ours."""
        return json.dumps([[account, self._tokens[account]] for account in of if account in self._tokens])

    def packed_all(self) -> str:
        """Likewise, all of them."""
        return self.packed(self._tokens)

    def not_after(self, account_id: int) -> float:
        """Until when, by ``now``, a request for the account may leave. Raises ``LeaseLost`` where none may."""
        if account_id in self.lost:
            raise LeaseLost(self.lost[account_id])
        return self._until.get(account_id, float("inf"))

    def now(self) -> float:
        """The clock of ``not_after``."""
        return self._clock()

    @property
    def are_held(self) -> bool:
        """Whether there is any."""
        return bool(self._until)

    def trusted_until(self) -> float:
        """Until when, by ``now``, any of the leases is trusted; where there is none, as long as one lasts.

        Once they are being given back nobody waits any more: they end by themselves.
        """
        if self._is_closing:
            return -math.inf
        return max(self._until.values(), default=self._clock() + self.seconds)

    def check(self) -> None:
        """Nothing to look after: each write is fenced by itself."""

    def close(self) -> None:
        """Let others have what is still held."""
        self._is_closing = True
        for account_id in list(self._tokens):
            self.release(account_id)


def holder() -> str:
    """This process, as the journal names it."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def _function(name: str) -> Callable[..., sa.Function[object]]:
    return getattr(getattr(sa.func, tables.SCHEMA), name)  # type: ignore[no-any-return]
