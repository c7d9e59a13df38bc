"""The API's JSON as values. Lenient: fields that are missing, null or unknown do no harm, but an id must be there.

Shapes and field names are those of bulkhooks/docs/nexudus.md, Records. Pages of a search are read by pydantic's own
JSON parser, for some hundred thousand records may pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, SecretStr
from pydantic.dataclasses import dataclass as checked_dataclass
from pydantic_core import core_schema

from bulkhooks.webhook import identity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Else:
    """Takes the value given here for what is null or of another type."""

    value: object

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_default_schema(handler(source), default=self.value, on_error="default")


Number = Annotated[int, _Else(0)]
Text = Annotated[str, _Else("")]
Truth = Annotated[bool, _Else(value=False)]
Id = Annotated[int, Field(validation_alias="Id", gt=0)]


@checked_dataclass(frozen=True, slots=True, config=ConfigDict(populate_by_name=True))
class Record:
    """A webhook as a search gives it: without its description. ``last_trigger`` is ISO 8601, or ''."""

    id: Id
    business_id: Number = Field(default=0, validation_alias="BusinessId")
    action: Number = Field(default=0, validation_alias="Action")
    url: Text = Field(default="", validation_alias="URL")
    name: Text = Field(default="", validation_alias="Name")
    active: Truth = Field(default=False, validation_alias="Active")
    error_count: Number = Field(default=0, validation_alias="ErrorCount")
    last_error: Text = Field(default="", validation_alias="LastError")
    last_trigger: Text = Field(default="", validation_alias="LastTrigger")

    @property
    def identity(self) -> tuple[int, int, str]:
        """``webhook.identity`` of it."""
        return identity(self.business_id, self.action, self.url)


UNTOLD = -1
"""In place of an id that an answer has no field for; null is 0."""


@checked_dataclass(frozen=True, slots=True)
class Business:
    """A location. ``root`` is the id of its network: 0 where it has none, ``UNTOLD`` where the answer does not say."""

    id: Id
    name: Text = Field(default="", validation_alias="Name")
    root: Number = Field(default=UNTOLD, validation_alias="RootLocationId")
    suspended: Truth = Field(default=False, validation_alias="Suspended")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a search. ``size`` is the page size that the server used, ``total`` the records on all pages."""

    records: Sequence[T]
    page: int
    size: int
    total: int
    pages: int
    has_next: bool


class _Answer(BaseModel):
    total: Number | None = Field(default=None, validation_alias="TotalItems")
    size: Number | None = Field(default=None, validation_alias="CurrentPageSize")
    pages: Number | None = Field(default=None, validation_alias="TotalPages")
    has_next: Annotated[bool | None, _Else(None)] = Field(default=None, validation_alias="HasNextPage")


class _Webhooks(_Answer):
    records: list[Record] = Field(validation_alias="Records")


class _Businesses(_Answer):
    records: list[Business] = Field(validation_alias="Records")


def webhooks_page(content: bytes, page: int, asked: int) -> Page[Record]:
    """The answer to a search for webhooks; ``ValueError`` where it is none."""
    answer = _Webhooks.model_validate_json(content)
    return _page(answer, answer.records, page, asked)


def businesses_page(content: bytes, page: int, asked: int) -> Page[Business]:
    """The answer to a search for locations; ``ValueError`` where it is none."""
    answer = _Businesses.model_validate_json(content)
    return _page(answer, answer.records, page, asked)


def _page(answer: _Answer, records: Sequence[T], page: int, asked: int) -> Page[T]:
    """What the server left unsaid is worked out from the rest; an empty page is always the last."""
    count = len(records)
    size = answer.size or (count if answer.total else asked)
    has_next = answer.has_next
    if has_next is None:
        if answer.pages:
            has_next = page < answer.pages
        elif answer.total:
            has_next = page * size < answer.total
        else:
            has_next = count >= size
    has_next = has_next and count > 0
    pages = answer.pages or (-(-answer.total // size) if answer.total and size else page + has_next)
    total = answer.total or (page - 1) * size + count
    return Page(records, page, size, total, pages, has_next)


class Reason(BaseModel):
    """One of the reasons for which the API rejects a record."""

    message: Text = Field(default="", validation_alias="Message")
    field: Text = Field(default="", validation_alias="PropertyName")

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class _New(BaseModel):
    id: Id


class Written(BaseModel):
    """The answer to a write. ``id`` is None where the answer names none."""

    was_successful: bool | None = Field(default=None, validation_alias="WasSuccessful")
    value: Annotated[_New | None, _Else(None)] = Field(default=None, validation_alias="Value")
    message: Text = Field(default="", validation_alias="Message")
    errors: Annotated[list[Reason], _Else(())] = Field(default=[], validation_alias="Errors")

    @property
    def id(self) -> int | None:
        return self.value.id if self.value else None

    @property
    def reasons(self) -> str:
        """``Property: message``, several joined with ``; ``; the summary where none are listed."""
        return "; ".join(filter(None, map(str, self.errors))) or self.message


class TokenAnswer(BaseModel):
    """The answer to a sign-in. ``expires_in`` is in seconds."""

    model_config = ConfigDict(hide_input_in_errors=True)

    access_token: SecretStr
    expires_in: Annotated[float | None, _Else(None)] = None
    refresh_token: Annotated[SecretStr | None, _Else(None)] = None


class SignInRefused(BaseModel):
    """Why there is no token, in the words of OAuth: a code, and perhaps a sentence."""

    error: Text = ""
    error_description: Text = ""
