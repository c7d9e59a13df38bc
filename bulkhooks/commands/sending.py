"""What the commands that send have in common: comparing, asking a person, sending with its progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import replace

from bulkhooks.commands.context import Accounts
from bulkhooks.commands.inputs import Desired
from bulkhooks.config.job import Job
from bulkhooks.errors import BulkhooksError
from bulkhooks.provision.item import Outcome
from bulkhooks.provision.plan import Plan, make_plan
from bulkhooks.provision.send import send as send_items
from bulkhooks.report import REHEARSAL, Ask, Progress, Question, Summary, Watcher


class Declined(BulkhooksError):
    """A person was asked, and said no."""

    exit_code = 4


async def compare(job: Job, desired: Desired, accounts: Accounts) -> Plan:
    """What has to be sent so that the servers have what the input asks for. Sends reads only."""
    return await make_plan(
        accounts.lines, desired.rows, if_exists=job.if_exists, resend_unknown=job.resend_unknown, prune=job.prune
    )


def confirm(job: Job, ask: Ask | None, summary: Summary, question: Question, otherwise: str) -> None:
    """Put a question to a person, where there is one and ``--yes`` is not given; it says where ``summary``'s run goes.

    Raises ``Declined`` with the sentence ``otherwise`` where the answer is no.
    """
    if ask is None or job.yes:
        return
    marked = f"{REHEARSAL}: " if summary.is_rehearsal else ""
    if not ask(replace(question, sentence=f"{marked}{summary.where}: {question.sentence}")):
        raise Declined(otherwise)


async def send(
    accounts: Accounts,
    run: int,
    *,
    writes: int,
    watcher: Watcher | None = None,
    unlisted: Mapping[str, Container[int]] | None = None,
    canary: int = 0,
) -> None:
    """Send what the journal has for ``run`` (its number there), all accounts side by side.

    ``writes``: how many at most, for the progress. ``unlisted``: by account the locations where what is in doubt
    cannot be looked up. Raises ``JournalError`` where the journal takes no more.
    """
    await send_items(
        accounts.lines,
        run,
        unlisted=unlisted,
        canary=canary,
        ended=Tally(writes, accounts, watcher).ended,
    )


class Tally:
    """Counts the rows that are done, for a watcher."""

    def __init__(self, total: int, accounts: Accounts, watcher: Watcher | None) -> None:
        self._lines = accounts.lines.values()
        self._watcher = watcher
        self._total = total
        self._done = 0
        self._counts: Counter[str] = Counter()
        self._tell()

    def ended(self, outcome: Outcome) -> None:
        """Count one more."""
        self._done += 1
        self._counts[str(outcome.status)] += 1
        self._tell()

    def _tell(self) -> None:
        if self._watcher is None:
            return
        left = (self._total - self._done) // max(1, len(self._lines))
        seconds = max((line.seconds_for(writes=left) for line in self._lines), default=0.0)
        self._watcher.moved(Progress(self._total, self._done, dict(self._counts), seconds))
