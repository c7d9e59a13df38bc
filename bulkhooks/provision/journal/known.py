"""What the journal knows of webhooks that are there: who made them and when, and whether an id is of a server."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pandas as pd

from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import SENDING
from bulkhooks.webhook import Status

_SENT = (
    "SELECT webhook_id, http_status, verified, attempts, sent_at, duration_ms FROM items"
    " WHERE account = ? AND status = ? AND run IN (SELECT DISTINCT run FROM created WHERE account = ?)"
)
_IDS = (
    "SELECT webhook_id FROM created WHERE account = ?",
    "SELECT DISTINCT webhook_id FROM items WHERE account = ?",
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
    accounts = [number for number, key in journal.query("SELECT id, key FROM accounts") if is_there(key)]
    for statement in _IDS:  # the second reads every run, and is rarely needed
        for account in accounts if wanted - known else ():
            known |= {number for (number,) in journal.query(statement, (account,)) if number in wanted}
    return known
