"""What the journal knows to be ours and the server's list lacks, read by id before it is made again.

A search may lag behind what was created, or may leave something out. A read by id tells: 404 means that the webhook is
really gone. There is at most one read for each webhook that would otherwise be made, in the account's limits, and no
more than ``MOST_READS`` in a run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pandas as pd

from bulkhooks.errors import ApiError, Forbidden, NotFound, Refused, Unauthorized
from bulkhooks.nexudus.pages import webhook_of
from bulkhooks.provision.account import Account
from bulkhooks.provision.listing import Listing
from bulkhooks.provision.stopping import NotRead
from bulkhooks.provision.tasks import task_group
from bulkhooks.provision.walk import ListingFailed

MOST_READS = 5_000
"""Reads by id of one account in a run: more could not be made again in a day (bulkhooks/docs/nexudus.md, Limits)."""

REFUSALS = 3
"""So many reads refused, and none granted, and reading is not permitted at all."""

Key = tuple[int, int, str]


async def recall(account: Account, found: Listing, owned: pd.DataFrame, wanted: Collection[Key]) -> None:
    """Add to a listing what of ours it lacks, of the keys that are wanted. ``owned``: columns ``history.OWNED``.

    Where it cannot be read whether one is there, its location has failed. Where reading is not permitted, the list
    alone decides. Raises what ``Account.read`` raises for the whole account.
    """
    await _Recall(account, found).run(list(_missing(found, owned, wanted)))


def _missing(found: Listing, owned: pd.DataFrame, wanted: Collection[Key]) -> Iterator[tuple[int, int]]:
    """Id and location of the webhooks of ours that would be made again."""
    listed = {record.identity for record in found.records.values()}
    for webhook_id, business_id, action, url_key in owned[["id", "business_id", "action", "url_key"]].itertuples(
        index=False, name=None
    ):
        key = (business_id, action, url_key)
        if key in wanted and key not in listed and business_id not in found.refused and webhook_id not in found.records:
            yield webhook_id, business_id


class _Recall:
    def __init__(self, account: Account, found: Listing) -> None:
        self._account = account
        self._found = found
        self._granted = 0
        self._refused = 0

    async def run(self, missing: list[tuple[int, int]]) -> None:
        waiting = iter(missing[:MOST_READS])

        async def work() -> None:
            for webhook_id, business_id in waiting:
                if self._granted or self._refused < REFUSALS:
                    await self._read(webhook_id, business_id)

        async with task_group() as group:
            for _ in range(min(self._account.terms.concurrency, len(missing))):
                group.start_soon(work)
        if self._granted:
            for _, business_id in missing[MOST_READS:]:
                self._fail(
                    business_id,
                    f"the server's list lacks {len(missing):,} webhooks that this tool made, and {MOST_READS:,} of them"
                    " were read by id: run again for the rest",
                )

    async def _read(self, webhook_id: int, business_id: int) -> None:
        try:
            record = webhook_of(await self._account.read(webhook_id))
        except NotFound:
            self._granted += 1
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
