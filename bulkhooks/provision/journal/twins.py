"""What was sent again after a look-up had not found it: whatever of it turns up on the server later is ours as well."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhooks.errors import WarningCode
from bulkhooks.provision.item import Item
from bulkhooks.provision.journal.commits import GroupCommit
from bulkhooks.provision.journal.rows import pack_problems, unpack_problems
from bulkhooks.report import Problem, twin_sentence

KEPT_FOR = 3600.0
"""Seconds after the last send for which twins are looked for in every list."""


class TwinsOfOurs(GroupCommit):
    """The part of the journal that keeps what was sent again, by identity, until a later list has told of it."""

    def sent_again(self, item: Item, at: float) -> None:
        """The item is about to be sent again: the first request may still be stored as well."""
        self._say(
            "INSERT OR REPLACE INTO resent VALUES (?, ?, ?, ?, ?, ?, ?)",
            (item.account_id, item.business_id, item.action, item.url_key, item.run, item.seq, at),
        )

    def own_all(self, run: int, seq: int, ids: Sequence[int], at: float) -> None:
        """A row of a run turns out to be on the server with these ids: all are ours, and the row has a warning."""
        for webhook_id in ids:
            self._say(
                "INSERT OR IGNORE INTO created SELECT account, ?, business_id, location, action, url, url_key, name,"
                " description, run, ?, NULL FROM items WHERE run = ? AND seq = ?",
                (webhook_id, at, run, seq),
            )
        found = self.database.execute(
            "SELECT row, place, business_id, action, url, problems FROM items WHERE run = ? AND seq = ?", (run, seq)
        ).fetchone()
        if found is None or len(ids) < 2:
            return
        row, place, business_id, action, url, packed = found
        sentence = twin_sentence(business_id, action, url, ids)
        problems = [problem for problem in unpack_problems(packed, row) if problem.code != WarningCode.TWIN]
        problems.append(Problem(row, place, WarningCode.TWIN, "", sentence, warning=True))
        self._say("UPDATE items SET problems = ? WHERE run = ? AND seq = ?", (pack_problems(problems), run, seq))

    def turned_up(self, account_id: int, key: tuple[int, int, str], ids: Sequence[int], at: float) -> None:
        """A later list has told which webhooks of something sent again are there."""
        with self.guarded():
            found = self.database.execute(
                "SELECT run, seq, at FROM resent WHERE account = ? AND business_id = ? AND action = ? AND url_key = ?",
                (account_id, *key),
            ).fetchone()
            if found is None:
                return
            self.own_all(found[0], found[1], ids, at)
        if at - found[2] > KEPT_FOR:  # sent three times, it may turn up a third time
            self._say(
                "DELETE FROM resent WHERE account = ? AND business_id = ? AND action = ? AND url_key = ?",
                (account_id, *key),
            )
