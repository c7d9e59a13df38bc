"""What the journal knows of webhooks that are there: who made them and when, and whether an id is of a server."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import chain

import pandas as pd
import sqlalchemy as sa

from bulkhooks.provision.journal.database import Readable
from bulkhooks.provision.journal.rows import SENDING
from bulkhooks.provision.journal.stored import blocks_of_all
from bulkhooks.provision.journal.tables import accounts, created, items, runs
from bulkhooks.webhook import Status

_SENT_TO = (
    sa.select(created.c.account, created.c.webhook_id),
    sa.select(items.c.account, items.c.webhook_id).distinct(),
)


def made(journal: Readable, account_id: int) -> pd.DataFrame:
    """When and by which run this tool made the account's webhooks: ``run_id`` and ``SENDING``, indexed by id."""
    there = journal.query(
        sa.select(created.c.webhook_id, runs.c.run_id, created.c.created_at)
        .outerjoin(runs, runs.c.id == created.c.run)
        .where(created.c.account == account_id, created.c.deleted_at.is_(None))
    )
    makers = sa.select(created.c.run).where(created.c.account == account_id).distinct()
    sent = journal.query(
        sa.select(items.c.webhook_id, *(items.c[name] for name in SENDING)).where(
            items.c.account == account_id, items.c.status == Status.CREATED, items.c.run.in_(makers)
        )
    )
    known = pd.DataFrame(there, columns=["id", "run_id", "created_at"], dtype=object).set_index("id")
    sendings = pd.DataFrame(sent, columns=["id", *SENDING], dtype=object).drop_duplicates("id").set_index("id")
    found = known.join(sendings)
    found["sent_at"] = found["sent_at"].where(found["sent_at"].notna(), found.pop("created_at"))
    return found


def known_ids(journal: Readable, ids: Collection[int], is_there: Callable[[str], bool]) -> set[int]:
    """Those of some webhooks that the journal knows at one server.

    ``is_there`` tells of an account's key whether it is of that server.
    """
    wanted, known = set(ids), set[int]()
    there = {number for number, key in journal.query(sa.select(accounts.c.id, accounts.c.key)) if is_there(key)}
    settled = (found for _, found in blocks_of_all(journal, ("account", "webhook_id")))
    # The later ones read more, and are rarely needed.
    for found in chain(map(journal.query, _SENT_TO), settled):
        if wanted <= known:
            break
        known |= {number for account, number in found if account in there and number in wanted}
    return known
