"""The domain: what a webhook is, what makes two of them the same, and the words for what became of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Status(StrEnum):
    """What became of one row of the results (bulkhooks/docs/reference.md, Status)."""

    CREATED = "created"
    UPDATED = "updated"
    EXISTS = "exists"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    FAILED = "failed"
    UNKNOWN = "unknown"
    PENDING = "pending"
    PLANNED = "planned"
    DELETED = "deleted"
    RESTORED = "restored"
    CHANGED = "changed"
    MISSING = "missing"


DONE = frozenset({Status.CREATED, Status.UPDATED, Status.EXISTS})
"""On these the server has the webhook as the sheet wants it, and its id is known."""

RESULT_COLUMNS: tuple[str, ...] = (
    "Row",
    "BusinessId",
    "Location",
    "Action",
    "ActionId",
    "URL",
    "Name",
    "Description",
    "Active",
    "Account",
    "Status",
    "WebhookId",
    "HttpStatus",
    "ErrorCode",
    "Error",
    "Warning",
    "Changes",
    "Verified",
    "Attempts",
    "SentAt",
    "DurationMs",
)
"""The columns of every results file, in order; the input's other columns follow."""


EARLIER: tuple[str, ...] = ("Row", "HttpStatus", "Verified", "Attempts", "SentAt", "DurationMs")
"""Columns of the results that stay what they were where a results file is run and nothing is sent for the row."""


def url_key(url: str) -> str:
    """The form in which URLs are compared: scheme and host in lower case, the rest to the letter.

    ``HTTPS://Hooks.Example.com/In`` and ``https://hooks.example.com/In`` are one endpoint.
    """
    origin = _ORIGIN.match(url)
    if origin is None:
        return url
    scheme, userinfo, host = origin.groups(default="")
    return scheme.lower() + userinfo + host.lower() + url[origin.end() :]


def identity(business_id: B, action: A, url: str) -> tuple[B, A, str]:
    """What makes two webhooks of an account the same: location, event and ``url_key``; the name does not count."""
    return business_id, action, url_key(url)


def url_host(url: str) -> str:
    """Host and port of a URL in lower case; '' where it has none."""
    origin = _ORIGIN.match(url)
    return origin[3].lower() if origin else ""


_ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*@)?([^/?#]*)")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook as the sheet wants it: an event of a location, delivered to a URL.

    ``description`` and ``active`` are None where the sheet says nothing; they are then not sent. ``account`` is the
    name of the credentials, not a secret.
    """

    account: str
    business_id: int
    action: int
    url: str
    name: str
    description: str | None = None
    active: bool | None = None

    def body(self) -> dict[str, object]:
        """The JSON body of a create request, as the API documents it (bulkhooks/docs/nexudus.md, Records)."""
        body: dict[str, object] = {
            "BusinessId": self.business_id,
            "Name": self.name,
            "Action": self.action,
            "URL": self.url,
        }
        if self.description is not None:
            body["Description"] = self.description
        if self.active is not None:
            body["Active"] = self.active
        return body
