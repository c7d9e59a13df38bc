"""What has to hold after every process and at the end of a job, seen from the server, the journal and the results."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.store import Key, Store, key_of

TWICE, LOST, WRONG = "twice", "lost", "wrong"

_DONE = frozenset({"created", "updated", "exists"})
_OPEN = frozenset({"not-sent", "api-validation", "api-conflict"})
"""Codes of rows that the server has surely not made in this run."""


@dataclass
class Ended:
    """A process that has ended: its exit code, what it wrote, and since when (monotonic) it was there."""

    command: str
    code: int
    out: str
    err: str
    results: Path
    since: float
    signals: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The results, none where there is no file."""
        if not self.results.exists():
            return []
        with self.results.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))


class Oracle:
    """Collects what does not hold: (kind, sentence), of kind twice, lost or wrong."""

    def __init__(self, store: Store, journal: Path) -> None:
        self.found: list[tuple[str, str]] = []
        self._store = store
        self._journal = journal
        self._seen = 0

    def say(self, kind: str, sentence: str) -> None:
        """Something does not hold."""
        self.found.append((kind, sentence))

    # After every process

    def after(self, ended: Ended) -> None:
        """Judge a process; it may have been killed, or have answered for itself."""
        with self._store.lock:
            self._store.catch_up()
            self._store.sender_is_gone(set(self.owned()))
            self._server()
            self._nothing_lost()
            self._streams(ended)
            if ended.code >= 0 and ended.code != 130:
                self._results(ended)

    def _server(self) -> None:
        news = self._store.twice[self._seen :]
        self._seen = len(self._store.twice)
        for sentence in news:
            self.say(TWICE, sentence)
        while self._store.trespasses:
            self.say(WRONG, self._store.trespasses.pop())

    def _nothing_lost(self) -> None:
        """Every id that the server gave is in the journal, or its send is in doubt there."""
        owned, doubts = self.owned(), self._doubts()
        for number, post in self._store.posts_by_id.items():
            if number not in owned and (post.key[1:] not in doubts) and not post.beyond:
                self.say(LOST, f"the journal knows nothing of {number}, {post.key}, answered: {post.answered}")

    def _streams(self, ended: Ended) -> None:
        for sign in ("Traceback", "should not have happened", "Error:"):
            if re.search(sign, ended.err):
                self.say(WRONG, f"{ended.command}: stderr has {sign!r}: {ended.err[-600:]}")
                return

    def _results(self, ended: Ended) -> None:
        rows = ended.rows
        if not rows:
            if ended.code != 4 and (ended.command, ended.code) != ("undo", 0):  # 4: stopped before anything was sent
                self.say(WRONG, f"{ended.command}: exit {ended.code} and no results: {ended.err[-300:]}")
            return
        self._summary(ended, rows)
        for row in rows:
            sentence = self._row(row, ended)
            if sentence:
                shown = {name: row[name] for name in ("Row", "Status", "WebhookId", "ErrorCode", "Error", "Attempts")}
                self.say(WRONG, f"{ended.command}: {sentence}: {shown}")

    def _summary(self, ended: Ended, rows: list[dict[str, str]]) -> None:
        counts = Counter(row["Status"] for row in rows)
        expected = expected_code(counts, is_undo=ended.command == "undo")
        if ended.code != expected:
            self.say(
                WRONG, f"{ended.command}: exit {ended.code} with {dict(counts)} {ended.signals} {ended.err[-300:]}"
            )
        try:
            told = json.loads(ended.out)
        except ValueError:
            self.say(WRONG, f"{ended.command}: stdout is no JSON object: {ended.out[:300]!r}")
            return
        there = {status: count for status, count in told["counts"].items() if count}
        if told["exit_code"] != ended.code or there != counts:
            self.say(
                WRONG, f"{ended.command}: summary {told['exit_code']} {there}, results {ended.code} {dict(counts)}"
            )

    def _row(self, row: dict[str, str], ended: Ended) -> str:
        """What is not true of a row of the results; '' if nothing."""
        key, number, status = key_in(row), int(row["WebhookId"] or 0), row["Status"]
        there = self._store.webhooks.get(number)
        if status in _DONE:
            if there is None or there.key != key:
                return f"the server has {there and there.key} as {number}, not {key}"
            if status == "created" and number not in self._store.posts_by_id:
                return "nobody of us created it"
        elif status == "deleted" and number not in self._store.gone:
            return "it is still there"
        elif status == "missing" and there is not None:
            return "it is there"
        elif status in {"failed", "pending"} and not row["ErrorCode"]:
            return "it has no code"
        elif status in {"failed", "pending"} and row["ErrorCode"] in _OPEN and ended.command == "run":
            made = [post for post in self._store.posts_by_id.values() if post.key == key]
            if any(post.arrived_at >= ended.since and not post.beyond for post in made):
                return "the server made it in this run"
        elif status not in {"deleted", "missing", "failed", "pending", "changed", "restored"}:
            return "no row of these jobs has this status"
        return ""

    # At the end of a job

    def at_the_end(self, wanted: list[Key], gone: list[Key], ended: Ended, *, with_late: bool = True) -> None:
        """Everything wanted is there once, with its id in the results and the journal; what is gone is not.

        ``with_late``: what was stored after the settle is known by now, too.
        """
        with self._store.lock:
            results = {key_in(row): int(row["WebhookId"] or 0) for row in ended.rows}
            for key in wanted:
                ids = self._store.live(key)
                if len(ids) > 1 and key not in self._store.beyond:
                    self.say(TWICE, f"{key} is there as {ids}")
                if not ids:
                    self.say(LOST, f"{key} is not there")
                elif results and results.get(key) not in ids:
                    self.say(LOST, f"{key} is there as {ids}, and in the results as {results.get(key)}")
            for key in gone:
                if any(self._store.webhooks[number].ours for number in self._store.live(key)):
                    self.say(WRONG, f"{key} should be gone")
            owned = self.owned()
            for number, post in self._store.posts_by_id.items():
                if number not in owned and (with_late or not post.beyond):
                    self.say(LOST, f"{number} is not in the journal at the end")

    # The journal

    def owned(self) -> list[int]:
        """Every id that this tool ever made, as the journal knows it."""
        return [int(number) for (number,) in self._query("SELECT webhook_id FROM created")]

    def _doubts(self) -> set[tuple[int, int, str]]:
        return {(b, a, u) for b, a, u in self._query("SELECT business_id, action, url_key FROM doubts")}

    def _query(self, statement: str) -> list[tuple]:
        if not self._journal.exists():
            return []
        with closing(sqlite3.connect(self._journal, timeout=60)) as database:
            try:
                return database.execute(statement).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):  # a process was killed before it had made them
                    return []
                raise


def key_in(row: dict[str, str]) -> Key:
    """The key of a row of the results."""
    record = {"BusinessId": row["BusinessId"], "Action": row["ActionId"], "URL": row["URL"]}
    return key_of(row["Account"] or "default", record)


def expected_code(counts: Counter[str], *, is_undo: bool) -> int:
    """The exit code that goes with the statuses of the results."""
    if counts["pending"]:
        return 4
    bad = ("changed", "failed") if is_undo else ("failed", "invalid", "unknown")
    return int(any(counts[status] for status in bad))
