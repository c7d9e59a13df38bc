"""What the journal knows to be ours and the server's list lacks, read by id before it is made again.

A search may lag behind what was created, or may leave something out. A read by id tells: 404 means that the webhook is
really gone. There is at most one read for each webhook that would otherwise be made, in the account's limits, and no
more than ``MOST_READS`` in a run.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from bulkhooks.errors import ApiError, Forbidden, NotFound, Refused, Unauthorized
from bulkhooks.nexudus.pages import webhook_of
from bulkhooks.provision.account import Account
from bulkhooks.provision.listing.listing import Listing
from bulkhooks.provision.listing.walk import ListingFailed
from bulkhooks.provision.stopping import NotRead
from bulkhooks.provision.tasks import each
from bulkhooks.webhook import url_key

MOST_READS = 5_000
"""Reads by id of one account in a run: more could not be made again in a day (bulkhooks/docs/nexudus.md, Limits)."""

REFUSALS = 3
"""So many reads refused, and none granted, and reading is not permitted at all."""


async def recall(account: Account, found: Listing, owned: pd.DataFrame, desired: pd.DataFrame) -> list[int]:
    """Add to a listing what of ours it lacks, of the webhooks that rows desire. ``owned``: columns ``history.OWNED``.

    Returns the ids that the server no longer has. Where it cannot be read whether one is there, its location has
    failed. Where reading is not permitted, the list alone decides. Raises what ``Account.read`` raises for the whole
    account.
    """
    lacking = owned[~owned["id"].isin(found.records) & ~owned["business_id"].isin(found.refused)]
    if lacking.empty:
        return []
    recalling = _Recall(account, found)
    await recalling.run(list(_missing(lacking, found, desired)))
    return recalling.gone


def _missing(lacking: pd.DataFrame, found: Listing, desired: pd.DataFrame) -> Iterator[tuple[int, int]]:
    """Id and location of the webhooks of ours that would be made again."""
    wanted = _keys(desired) - {record.identity for record in found.records.values()}
    for webhook_id, *key in lacking[["id", "business_id", "action", "url_key"]].itertuples(index=False, name=None):
        if tuple(key) in wanted:
            yield webhook_id, key[0]


def _keys(rows: pd.DataFrame) -> set[tuple[int, int, str]]:
    """What rows name: their webhooks, and those that they are to replace."""
    actions = rows["action"].astype("int64")
    keys = set(zip(rows["business_id"], actions, rows["url_key"], strict=True))
    moves = rows["replaces"] != ""
    if moves.any():
        old = rows.loc[moves, "replaces"].map(url_key)
        keys |= set(zip(rows.loc[moves, "business_id"], actions[moves], old, strict=True))
    return keys


class _Recall:
    def __init__(self, account: Account, found: Listing) -> None:
        self._account = account
        self._found = found
        self.gone: list[int] = []
        self._granted = 0
        self._refused = 0

    async def run(self, missing: list[tuple[int, int]]) -> None:
        await each(missing[:MOST_READS], self._read, self._account.terms.concurrency)
        if self._granted:
            for _, business_id in missing[MOST_READS:]:
                self._fail(
                    business_id,
                    f"the server's list lacks {len(missing):,} webhooks that this tool made, and {MOST_READS:,} of them"
                    " were read by id: run again for the rest",
                )

    async def _read(self, one: tuple[int, int]) -> None:
        webhook_id, business_id = one
        if not self._granted and self._refused >= REFUSALS:
            return
        try:
            record = webhook_of(await self._account.read(webhook_id))
        except NotFound:
            self._granted += 1
            self.gone.append(webhook_id)
        except (Unauthorized, Forbidden):
            self._refused += 1
        except (Refused, NotRead, ValueError) as error:
            reason = str(error) if isinstance(error, ApiError) else "its record cannot be read"
            self._fail(business_id, f"the server's list lacks webhook {webhook_id}, which this tool made: {reason}")
        else:
            self._granted += 1
            if record.business_id == business_id:
                self._found.records[record.id] = record

    def _fail(self, business_id: int, sentence: str) -> None:
        self._found.refused.setdefault(business_id, ListingFailed(sentence))
