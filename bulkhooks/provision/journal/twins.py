"""What was sent again after a look-up had not found it: whatever of it turns up on the server later is ours as well."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bulkhooks.errors import WarningCode
from bulkhooks.provision.journal.commits import GroupCommit
from bulkhooks.provision.journal.rows import pack_problems, unpack_problems
from bulkhooks.provision.journal.tables import created, items, resent
from bulkhooks.report import Problem, twin_sentence

KEPT_FOR = 3600.0
"""Seconds after the last send for which twins are looked for in every list."""

_ROW = sa.select(
    items.c.account, items.c.business_id, items.c.location, items.c.action, items.c.url, items.c.url_key,
    items.c.name, items.c.description, items.c.row, items.c.place, items.c.problems,
)  # fmt: skip


class TwinsOfOurs(GroupCommit):
    """The part of the journal that knows what was sent again, by identity, until a later list has told of it."""

    def own_all(self, run: int, seq: int, ids: Sequence[int], at: float) -> None:
        """A row of a run turns out to be on the server with these ids: all are ours, and the row has a warning."""
        found = self.one(_ROW.where(items.c.run == run, items.c.seq == seq))
        if found is None:
            return
        account, business_id, location, action, url, url_key, name, description, row, place, packed = found
        known = sa.select(created.c.webhook_id).where(created.c.account == account, created.c.webhook_id.in_(ids))
        ours = {webhook_id for (webhook_id,) in self.query(known)}
        records = self.records(account)
        for webhook_id in ids:
            if webhook_id not in ours:
                records.created.set(
                    {
                        "account": account,
                        "webhook_id": webhook_id,
                        "business_id": business_id,
                        "location": location,
                        "action": action,
                        "url": url,
                        "url_key": url_key,
                        "name": name,
                        "description": description,
                        "run": run,
                        "created_at": at,
                        "deleted_at": None,
                    }
                )
        if len(ids) < 2:
            return
        sentence = twin_sentence(business_id, action, url, ids)
        problems = [problem for problem in unpack_problems(packed, row) if problem.code != WarningCode.TWIN]
        problems.append(Problem(row, place, WarningCode.TWIN, "", sentence, warning=True))
        records.items.change((run, seq), {"problems": pack_problems(problems)})

    def turned_up(self, account_id: int, key: tuple[int, int, str], ids: Sequence[int], at: float) -> None:
        """A later list has told which webhooks of something sent again are there."""
        business_id, action, url_key = key
        found = self.one(
            sa.select(resent.c.run, resent.c.seq, resent.c.at).where(
                resent.c.account == account_id,
                resent.c.business_id == business_id,
                resent.c.action == action,
                resent.c.url_key == url_key,
            )
        )
        if found is None:
            return
        run, seq, sent_at = found
        self.own_all(run, seq, ids, at)
        if at - sent_at > KEPT_FOR:  # sent three times, it may turn up a third time
            self.records(account_id).resent.delete((account_id, *key))
