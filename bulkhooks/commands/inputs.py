"""What the sheets ask for: reading, normalising and expanding as one step."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bulkhooks.commands.context import Context, account_of
from bulkhooks.commands.other_server import without_foreign_results
from bulkhooks.config.job import Job
from bulkhooks.errors import CredentialsError, ErrorCode, Forbidden, Refused, Unauthorized, UsageError
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.parts import Part
from bulkhooks.provision.listing.networks import table_of_locations
from bulkhooks.provision.shard import Shard
from bulkhooks.report import Problem
from bulkhooks.sheets.normalizing.expand import Expansion, expand
from bulkhooks.sheets.normalizing.normalize import normalize
from bulkhooks.sheets.reading.locations import Locations
from bulkhooks.sheets.reading.reader import read
from bulkhooks.sheets.reading.table import Table

_ASKED = ["row", "account", "business_id", "action", "url", "name", "description", "active", "replaces"]
"""Columns of the expansion by which shards know that they have the same input."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The input as a table, and as the webhooks it asks for."""

    table: Table
    expansion: Expansion
    locations: Locations
    size: int
    """How many webhooks the whole input asks for; ``expansion.webhooks`` are those of this process."""

    @property
    def rows(self) -> pd.DataFrame:
        """The expansion's webhooks, with ``name_given``: whether the name is the sheet's own.

        ``place`` is that of the first round, where the input is a results file: the column Row stays what it was.
        """
        webhooks = self.expansion.webhooks
        row = webhooks["row"].to_numpy()
        names = self.table.rows["Name"].to_numpy() != ""
        first_places = self.table.earlier["Row"].to_numpy()[row]
        places = np.where(first_places == "", webhooks["place"], first_places)
        rows: pd.DataFrame = webhooks.assign(name_given=names[row], place=places)
        return rows

    @property
    def accounts(self) -> list[str]:
        """The accounts that rows are sent under, by name."""
        return sorted(self.expansion.webhooks["account"].unique())

    @property
    def is_flawed(self) -> bool:
        """Whether any row is invalid."""
        return any(not problem.warning for problem in self.expansion.problems)

    @property
    def problems(self) -> list[Problem]:
        """Those of the rows of this process."""
        rows = set(self.expansion.webhooks["row"].unique().tolist())
        return [problem for problem in self.expansion.problems if problem.row in rows]

    def part(self, shard: Shard) -> Part:
        """A shard of it, as the journal knows it."""
        asked = self.expansion.webhooks[_ASKED]
        digest = hashlib.blake2b(digest_size=16)
        for name in _ASKED:
            digest.update(json.dumps(asked[name].tolist()).encode("ascii"))
        return Part(shard, self.size, digest.hexdigest())

    def of(self, shard: Shard) -> Desired:
        """The rows of a shard's accounts, at their places in the whole."""
        webhooks = self.expansion.webhooks
        own = webhooks[webhooks["account"].isin(shard.share(self.accounts))]
        return replace(self, expansion=replace(self.expansion, webhooks=own))


def read_table(job: Job, journal: Journal | None = None) -> Table:
    """The job's inputs as they are, without the results of another server; ``journal`` knows whose ids are.

    Raises ``InputError`` and ``UsageError``.
    """
    table = read(job.inputs, sheets=job.sheet, columns=columns_of(job))
    return without_foreign_results(job, table, journal)


def columns_of(job: Job) -> dict[str, str]:
    """What ``--map`` says: fields by headers. Raises ``UsageError``."""
    return dict(map(_mapping, job.map))


def expand_table(job: Job, table: Table, live: Locations | None = None) -> Desired:
    """The webhooks that a table asks for. ``live`` are the locations that the API named."""
    if job.locations == "live":
        known = live or Locations()
    elif job.locations:
        known = Locations.read(str(job.locations))
    else:
        known = table.locations
    fields = normalize(
        table,
        locations=known,
        accounts={job.account, "default", *job.accounts},
        account=job.account,
        name_template=job.name_template,
    )
    expansion = expand(fields)
    return Desired(fields.table, expansion, known, len(expansion.webhooks))


async def read_desired(context: Context, *, lock: bool = False) -> Desired:
    """The input as webhooks. With ``--locations live`` the API is asked for the locations; ``lock`` as in ``open``.

    Raises as ``read_table`` does, and ``CredentialsError`` where the locations may not be listed and are needed.
    """
    job = context.job
    table = read_table(job, context.journal)
    if job.locations == "live":
        # Of several shards that begin at once, one has the account; all of them ask for the locations.
        account = await context.session.open(account_of(job, job.account), lock=lock and job.shard is None)
        try:
            desired = expand_table(job, table, await table_of_locations(account))
        except (Unauthorized, Forbidden) as error:
            desired = _without_table(job, table, error)
    else:
        desired = expand_table(job, table)
    if context.sandbox is not None:
        context.sandbox.know(desired.expansion.webhooks["business_id"].unique().tolist())
    return desired


def _without_table(job: Job, table: Table, error: Refused) -> Desired:
    """The desired where the locations may not be listed: ids need no table, names do (``CredentialsError``)."""
    reason = f"--locations live: the locations may not be listed ({error})"
    table = replace(
        table, warnings=[*table.warnings, f"{reason}: the sheet's ids are taken as they are, without names"]
    )
    desired = expand_table(job, table)
    if any(problem.code == ErrorCode.UNKNOWN_LOCATION for problem in desired.expansion.problems):
        raise CredentialsError(f"{reason}, and the sheet has locations by name") from error
    return desired


def _mapping(pair: str) -> tuple[str, str]:
    theirs, equals, ours = pair.rpartition("=")
    if not equals or not theirs.strip() or not ours.strip():
        raise UsageError(f'--map {pair!r}: write "THEIR COLUMN=FIELD", for example --map "Hook address=URL"')
    return theirs.strip(), ours.strip()
