"""``template``: an input workbook to fill in."""

from __future__ import annotations

from pathlib import Path

from bulkhooks.config.job import Job
from bulkhooks.errors import CredentialsError, Forbidden, Unauthorized


def template(job: Job, output: str) -> str:
    """Write an input workbook to fill in, with the locations of a file or of the API; returns where it went."""
    from bulkhooks.provision.tasks import run_sync
    from bulkhooks.sheets.reading.locations import Locations
    from bulkhooks.sheets.template.workbook import write_template

    if job.locations == "live":
        rows = [(number, name, "") for number, name in run_sync(lambda: _live_locations(job))]
    elif job.locations:
        rows = Locations.read(str(job.locations)).rows()
    else:
        rows = []
    write_template(Path(output), rows)
    return output


async def _live_locations(job: Job) -> list[tuple[int, str]]:
    from bulkhooks.commands.context import account_of, embedded, journal_path, terms
    from bulkhooks.provision.journal.journal import Journal
    from bulkhooks.provision.listing import locations
    from bulkhooks.provision.session import Session

    with embedded(job) as (settled, _), Journal(journal_path(settled)) as journal:
        async with Session(journal, terms(settled)) as session:
            line = await session.open(account_of(settled, settled.account))
            try:
                return await locations(line)
            except (Unauthorized, Forbidden) as error:
                raise CredentialsError(f"--locations live: the locations may not be listed ({error})") from error
