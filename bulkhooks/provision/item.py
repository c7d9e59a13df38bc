"""One row of a run on its way through the engine, and what became of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bulkhooks.errors import ApiError
from bulkhooks.webhook import Status, Webhook


class Operation(StrEnum):
    """What has to be sent for a row, decided before the first request leaves."""

    NOTHING = ""
    CREATE = "create"
    LOOK_UP = "look up"
    """A send of it is in doubt: look first, create only if it is not there."""
    CHECK = "check"
    """It was made after it had been sent again: look whether the first send has arrived as well."""
    UPDATE = "update"
    MOVE = "move"
    """Give an existing webhook a new URL (``Replaces``)."""
    DELETE = "delete"
    RESTORE = "restore"
    """Give a webhook back what it had before a run changed it (``undo``)."""


@dataclass(frozen=True, slots=True)
class Change:
    """The fields of a webhook before and after a write, by their names in the API (``changes.FIELDS``)."""

    before: Mapping[str, object]
    after: Mapping[str, object]


@dataclass(slots=True)
class Item:
    """A row that something has to be sent for. ``account_id`` is the journal's number of the account.

    ``description`` and ``active`` are None where the sheet says nothing; ``name_given`` is False where the name comes
    from the template. ``webhook_id`` is 0 until it is known.
    """

    run: int
    seq: int
    place: str
    account_id: int
    business_id: int
    location: str
    action: int
    url: str
    url_key: str
    name: str
    name_given: bool
    description: str | None
    active: bool | None
    operation: Operation
    webhook_id: int = 0

    attempts: int = 0
    """Requests sent for it, throttled ones left out."""
    tries: int = 0
    """Attempts that count against ``--retries``: those that failed while the API answered others."""
    failure: ApiError | None = None
    """How its last send failed, where it is to be sent again."""
    silence: int = -1
    """The silence of the API (``Outage``) in which that was; -1: it has been counted."""
    call: int = 0
    """The journal's number of the request last sent; 0 where the server has surely done nothing with it."""
    was_absent: bool = True
    """Whether the server was seen not to have it before it was sent: what is found there later is then ours."""
    looked_up_at: float = math.inf
    """When a look-up has last not found it, on the clock of the event loop; infinity: it was not looked up."""
    changes: str = ""
    change: Change | None = None
    """What the request that is about to leave changes, for the journal."""
    http_status: int | None = None
    duration_ms: int | None = None

    @property
    def was_looked_up(self) -> bool:
        """Whether a send of it was in doubt and was then not found."""
        return self.looked_up_at < math.inf

    @property
    def identity(self) -> tuple[int, int, str]:
        """``webhook.identity`` of the webhook that it asks for."""
        return self.business_id, self.action, self.url_key

    def body(self) -> dict[str, object]:
        """The create request's body."""
        return Webhook("", self.business_id, self.action, self.url, self.name, self.description, self.active).body()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item. ``url``, ``name`` and ``description`` are the server's, None where they are as sent.

    ``twins`` are further webhooks that its sends have made.
    """

    status: Status
    webhook_id: int | None = None
    error_code: str = ""
    error: str = ""
    verified: bool = False
    url: str | None = None
    name: str | None = None
    description: str | None = None
    twins: tuple[int, ...] = ()
