"""The API's JSON as values.

Shapes and field names are those of bulkhooks/docs/nexudus.md, Records. What a webhook is known by (id, location, event,
URL) has to be there and of the right type; other fields may be missing, null or unknown. How a page is read that holds
records that are otherwise is in ``pages.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, SecretStr
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


else_none = _Else(None)
"""Takes None for what is null or of another type."""


def _null_as(value: object) -> BeforeValidator:
    """Takes the value given here for null; another type is not taken."""
    return BeforeValidator(lambda given: value if given is None else given)


LARGEST = 2**63 - 1
"""The largest number that the journal holds."""

Number = Annotated[int, Field(ge=-LARGEST, le=LARGEST), _Else(0)]
Text = Annotated[str, _Else("")]
Truth = Annotated[bool, _Else(value=False)]
Id = Annotated[int, Field(validation_alias="Id", gt=0, le=LARGEST, strict=True)]
Whole = Annotated[int, Field(ge=-LARGEST, le=LARGEST, strict=True)]
NameText = Annotated[str, _null_as("")]
Flag = Annotated[bool, _null_as(value=False)]


@checked_dataclass(frozen=True, slots=True, config=ConfigDict(populate_by_name=True))
class Record:
    """A webhook as a search gives it: without its description. ``last_trigger`` is ISO 8601, or ''."""

    id: Id
    business_id: Whole = Field(validation_alias="BusinessId")
    action: Whole = Field(validation_alias="Action")
    url: str = Field(validation_alias="URL")
    name: NameText = Field(default="", validation_alias="Name")
    active: Flag = Field(default=False, validation_alias="Active")
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
