"""From a job's options to what is open while it runs: the journal, the credentials, the lines, the sandbox."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from bulkhooks.config.job import AccountSettings, Job
from bulkhooks.errors import CredentialsError
from bulkhooks.nexudus.address import check_base_url
from bulkhooks.nexudus.credentials import authorization_from
from bulkhooks.provision.account import Account
from bulkhooks.provision.rates import parse_rates
from bulkhooks.provision.session import PATIENCE, AccountConfig, Session, Terms

if TYPE_CHECKING:
    from bulkhooks.sandbox.server import Sandbox


def journal_path(job: Job) -> Path:
    """Where the job remembers: ``--journal``, or the user's state directory."""
    return job.journal or platformdirs.user_state_path("bulkhooks") / "journal.db"


def terms(job: Job) -> Terms:
    """The job's patience, as the engine takes it."""
    return Terms(
        timeout=job.timeout,
        concurrency=job.concurrency,
        retries=job.retries,
        give_up_after=job.give_up_after,
        patience=float("inf") if job.wait else PATIENCE,
        max_runtime=job.max_runtime,
        wait_lock=job.wait_lock,
        limit=job.limit,
    )


@contextmanager
def embedded(job: Job) -> Iterator[tuple[Job, Sandbox | None]]:
    """With ``--sandbox`` the job as it is sent to a sandbox of its own, with a journal of its own; else the job."""
    if not job.sandbox:
        yield job, None
        return
    from bulkhooks.sandbox.server import Sandbox

    with tempfile.TemporaryDirectory(prefix="bulkhooks-") as folder, Sandbox() as sandbox:
        token = AccountSettings(token_env="NEXUDUS_TOKEN")  # noqa: S106 (the name of a variable)
        yield (
            dataclasses.replace(
                job,
                base_url=sandbox.base_url,
                journal=Path(folder) / "journal.db",
                environment={"NEXUDUS_TOKEN": sandbox.token},
                accounts={name: dataclasses.replace(token, rate=known.rate) for name, known in job.accounts.items()},
                auth="bearer",
            ),
            sandbox,
        )


def account_of(job: Job, name: str) -> AccountConfig:
    """Where and as whom rows of this account are sent; ``CredentialsError`` where its credentials are missing."""
    settings = job.accounts.get(name) or AccountSettings()
    base_url = check_base_url(settings.base_url or job.base_url, allow_http=job.allow_http)
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


@dataclass(slots=True)
class Accounts:
    """The accounts of a run. ``numbers`` are the journal's, ``missing`` the accounts that have no credentials."""

    lines: dict[str, Account] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    missing: dict[str, CredentialsError] = field(default_factory=dict)

    @property
    def reasons(self) -> list[str]:
        """Why not everything could be sent."""
        missing = [f"account {name!r}: {error}" for name, error in self.missing.items()]
        return missing + [line.halted.reason for line in self.lines.values() if line.halted is not None]

    @property
    def is_refused(self) -> bool:
        """Whether credentials were missing, or turned away."""
        refused = CredentialsError.exit_code
        return bool(self.missing) or any(
            line.halted is not None and line.halted.exit_code == refused for line in self.lines.values()
        )


async def open_accounts(job: Job, session: Session, names: Iterable[str], *, lock: bool) -> Accounts:
    """Lines to all accounts named; one without credentials stops only itself, unless it is the only one."""
    accounts = Accounts()
    for name in names:
        try:
            line = await session.open(account_of(job, name), lock=lock)
        except CredentialsError as error:
            accounts.missing[name] = error
            accounts.numbers[name] = session.journal.account(f"{job.base_url}|{name}", name)
        else:
            accounts.lines[name] = line
            accounts.numbers[name] = line.account
    if accounts.missing and not accounts.lines:
        raise next(iter(accounts.missing.values()))
    return accounts
