"""From a job's options to what is open while a command works: the journal, the API, the accounts, the sandbox."""

from __future__ import annotations

import dataclasses
import getpass
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bulkhooks.config.job import AccountSettings, Job
from bulkhooks.config.places import journal_place, refuse_the_journal
from bulkhooks.errors import CredentialsError
from bulkhooks.nexudus.address import account_key, check_base_url
from bulkhooks.nexudus.credentials import authorization_from
from bulkhooks.provision.account import Account
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.limits.rates import parse_rates
from bulkhooks.provision.session import Session
from bulkhooks.provision.terms import PATIENCE, AccountConfig, Terms
from bulkhooks.redact import shown_url
from bulkhooks.report import REHEARSAL, Summary
from bulkhooks.temporary import temporary_folder
from bulkhooks.webhook import url_key

if TYPE_CHECKING:
    from bulkhooks.sandbox.server import Sandbox


_OTHER_FILES = 12
"""File descriptors that a command needs besides its connections: journal, lock, results, the event loop."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a command works with. ``job`` is the job as it is carried out: with ``--sandbox`` it names the sandbox."""

    job: Job
    journal: Journal
    session: Session
    sandbox: Sandbox | None = None


@asynccontextmanager
async def open_context(job: Job) -> AsyncIterator[Context]:
    """The journal, the session, and with ``--sandbox`` a sandbox, open until the block is left.

    From here on signals are listened to: the first halts every account and ends ``Session.stoppable``, the second
    gives up what is in flight. Raises ``JournalError`` where the journal cannot be used, ``UsageError`` where something
    else would be written to it, or where ``--sandbox`` finds no folder for its own.
    """
    refuse_the_journal(job)
    with _with_sandbox(job) as (carried_out, sandbox), Journal(journal_place(carried_out)) as journal:
        journal.database.check_memory()
        journal.database.lease_for(job.lease)
        async with Session(journal, terms(carried_out, journal.database.offset)) as session:
            yield Context(carried_out, journal, session, sandbox)


def terms(job: Job, offset: float = 0.0) -> Terms:
    """The job's options of patience and size, as the engine takes them. Times are seconds; ``offset`` is how far the
    journal's clock is ahead of this machine's."""
    return Terms(
        timeout=job.timeout,
        concurrency=min(job.concurrency, _connections(job)),
        retries=job.retries,
        settle=job.settle,
        give_up_after=job.give_up_after,
        patience=float("inf") if job.wait else PATIENCE,
        max_runtime=job.max_runtime,
        wait_lock=job.wait_lock,
        limit=job.limit,
        wall=lambda: time.time() + offset,
    )


def _connections(job: Job) -> int:
    """How many connections there are file descriptors for (``ulimit -n``), beside those of journal and results."""
    if sys.platform == "win32":
        return job.concurrency
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return job.concurrency
    left = limit - sum(1 for _ in Path("/dev/fd").iterdir()) - _OTHER_FILES
    return max(1, left // 2 if job.sandbox else left)  # of an embedded sandbox both ends are in this process


@contextmanager
def _with_sandbox(job: Job) -> Iterator[tuple[Job, Sandbox | None]]:
    """With ``--sandbox`` the job as it is sent to a sandbox of its own, with a journal of its own; else the job."""
    if not job.sandbox:
        yield job, None
        return
    if job.rehearsal is not None:
        yield _sent_to(job.rehearsal, job), job.rehearsal
        return
    from bulkhooks.sandbox.server import Sandbox  # loads a web server, which no other command needs

    with temporary_folder() as folder, Sandbox() as sandbox:
        yield dataclasses.replace(_sent_to(sandbox, job), journal=folder / "journal.db"), sandbox


def _sent_to(sandbox: Sandbox, job: Job) -> Job:
    """The job as it is sent to a sandbox, with its token for every account."""
    token = AccountSettings(token_env="NEXUDUS_TOKEN")  # noqa: S106 (the name of a variable)
    return dataclasses.replace(
        job,
        base_url=sandbox.base_url,
        environment={"NEXUDUS_TOKEN": sandbox.token},
        accounts={name: dataclasses.replace(token, rate=known.rate) for name, known in job.accounts.items()},
        auth="bearer",
    )


def account_of(job: Job, name: str) -> AccountConfig:
    """Where and as whom rows of this account are sent, and how many.

    Raises ``CredentialsError`` where its credentials are missing, ``UsageError`` where its address cannot be used.
    """
    settings = job.accounts.get(name) or AccountSettings()
    base_url = check_base_url(address_of(job, name), allow_http=job.allow_http)
    writes, requests = parse_rates(settings.rate or job.rate), parse_rates(job.request_rate)
    authorization = authorization_from(
        job.environment or os.environ,
        account=name,
        token_env=settings.token_env,
        username_env=settings.username_env,
        password_env=settings.password_env,
        basic=job.auth == "basic",
    )
    return AccountConfig(name, base_url, authorization, writes, requests)


def address_of(job: Job, name: str) -> str:
    """The base URL of an account as it was given."""
    settings = job.accounts.get(name)
    return (settings.base_url if settings else None) or job.base_url


def begin_summary(job: Job, accounts: Iterable[str], started_at: float, run_id: str = "") -> Summary:
    """The summary of a command that begins, with where it goes and who asked for it. ``started_at``: since 1970."""
    summary = Summary.begun(job.inputs, started_at, run_id)
    summary.accounts = list(accounts)
    summary.target = target(job, summary.accounts)
    summary.user = job.user or _login()
    return summary


def target(job: Job, accounts: Iterable[str]) -> str:
    """The servers of these accounts, as ``Summary.target`` has them."""
    if job.sandbox:
        return f"{REHEARSAL}: sandbox at {job.base_url}"
    return ", ".join(dict.fromkeys(url_key(address_of(job, name).rstrip("/")) for name in accounts))


def sign(summary: Summary, job: Job) -> None:
    """Fill in where a command was to go that broke off before its accounts were known, and who asked for it."""
    summary.target = f"{REHEARSAL}: sandbox" if job.sandbox else shown_url(job.base_url)
    summary.user = job.user or _login()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an entry in the system's list
        return ""


@dataclass(slots=True)
class Accounts:
    """The accounts of a command, by name. ``numbers`` are the journal's, ``missing`` those without credentials."""

    opened: dict[str, Account] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    missing: dict[str, CredentialsError] = field(default_factory=dict)

    @property
    def reasons(self) -> list[str]:
        """Why not everything could be sent, a sentence each."""
        missing = [f"account {name!r}: {error}" for name, error in self.missing.items()]
        return missing + [account.halted.reason for account in self.opened.values() if account.halted is not None]

    @property
    def is_halted(self) -> bool:
        """Whether the work of any account ended early."""
        return any(account.halted is not None for account in self.opened.values())

    @property
    def is_refused(self) -> bool:
        """Whether credentials were missing, or turned away."""
        refused = CredentialsError.exit_code
        return bool(self.missing) or any(
            account.halted is not None and account.halted.exit_code == refused for account in self.opened.values()
        )


async def open_accounts(context: Context, names: Iterable[str], *, lock: bool) -> Accounts:
    """The accounts named, opened; with ``lock`` no other run can have one of them.

    One without credentials stops only itself; ``CredentialsError`` where that are all. Raises ``LockedError`` where
    another run has one of them.
    """
    accounts = Accounts()
    for name in names:
        try:
            account = await context.session.open(account_of(context.job, name), lock=lock)
        except CredentialsError as error:
            accounts.missing[name] = error
            accounts.numbers[name] = context.journal.account(account_key(address_of(context.job, name), name), name)
        else:
            accounts.opened[name] = account
            accounts.numbers[name] = account.id
    if accounts.missing and not accounts.opened:
        raise next(iter(accounts.missing.values()))
    return accounts
