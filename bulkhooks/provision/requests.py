"""What can be asked of the API, as values: a request that was throttled or not sent is sent again as it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from bulkhooks.nexudus.client import NexudusClient
from bulkhooks.nexudus.models import Business, Record
from bulkhooks.nexudus.pages import Page
from bulkhooks.nexudus.transport import BeforeSend

T_co = TypeVar("T_co", covariant=True)


class Request(ABC, Generic[T_co]):
    """One request; ``T_co`` is its answer. Each kind names the one method of the client that sends it."""

    @abstractmethod
    def sent_by(self, client: NexudusClient, before_send: BeforeSend | None = None) -> Awaitable[T_co]:
        """The answer, to be awaited; of a write ``before_send`` is awaited right before its first byte leaves.

        Raises ``CredentialsError`` or the ``ApiError`` that the client raises, and what ``before_send`` raises.
        """


@dataclass(frozen=True)
class Create(Request[int]):
    """A new webhook; answered with its id."""

    body: Mapping[str, object]

    def sent_by(self, client: NexudusClient, before_send: BeforeSend | None = None) -> Awaitable[int]:
        return client.create(self.body, before_send)


@dataclass(frozen=True)
class Update(Request[None]):
    """A full record, as it should be from now on."""

    record: Mapping[str, object]

    def sent_by(self, client: NexudusClient, before_send: BeforeSend | None = None) -> Awaitable[None]:
        return client.update(self.record, before_send)


@dataclass(frozen=True)
class Delete(Request[None]):
    """The end of a webhook."""

    webhook_id: int

    def sent_by(self, client: NexudusClient, before_send: BeforeSend | None = None) -> Awaitable[None]:
        return client.delete(self.webhook_id, before_send)


@dataclass(frozen=True)
class Read(Request[dict[str, object]]):
    """One webhook with every field."""

    webhook_id: int

    def sent_by(self, client: NexudusClient, before_send: BeforeSend | None = None) -> Awaitable[dict[str, object]]:
        return client.read(self.webhook_id)


@dataclass(frozen=True)
class Search(Request[Page[Record]]):
    """A page of webhooks: of all, or of one location, or of one location and event."""

    page: int
    size: int
    business_id: int | None = None
    action: int | None = None

    def sent_by(self, client: NexudusClient, before_send: BeforeSend | None = None) -> Awaitable[Page[Record]]:
        return client.search(self.page, self.size, business_id=self.business_id, action=self.action)


@dataclass(frozen=True)
class Businesses(Request[Page[Business]]):
    """A page of locations, of all or of those of a network."""

    page: int
    size: int
    root: int | None

    def sent_by(self, client: NexudusClient, before_send: BeforeSend | None = None) -> Awaitable[Page[Business]]:
        return client.businesses(self.page, self.size, root=self.root)


@dataclass(frozen=True)
class SignIn(Request[None]):
    """A new token, which the client keeps."""

    def sent_by(self, client: NexudusClient, before_send: BeforeSend | None = None) -> Awaitable[None]:
        return client.fetch_token()
