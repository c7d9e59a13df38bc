"""What only the API can tell before a run: whether the credentials, the locations and the permissions are there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bulkhooks.errors import CredentialsError, Forbidden, Unauthorized
from bulkhooks.findings import Report
from bulkhooks.settings import Job

if TYPE_CHECKING:
    import pandas as pd

    from bulkhooks.provision.line import Line

_MOST_NAMED = 10


async def check_live(job: Job) -> Report:
    """``check`` with a look at the API: tries the credentials, the locations and the permission to list; no write."""
    from bulkhooks.job import found_in, probed, read_wish
    from bulkhooks.opening import embedded, journal_path, open_accounts, terms
    from bulkhooks.provision.journal import Journal
    from bulkhooks.provision.session import Session

    started_at = time.time()
    with embedded(job) as (settled, sandbox), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            wish = await read_wish(settled, session, sandbox)
            report = found_in(settled, wish, started_at)
            desk = await open_accounts(settled, session, wish.accounts, lock=False)
            webhooks = wish.expansion.webhooks
            for name, line in desk.lines.items():
                report.warnings += await _look(line, name, webhooks[webhooks["account"] == name])
            report.warnings += desk.reasons
            if settled.probe:
                report.warnings += await probed(wish)
            report.summary.requests = session.traffic.requests
            if desk.is_refused:
                report.summary.status, report.summary.exit_code = "auth-error", CredentialsError.exit_code
            return report


async def _look(line: Line, name: str, webhooks: pd.DataFrame) -> list[str]:
    """What there is to say of one account; ``CredentialsError`` where it may do nothing at all."""
    from bulkhooks.provision.listing import locations

    said: list[str] = []
    refused = 0
    try:
        known = {number for number, _ in await locations(line)}
    except (Unauthorized, Forbidden) as error:
        refused += 1
        said.append(f"account {name!r} may not list the locations ({error}): whether they exist is not known")
    else:
        wanted = webhooks["business_id"].unique().tolist()
        strangers = sorted(number for number in wanted if number and number not in known)
        if strangers:
            named = ", ".join(map(str, strangers[:_MOST_NAMED])) + (", …" if len(strangers) > _MOST_NAMED else "")
            said.append(f"account {name!r} has no location with these ids: {named}")
    try:
        await line.read(lambda: line.client.search(1, 1))
    except (Unauthorized, Forbidden) as error:
        refused += 1
        said.append(f"account {name!r} may not list webhooks ({error}): the journal alone knows what is there already")
        if refused > 1:
            raise CredentialsError(
                f"account {name!r}: the API turns away every request ({error}); check the credentials and their roles"
            ) from error
    return said


def template(job: Job, output: str) -> str:
    """Write an input workbook to fill in, with the locations of a file or of the API; returns where it went."""
    from pathlib import Path

    from bulkhooks.job import blocking
    from bulkhooks.sheets.locations import Locations
    from bulkhooks.sheets.template import write_template

    if job.locations == "live":
        rows = [(number, name, "") for number, name in blocking(lambda: _live_locations(job))]
    elif job.locations:
        rows = Locations.read(str(job.locations)).rows()
    else:
        rows = []
    write_template(Path(output), rows)
    return output


async def _live_locations(job: Job) -> list[tuple[int, str]]:
    from bulkhooks.opening import account_of, embedded, journal_path, terms
    from bulkhooks.provision.journal import Journal
    from bulkhooks.provision.listing import locations
    from bulkhooks.provision.session import Session

    with embedded(job) as (settled, _), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            line = await session.open(account_of(settled, settled.account))
            try:
                return await locations(line)
            except (Unauthorized, Forbidden) as error:
                raise CredentialsError(f"--locations live: the locations may not be listed ({error})") from error
