"""What the misbehaving server holds, and its own account of everything that was done to it: what an oracle needs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PAGE = 4
"""Webhooks on a page of a search, so that small jobs have several pages."""

Key = tuple[str, int, int, str]
"""Account, location, event, URL."""


@dataclass
class Webhook:
    """A record, and when a search begins to show it. ``ours``: a create of the tool made it."""

    record: dict[str, Any]
    account: str
    ours: bool
    stored_at: float
    visible_at: float

    @property
    def key(self) -> Key:
        return key_of(self.account, self.record)


@dataclass
class Post:
    """A create that arrived. ``id`` is None where it is not stored, or not yet; ``beyond``: stored after the settle."""

    key: Key
    arrived_at: float
    id: int | None = None
    answered: bool = False
    beyond: bool = False


@dataclass
class Store:
    """Webhooks of all accounts by id, and everything that went wrong as the server sees it.

    ``settle`` (seconds): what is stored or shown later than this is outside what anybody promises.
    """

    settle: float
    webhooks: dict[int, Webhook] = field(default_factory=dict)
    gone: dict[int, Webhook] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    waiting: list[tuple[float, Post, dict[str, Any]]] = field(default_factory=list)
    beyond: set[Key] = field(default_factory=set)
    twice: list[str] = field(default_factory=list)
    trespasses: list[str] = field(default_factory=list)
    posts_by_id: dict[int, Post] = field(default_factory=dict)
    refused: set[Key] = field(default_factory=set)
    shifts: str = ""
    last_id: int = 1000
    lock: threading.RLock = field(default_factory=threading.RLock)

    def theirs(self, account: str, business_id: int, action: int, url: str, **more: object) -> int:
        """Somebody else makes a webhook."""
        record = {"BusinessId": business_id, "Action": action, "URL": url, "Name": "theirs", "Active": True, **more}
        return self._put(account, record)

    def of(self, account: str) -> Iterator[tuple[int, Webhook]]:
        """The webhooks of an account."""
        return ((number, each) for number, each in self.webhooks.items() if each.account == account)

    def live(self, key: Key) -> list[int]:
        """The ids of the webhooks with this account, location, event and URL."""
        return [number for number, each in self.webhooks.items() if each.key == key]

    # What requests do

    def create(self, post: Post, fields: dict[str, Any], *, lag: float) -> int:
        """Store a create that arrived; a search shows it ``lag`` seconds later."""
        if self.live(post.key) and post.key not in self.beyond:
            self.twice.append(f"{post.key} was stored again")
        post.id = self._put(post.key[0], fields, lag=lag, ours=True)
        self.posts_by_id[post.id] = post
        return post.id

    def create_later(self, post: Post, fields: dict[str, Any], seconds: float) -> None:
        """Store it so much later, in time for the first request that comes after that."""
        post.beyond = seconds > self.settle
        if post.beyond:
            self.beyond.add(post.key)
        self.waiting.append((time.monotonic() + seconds, post, fields))

    def update(self, account: str, record: dict[str, Any]) -> bool:
        """Put a record back; False where there is none."""
        found = self.webhooks.get(record["Id"])
        if found is None or found.account != account:
            return False
        new = key_of(account, record)
        if new != found.key and self.live(new):
            self.twice.append(f"{new} was moved to where there is one")
        found.record = dict(record)
        return True

    def delete(self, account: str, webhook_id: int) -> bool:
        """Delete a webhook; False where there is none."""
        found = self.webhooks.get(webhook_id)
        if found is None or found.account != account:
            return False
        if not found.ours:
            self.trespasses.append(f"{webhook_id} was deleted, and somebody else had made it")
        self.gone[webhook_id] = self.webhooks.pop(webhook_id)
        return True

    def catch_up(self) -> None:
        """Store what is due by now."""
        now = time.monotonic()
        due = [each for each in self.waiting if each[0] <= now]
        self.waiting = [each for each in self.waiting if each[0] > now]
        for _, post, fields in due:
            self.create(post, fields, lag=0)

    def sender_is_gone(self, known: set[int]) -> None:
        """Nobody has the ids of answers that came too late for the journal: a search shows those within the settle."""
        for number, each in self.webhooks.items():
            if number not in known:
                each.visible_at = min(each.visible_at, each.stored_at + 0.5 * self.settle)

    def search(self, account: str, asked: dict[str, str]) -> tuple[list[dict[str, Any]], int, int]:
        """The records of a page, the number of the page, and the number of all records."""
        page = int(asked.get("page", "1"))
        if page > 1 and self.shifts:
            self._shift(account, asked)
        found = sorted(self._matching(account, asked, time.monotonic()), key=lambda record: record["Id"])
        if not asked.get("orderBy"):
            found.reverse()  # an API that is not asked for an order has its own
        elif asked.get("dir", "").lower().startswith("d"):
            found.reverse()
        return found[(page - 1) * PAGE : page * PAGE], page, len(found)

    def _matching(self, account: str, asked: dict[str, str], now: float) -> Iterator[dict[str, Any]]:
        filters = {"WebHook_Business": "BusinessId", "WebHook_Action": "Action", "WebHook_URL": "URL"}
        for number, each in self.of(account):
            record = {**each.record, "Id": number, "Description": None}
            if each.visible_at <= now and all(
                str(record[name]) == asked[wanted] for wanted, name in filters.items() if wanted in asked
            ):
                yield record

    def _shift(self, account: str, asked: dict[str, str]) -> None:
        """Between two pages somebody deletes a webhook, or makes one. One job has one of the two, so that the total is
        never what it was before."""
        bystanders = [
            number
            for number, each in self.of(account)
            if each.record["Name"] == "bystander" and str(each.record["BusinessId"]) == asked.get("WebHook_Business")
        ]
        if self.shifts == "delete" and bystanders:
            self.gone[bystanders[0]] = self.webhooks.pop(bystanders[0])
        elif self.shifts == "create" and len(bystanders) < 12:
            where = int(asked.get("WebHook_Business", "1001"))
            self.bystander(account, where)

    def bystander(self, account: str, business_id: int) -> int:
        """A webhook of somebody else that no input names."""
        url = f"https://others.example.com/{self.last_id}"
        return self.theirs(account, business_id, 3, url, Name="bystander")

    def _put(self, account: str, fields: dict[str, Any], *, lag: float = 0, ours: bool = False) -> int:
        self.last_id += 1
        now = time.monotonic()
        record = {"Description": None, "Active": True, "ErrorCount": 0, **fields, "Id": self.last_id}
        self.webhooks[self.last_id] = Webhook(record, account, ours, now, now + lag)
        return self.last_id


def key_of(account: str, record: dict[str, Any]) -> Key:
    """Scheme and host match whatever the case."""
    parts = urlsplit(str(record["URL"]))
    url = parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl()
    return account, int(record["BusinessId"]), int(record["Action"]), url
