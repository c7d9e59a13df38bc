"""One run over all its accounts: learn what is there, plan, write the plan down, send it."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from bulkhooks.errors import ApiError, CredentialsError
from bulkhooks.provision.account import Account
from bulkhooks.provision.canary import Canary
from bulkhooks.provision.compare import Existing, compare, to_prune
from bulkhooks.provision.item import Operation, Outcome
from bulkhooks.provision.journal import history
from bulkhooks.provision.limiter import NextSlotTooFar
from bulkhooks.provision.listing import Listing, existing
from bulkhooks.provision.outage import GaveUp
from bulkhooks.provision.sender import Sender
from bulkhooks.provision.stopping import Halt
from bulkhooks.provision.tasks import task_group
from bulkhooks.webhook import Status, url_key

_MOST_NAMED = 10

_log = logging.getLogger("bulkhooks")


def new_run_id(moment: float) -> str:
    """``20261123T013500Z-4f2a``: sorts by time, and names one run of the world."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(moment))}-{secrets.token_hex(2)}"


@dataclass(slots=True)
class Plan:
    """What a run is going to do, for all its accounts, before anything is sent.

    ``rows``: the expansion with every operation, in input order. ``prune``: the webhooks to delete, by account.
    """

    rows: pd.DataFrame
    prune: dict[str, pd.DataFrame] = field(default_factory=dict)
    unlisted: dict[str, frozenset[int]] = field(default_factory=dict)
    """By account the locations whose webhooks it may not list."""
    arrived: dict[str, list[tuple[tuple[int, int, str], int]]] = field(default_factory=dict)
    """By account the sends of earlier runs, in doubt until now, that the server turns out to have (key, id)."""
    warnings: list[str] = field(default_factory=list)

    @property
    def deletions(self) -> int:
        """Webhooks to delete."""
        return sum(map(len, self.prune.values()))

    def changes(self) -> dict[str, int]:
        """Rows that need a write, by operation (a look-up may turn out to need none)."""
        return self._counted(self.rows, self.deletions)

    def operations(self, account: str) -> dict[str, int]:
        """The changes of one account."""
        return self._counted(self.rows[self.rows["account"] == account], len(self.prune.get(account, ())))

    @staticmethod
    def _counted(rows: pd.DataFrame, deletions: int) -> dict[str, int]:
        counts = rows["operation"].astype(str).value_counts()
        found = {
            str(operation): int(counts.get(str(operation), 0))
            for operation in Operation
            if operation is not Operation.NOTHING
        }
        found[str(Operation.DELETE)] = deletions
        return {operation: count for operation, count in found.items() if count}

    @property
    def writes(self) -> int:
        """Writes needed at most."""
        return sum(self.changes().values())


async def make_plan(
    lines: Mapping[str, Account], rows: pd.DataFrame, *, if_exists: str, resend_unknown: bool, prune: bool
) -> Plan:
    """Compare the desired with every account's server and journal; accounts without a line are left as they are."""
    parts = {str(name): part for name, part in rows.groupby("account", sort=False)}
    known: dict[str, Existing] = {}
    warnings: list[str] = []

    async def learn(name: str, line: Account) -> None:
        desired = parts[name].loc[parts[name]["status"] == Status.PLANNED, "business_id"]
        known[name] = await _learn(line, name, desired, warnings)

    async with task_group() as group:
        for name, line in lines.items():
            if name in parts:
                group.start_soon(learn, name, line)

    plan = Plan(rows, warnings=warnings)
    if prune and (rows["status"] == Status.INVALID).any():  # nobody knows what such a row names
        warnings.append("a row is invalid, so --prune deletes nothing; mend it and run again")
        prune = False
    decided: list[pd.DataFrame] = []
    for name, part in parts.items():
        existing = known.get(name) or Existing.nothing()
        account = compare(part, existing, if_exists=if_exists, resend_unknown=resend_unknown)
        decided.append(account.rows)
        plan.warnings += account.warnings
        plan.unlisted[name] = existing.unlisted
        arrived = existing.arrived[["business_id", "action", "url_key", "id"]].itertuples(index=False)
        plan.arrived[name] = [(tuple(key), webhook_id) for *key, webhook_id in arrived]
        if prune and existing.failed:
            plan.warnings.append(f"account {name!r}: not everything could be listed, so --prune deletes nothing there")
        elif prune and name in lines and lines[name].halted is None:
            plan.prune[name] = to_prune(account, existing)
    if decided:
        plan.rows = pd.concat(decided).sort_index() if len(decided) > 1 else decided[0]
    return plan


async def _learn(line: Account, name: str, desired: pd.Series, warnings: list[str]) -> Existing:
    """What the server has at the locations of a desired and of sends in doubt, and what the journal knows."""
    doubted = history.doubted(line.journal, line.account)
    business_ids = pd.concat([desired, doubted["business_id"]]).unique().tolist()
    found = Listing()  # where it cannot be had, nobody knows what is there, and nothing will be sent
    with line.working():
        try:
            found = await existing(line, business_ids)
        except (NextSlotTooFar, GaveUp, ApiError, CredentialsError) as error:
            line.stop(error)
    if found.not_permitted:
        warnings.append(_not_listed(name, found, len(business_ids)))
    return Existing.of(
        (
            (record.business_id, record.action, url_key(record.url), record.id, record.url, record.name, record.active)
            for record in found.records.values()
        ),
        history.owned(line.journal, line.account),
        doubted,
        unlisted=found.not_permitted,
        failed=found.failed,
    )


def _not_listed(name: str, found: Listing, asked: int) -> str:
    numbers = sorted(found.not_permitted)
    error = found.refused[numbers[0]]
    if len(numbers) == asked:
        return f"account {name!r} may not list webhooks ({error}): the journal alone decides what is there already"
    named = ", ".join(map(str, numbers[:_MOST_NAMED])) + (", …" if len(numbers) > _MOST_NAMED else "")
    return (
        f"account {name!r} may not list the webhooks of {len(numbers)} of {asked} locations ({named}; {error}):"
        " there the journal alone decides what is there already"
    )


def tell_arrivals(lines: Mapping[str, Account], plan: Plan) -> None:
    """Let the journal know which earlier sends have arrived after all."""
    for name, line in lines.items():
        for key, webhook_id in plan.arrived.get(name, ()):
            line.journal.arrived(line.account, key, webhook_id, line.wall())


def input_rows(rows: pd.DataFrame, extras: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """The rows of the input as the journal takes them (``ROW_COLUMNS``)."""
    own = extras.itertuples(index=False, name=None) if len(extras.columns) else ((),) * len(rows)
    yield from zip(
        range(len(rows)), rows["BusinessId"], rows["Location"], rows["Action"], rows["URL"], rows["Name"],
        rows["Description"], rows["Active"], rows["Account"], (history.pack(values) for values in own), strict=True,
    )  # fmt: skip


def item_rows(plan: Plan, numbers: Mapping[str, int]) -> Iterator[tuple[object, ...]]:
    """The plan as the journal takes it (``ITEM_COLUMNS``); the deletions stand at the end."""
    rows = plan.rows
    accounts = rows["account"].map(numbers)
    descriptions = [text or None for text in rows["description"]]
    active = [None if flag < 0 else int(flag) for flag in rows["active"]]
    yield from zip(
        range(len(rows)), rows["row"].tolist(), rows["place"], accounts.tolist(), rows["business_id"].tolist(),
        rows["location"], rows["action"].tolist(), rows["url"], rows["url_key"], rows["name"],
        rows["name_given"].tolist(), descriptions, active, map(str, rows["operation"]), map(str, rows["status"]),
        rows["webhook_id"].tolist(), _nothing(), rows["error_code"], rows["error"],
        rows["changes"] if "changes" in rows else _nothing(),
        strict=False,
    )  # fmt: skip
    deletions = ((numbers[name], webhook) for name, owned in plan.prune.items() for webhook in owned.to_dict("records"))
    for number, (account, webhook) in enumerate(deletions):
        yield deletion_row(len(rows) + number, f"prune:{number + 1}", account, webhook)


def deletion_row(seq: int, place: str, account: int, webhook: Mapping[Any, Any], row: int = -1) -> tuple[object, ...]:
    """A webhook of ours (``history.OWNED``) to delete, as the journal takes it."""
    return (
        seq, row, place, account, webhook["business_id"], webhook["location"], webhook["action"], webhook["url"],
        webhook["url_key"], webhook["name"], 1, webhook["description"], None, str(Operation.DELETE),
        str(Status.PENDING), webhook["id"], None, "", "", "delete",
    )  # fmt: skip


def _nothing() -> Iterator[None]:
    while True:
        yield None


async def send(
    lines: Mapping[str, Account],
    run: int,
    unlisted: Mapping[str, Container[int]],
    *,
    workers: int,
    retries: int,
    settle: float,
    canary: int = 0,
    ended: Callable[[Outcome], None],
) -> None:
    """Send what the journal has to do for the run, all accounts side by side, each under its own limits.

    ``unlisted``: by account the locations where what is in doubt cannot be looked up.
    """
    cage = Canary(canary)
    async with task_group() as group:
        for name, line in lines.items():
            sender = Sender(
                line,
                run,
                unlisted=unlisted.get(name, ()),
                retries=retries,
                settle=settle,
                canary=cage,
                ended=ended,
                named={"run_id": history.run_id(line.journal, run), "account": name},
            )
            group.start_soon(sender.send, workers)
    for line in lines.values():
        await line.journal.durable()
        reason = line.halted or line.closed
        if cage.has_failed and reason is None:
            line.halt(reason := Halt(f"not all of the first {canary} writes succeeded (--canary)"))
        if reason is not None:
            line.journal.give_up(run, line.account, f"not sent: {reason.reason}")
        line.left = line.journal.pending(run, line.account)


def resume_at(lines: Iterable[Account]) -> float | None:
    """The first moment (seconds since 1970) at which the limits let an account go on with what it has left."""
    return min((moment for line in lines if (moment := line.resumes_at) is not None), default=None)
