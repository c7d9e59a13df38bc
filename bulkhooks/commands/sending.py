"""What commands that send have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkhooks.config.job import Job
from bulkhooks.errors import BulkhooksError
from bulkhooks.report import Progress, Watcher

if TYPE_CHECKING:
    from bulkhooks.commands.context import Accounts
    from bulkhooks.commands.inputs import Desired
    from bulkhooks.provision.item import Outcome
    from bulkhooks.provision.plan import Plan


class Declined(BulkhooksError):
    """A person was asked, and said no."""

    exit_code = 4


async def compare(job: Job, desired: Desired, accounts: Accounts) -> Plan:
    from bulkhooks.provision.plan import make_plan

    return await make_plan(
        accounts.lines, desired.rows, if_exists=job.if_exists, resend_unknown=job.resend_unknown, prune=job.prune
    )


class Tally:
    """Counts what has ended, for whoever watches."""

    def __init__(self, total: int, accounts: Accounts, watcher: Watcher | None) -> None:
        self._lines = accounts.lines.values()
        self._watcher = watcher
        self._total = total
        self._done = self._created = self._failed = 0
        self._tell()

    def ended(self, outcome: Outcome) -> None:
        """Count one more."""
        self._done += 1
        self._created += outcome.status == "created"
        self._failed += outcome.status in {"failed", "unknown"}
        self._tell()

    def _tell(self) -> None:
        if self._watcher is None:
            return
        left = (self._total - self._done) // max(1, len(self._lines))
        seconds = max((line.limiter.seconds_for(writes=left) for line in self._lines), default=0.0)
        self._watcher.moved(Progress(self._total, self._done, self._created, self._failed, seconds))
