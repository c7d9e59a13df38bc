"""``template``: an input workbook to fill in."""

from __future__ import annotations

from pathlib import Path

from bulkhooks.commands.context import account_of, open_context
from bulkhooks.config.job import Job
from bulkhooks.config.places import refuse_the_journal
from bulkhooks.errors import CredentialsError, Forbidden, Unauthorized
from bulkhooks.provision.listing.networks import table_of_locations
from bulkhooks.provision.tasks import run_sync
from bulkhooks.sheets.reading.locations import Locations
from bulkhooks.sheets.template.workbook import write_template


def template(job: Job, output: str) -> str:
    """Write an input workbook with drop-downs, and the locations of ``--locations`` (a file or ``live``).

    Returns where it is. Raises ``OutputError`` where it cannot be written, ``InputError`` where the file of locations
    cannot be read, ``CredentialsError`` where the API may not be asked for them, ``Stopped`` on a first signal.
    """
    refuse_the_journal(job, [("OUT", Path(output))])
    if job.locations == "live":
        known = live_locations(job)
    elif job.locations:
        known = Locations.read(str(job.locations))
    else:
        known = Locations()
    write_template(Path(output), known.rows())
    return output


def live_locations(job: Job) -> Locations:
    """The locations that the API names for the job's account. Raises as ``template`` does."""
    return run_sync(lambda: _live_locations(job))


async def _live_locations(job: Job) -> Locations:
    """The account's locations."""
    async with open_context(job) as context:
        with context.session.stoppable():
            account = await context.session.open(account_of(context.job, context.job.account))
            try:
                return await table_of_locations(account)
            except (Unauthorized, Forbidden) as error:
                raise CredentialsError(f"--locations live: the locations may not be listed ({error})") from error
