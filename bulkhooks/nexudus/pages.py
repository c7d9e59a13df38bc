"""A page of a search: what the server says of it, its records, and those of them that cannot be read.

A page is read by pydantic's own JSON parser, for some hundred thousand records may pass; one with a record that this
does not take is read again with patience, a record at a time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from bulkhooks.nexudus.models import LARGEST, Business, Record, else_none

T = TypeVar("T")

LONGEST_NUMBER = 400
"""Digits: a longer number of a JSON text is taken for none (Python converts no whole number of thousands)."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A record that cannot be read. ``id`` and ``business_id`` are None where those cannot be read either; ``reason``
    is for a person."""

    id: int | None
    business_id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a search as the server gives it. ``total`` (records on all pages) and ``has_next`` are None where the
    answer does not say."""

    records: Sequence[T]
    total: int | None
    has_next: bool | None
    odd: Sequence[Odd] = ()

    @property
    def count(self) -> int:
        """Records on it, readable or not."""
        return len(self.records) + len(self.odd)


class _Answer(BaseModel, Generic[T]):
    records: list[T] = Field(validation_alias="Records")
    total: Annotated[int | None, else_none] = Field(default=None, le=LARGEST, validation_alias="TotalItems")
    has_next: Annotated[bool | None, else_none] = Field(default=None, validation_alias="HasNextPage")


_RECORD, _BUSINESS = TypeAdapter(Record), TypeAdapter(Business)


def webhooks_page(content: bytes) -> Page[Record]:
    """The answer to a search for webhooks; ``ValueError`` where it is none."""
    return _read(content, _Answer[Record], _RECORD)


def businesses_page(content: bytes) -> Page[Business]:
    """The answer to a search for locations; ``ValueError`` where it is none."""
    return _read(content, _Answer[Business], _BUSINESS)


def webhook_of(fields: Mapping[str, object]) -> Record:
    """A full record as a search would give it; ``ValueError`` where it cannot be read."""
    return _RECORD.validate_python(fields)


def is_text(value: object) -> bool:
    """Whether every text in a JSON value can be written anywhere: half of a surrogate pair cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _read(content: bytes, answers: type[_Answer[T]], kind: TypeAdapter[T]) -> Page[T]:
    """All records at once, which is quick; where that fails, one by one."""
    try:
        answer = answers.model_validate_json(content)
    except ValidationError:
        return _one_by_one(content, kind)
    return _page(answer, answer.records)


def _page(answer: _Answer[T], records: Sequence[T], odd: Sequence[Odd] = ()) -> Page[T]:
    # A server that does not count says 0, or nothing, beside the records that it gives.
    total = answer.total if answer.total and answer.total > 0 else None
    if answer.total == 0 and not records and not odd:
        total = 0
    return Page(records, total, answer.has_next, odd)


def _one_by_one(content: bytes, kind: TypeAdapter[T]) -> Page[T]:
    try:
        # Bytes that are no UTF-8 become halves of surrogate pairs, so that only their record is odd.
        text = content.decode("utf-8", "surrogateescape")
        answer = json.loads(text, parse_int=_number, parse_float=_fraction)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("Records"), list):
        raise ValueError("no page")
    records: list[T] = []
    odd: list[Odd] = []
    for each in answer["Records"]:
        try:
            if not is_text(each):
                raise ValueError("it holds text that is no Unicode")
            records.append(kind.validate_python(each))
        except ValueError as error:
            odd.append(_odd(each, error))
    return _page(_Answer[T].model_validate({**answer, "Records": records}), records, odd)


def _odd(record: object, error: ValueError) -> Odd:
    if not isinstance(record, dict):
        return Odd(None, None, "it is no JSON object")
    return Odd(_whole(record.get("Id")), _whole(record.get("BusinessId")), _reason(error))


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST else None


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else float("inf")


def _fraction(digits: str) -> float:
    return float(digits) if len(digits) <= LONGEST_NUMBER else float("nan")
