"""The sheet of ``health``: one row a webhook, with its state and its twins, and what they come to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from bulkhooks import actions
from bulkhooks.errors import WarningCode
from bulkhooks.nexudus.models import Record
from bulkhooks.report import ErrorCount, Problem
from bulkhooks.sheets.values import ResultRow
from bulkhooks.webhook import url_host

HEALTH_COLUMNS = (
    "BusinessId", "Location", "Action", "URL", "Name", "Health", "Active", "ErrorCount", "LastError", "LastTrigger",
    "WebhookId", "Twins",
)  # fmt: skip


class Health(StrEnum):
    """How delivery stands for a webhook (bulkhooks/docs/reference.md, Health)."""

    HEALTHY = "healthy"
    FAILING = "failing"
    DISABLED = "disabled"
    PAUSED = "paused"
    NEVER_FIRED = "never fired"

    @classmethod
    def of(cls, record: Record) -> Health:
        """The state of a webhook as a search gives it."""
        if record.error_count > 0:
            return cls.FAILING if record.active else cls.DISABLED
        if not record.active:
            return cls.PAUSED
        return cls.HEALTHY if record.last_trigger else cls.NEVER_FIRED


ILL = frozenset({Health.FAILING, Health.DISABLED})
"""States in which events are lost, or will be."""


class HealthRow(NamedTuple):
    """A row of the sheet; its fields are ``HEALTH_COLUMNS``, in order. ``twins`` are ids, joined with ``, ``."""

    business_id: int
    location: str
    action: str | int
    url: str
    name: str
    health: Health
    active: bool
    error_count: int
    last_error: str
    last_trigger: str
    webhook_id: int
    twins: str

    @property
    def result(self) -> ResultRow:
        """The row as sheets are written from it; what is wrong with the webhook is a problem of it, at its id."""
        if self.health not in ILL:
            return ResultRow(self)
        return ResultRow(self, [Problem(-1, str(self.webhook_id), self.health, "", self.last_error or "")])


def rows_of(records: Sequence[Record], names: Mapping[int, str]) -> list[HealthRow]:
    """The rows of one account's webhooks, by location, event and id; ``names`` are those of its locations, by id."""
    same = defaultdict(list)
    for record in records:
        same[record.identity].append(record.id)
    return [
        HealthRow(
            business_id=record.business_id,
            location=names.get(record.business_id, ""),
            action=actions.name_of(record.action) if 1 <= record.action <= len(actions.NAMES) else record.action,
            url=record.url,
            name=record.name,
            health=Health.of(record),
            active=record.active,
            error_count=record.error_count,
            last_error=record.last_error,
            last_trigger=record.last_trigger,
            webhook_id=record.id,
            twins=", ".join(str(twin) for twin in same[record.identity] if twin != record.id),
        )
        for record in sorted(records, key=lambda record: (record.business_id, record.action, record.id))
    ]


def is_wanted(row: HealthRow, only: Iterable[str], since: datetime | None) -> bool:
    """Whether a row is shown: its state is among ``only`` (none: any), its last event not before ``since``."""
    states = {state.replace("-", " ") for state in only}
    if states and row.health not in states:
        return False
    if since is None:
        return True
    try:
        return bool(row.last_trigger) and moment_of(row.last_trigger) >= since
    except ValueError:
        return True  # a time that cannot be read is better shown than hidden


def moment_of(text: str) -> datetime:
    """A time in ISO 8601, in UTC where it names no zone. Raises ``ValueError`` where it is none."""
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def failures(rows: Iterable[HealthRow]) -> list[ErrorCount]:
    """The states that lose events by the host of the URL, the most frequent first; with the last error of one."""
    counted: dict[tuple[str, str], ErrorCount] = {}
    for row in rows:
        if row.health in ILL:
            host = url_host(row.url)
            example = f"{host}: {row.last_error or 'no error is on record'}"
            counted.setdefault((row.health, host), ErrorCount(str(row.health), 0, example)).count += 1
    return sorted(counted.values(), key=lambda error: -error.count)


def counts_of(rows: Iterable[HealthRow]) -> dict[str, int]:
    """Webhooks by state, in the order of the states; those that occur."""
    found = Counter(row.health for row in rows)
    return {str(state): found[state] for state in Health if found[state]}


def twins(rows: Iterable[HealthRow]) -> list[Problem]:
    """A warning for each set of webhooks that are the same by location, event and URL."""
    named = {}
    for row in rows:
        if row.twins:
            ids = sorted([row.webhook_id, *map(int, row.twins.split(", "))])
            words = f"ids {', '.join(map(str, ids))} are the same webhook, {row.action} at {row.business_id}"
            named[tuple(ids)] = Problem.of_whole(WarningCode.TWIN, "", f"twins: {words}")
    return list(named.values())
