"""What the journal knows of webhooks that are there: who made them and when, and whether an id is of a server."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import chain

import pandas as pd

from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import SENDING
from bulkhooks.provision.journal.stored import blocks_of_all
from bulkhooks.webhook import Status

_SENT = (
    "SELECT webhook_id, http_status, verified, attempts, sent_at, duration_ms FROM items"
    " WHERE account = ? AND status = ? AND run IN (SELECT DISTINCT run FROM created WHERE account = ?)"
)
_SENT_TO = (
    "SELECT account, webhook_id FROM created",
    "SELECT DISTINCT account, webhook_id FROM items",
)


def made(journal: Journal, account_id: int) -> pd.DataFrame:
    """When and by which run this tool made the account's webhooks: ``run_id`` and ``SENDING``, indexed by id."""
    created = journal.query(
        "SELECT webhook_id, run_id, created_at FROM created LEFT JOIN runs ON runs.id = run"
        " WHERE account = ? AND deleted_at IS NULL",
        (account_id,),
    )
    sent = journal.query(_SENT, (account_id, Status.CREATED, account_id))
    known = pd.DataFrame(created, columns=["id", "run_id", "created_at"], dtype=object).set_index("id")
    sendings = pd.DataFrame(sent, columns=["id", *SENDING], dtype=object).drop_duplicates("id").set_index("id")
    found = known.join(sendings)
    found["sent_at"] = found["sent_at"].where(found["sent_at"].notna(), found.pop("created_at"))
    return found


def known_ids(journal: Journal, ids: Collection[int], is_there: Callable[[str], bool]) -> set[int]:
    """Those of some webhooks that the journal knows at one server.

    ``is_there`` tells of an account's key whether it is of that server.
    """
    wanted, known = set(ids), set[int]()
    accounts = {number for number, key in journal.query("SELECT id, key FROM accounts") if is_there(key)}
    settled = (found for _, found in blocks_of_all(journal, ("account", "webhook_id")))
    # The later ones read more, and are rarely needed.
    for found in chain(map(journal.query, _SENT_TO), settled):
        if wanted <= known:
            break
        known |= {number for account, number in found if account in accounts and number in wanted}
    return known
