"""One run over all its accounts: learn what is there, plan, write the plan down, send it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from bulkhooks.errors import ApiError, CredentialsError, Stopped, WarningCode
from bulkhooks.provision.account import Account
from bulkhooks.provision.compare import Existing, compare, to_prune
from bulkhooks.provision.item import Operation
from bulkhooks.provision.listing.listing import Listing, described, existing
from bulkhooks.provision.listing.recall import recall
from bulkhooks.provision.pruning import Pruning, prune
from bulkhooks.provision.tasks import task_group
from bulkhooks.report import Problem, Remark
from bulkhooks.webhook import Status

_MOST_NAMED = 10

_log = logging.getLogger("bulkhooks")


@dataclass(slots=True)
class Plan:
    """What a run is going to do, for all its accounts, before anything is sent.

    ``rows``: the expansion with every operation, in input order. ``pruned``: by account the webhooks
    that no row names.
    """

    rows: pd.DataFrame
    pruned: dict[str, Pruning] = field(default_factory=dict)
    unlisted: dict[str, frozenset[int]] = field(default_factory=dict)
    """By account the locations whose webhooks it may not list."""
    arrived: dict[str, list[tuple[tuple[int, int, str], int]]] = field(default_factory=dict)
    """By account the sends of earlier runs, in doubt until now, that the server turns out to have (key, id)."""
    turned_up: dict[str, list[tuple[tuple[int, int, str], list[int]]]] = field(default_factory=dict)
    """By account the webhooks that are there of what earlier runs sent again (key, ids)."""
    gone: dict[str, list[int]] = field(default_factory=dict)
    """By account the ids of webhooks of ours that the server no longer has."""
    warnings: list[Remark] = field(default_factory=list)

    @property
    def deletions(self) -> int:
        """Webhooks to delete."""
        return sum(len(pruning.deletions) for pruning in self.pruned.values())

    def changes(self) -> dict[str, int]:
        """Rows that need a write, by operation (a look-up may turn out to need none)."""
        return self._counted(self.rows, self.deletions)

    def operations(self, account: str) -> dict[str, int]:
        """The changes of one account."""
        deletions = len(self.pruned[account].deletions) if account in self.pruned else 0
        return self._counted(self.rows[self.rows["account"] == account], deletions)

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
    accounts: Mapping[str, Account],
    rows: pd.DataFrame,
    *,
    if_exists: str,
    resend_unknown: bool,
    max_deletes: int | None = None,
    is_flawed: bool = False,
) -> Plan:
    """Compare the desired with every account's server and journal; accounts that are not open are left as they are.

    ``max_deletes`` None deletes nothing; else what no row names is deleted, and nobody needs to know exactly how much
    that is where it is more. ``is_flawed``: the input has invalid rows, also those that another process has.
    """
    parts = {str(name): part for name, part in rows.groupby("account", sort=False)}
    known: dict[str, Existing] = {}
    warnings: list[Remark] = []

    async def learn(name: str, account: Account) -> None:
        desired = parts[name][parts[name]["status"] == Status.PLANNED]
        known[name] = await _learn(account, desired, warnings)

    async with task_group() as group:
        for name, account in accounts.items():
            if name in parts:
                group.start_soon(learn, name, account)

    plan = Plan(rows.assign(operation=str(Operation.NOTHING), webhook_id=0), warnings=warnings)
    is_flawed = is_flawed or bool((rows["status"] == Status.INVALID).any())
    if max_deletes is not None and is_flawed:  # nobody knows what such a row names
        warnings.append("a row is invalid, so --prune deletes nothing; fix it and run again")
        max_deletes = None
    candidates: dict[str, pd.DataFrame] = {}
    decided: list[pd.DataFrame] = []
    for name, part in parts.items():
        existing = known.get(name) or Existing.nothing()
        compared = compare(part, existing, if_exists=if_exists, resend_unknown=resend_unknown)
        decided.append(compared.rows)
        plan.warnings += compared.warnings
        plan.unlisted[name] = existing.unlisted
        arrived = existing.arrived[["business_id", "action", "url_key", "id"]].itertuples(index=False)
        plan.arrived[name] = [(tuple(key), webhook_id) for *key, webhook_id in arrived]
        plan.turned_up[name] = existing.turned_up
        plan.gone[name] = list(existing.gone)
        if max_deletes is None:
            continue
        if existing.failed:
            plan.warnings.append(f"account {name!r}: not everything could be listed, so --prune deletes nothing there")
        elif name in accounts and accounts[name].halted is None:
            candidates[name] = to_prune(compared, existing)
    if decided:
        plan.rows = pd.concat(decided).sort_index() if len(decided) > 1 else decided[0]

    if max_deletes is not None:
        await _prune(plan, accounts, candidates, known, max_deletes)
    return plan


async def _prune(
    plan: Plan,
    accounts: Mapping[str, Account],
    candidates: Mapping[str, pd.DataFrame],
    known: Mapping[str, Existing],
    most: int,
) -> None:
    """Find out what of the candidates is there as it was made, in all accounts side by side."""

    async def divide(name: str) -> None:
        plan.pruned[name] = await prune(accounts[name], candidates[name], known[name], most)
        plan.gone[name] += plan.pruned[name].missing

    async with task_group() as group:
        for name in candidates:
            group.start_soon(divide, name)
    # Accounts come to an end in any order, and their rows stand in that of the input.
    plan.pruned = {name: plan.pruned[name] for name in candidates}


async def _learn(account: Account, desired: pd.DataFrame, warnings: list[Remark]) -> Existing:
    """What the server has at the locations of desired rows and of sends in doubt, and what the journal knows."""
    doubted, owned = account.doubted(), account.owned()
    business_ids = pd.concat([desired["business_id"], doubted["business_id"]]).unique().tolist()
    gone: list[int] = []
    found = Listing()  # where it cannot be had, nobody knows what is there, and nothing will be sent
    try:
        found = await existing(account, business_ids)
        gone = await recall(account, found, owned, desired)
    except (Stopped, ApiError, CredentialsError) as error:
        account.stop(error)
    if found.not_permitted:
        sentence = _not_listed(account.name, found, len(business_ids))
        warnings.append(Problem.of_whole(WarningCode.NOT_LISTED, "", sentence))
    warnings += _of_odd(account.name, found)
    return Existing.of(
        ((*record.identity, record.id, record.url, record.name, record.active) for record in found.records.values()),
        owned,
        doubted,
        account.resent(),
        unlisted=found.not_permitted,
        failed=found.failed,
        gone=gone,
    )


def _of_odd(name: str, found: Listing) -> list[Problem]:
    """A warning for each record that cannot be read; many share one."""
    odd = list(dict.fromkeys(found.odd))
    sentences = [f"account {name!r}: {described(each)} and is left out" for each in odd[:_MOST_NAMED]]
    if len(odd) > _MOST_NAMED:
        sentences.append(f"account {name!r}: {len(odd) - _MOST_NAMED} more records cannot be read")
    return [Problem.of_whole(WarningCode.NOT_LISTED, "", sentence) for sentence in sentences]


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


def record_findings(accounts: Mapping[str, Account], plan: Plan) -> None:
    """Record in the journal which earlier sends have arrived after all, and which webhooks of ours are gone."""
    for name, account in accounts.items():
        for key, webhook_id in plan.arrived.get(name, ()):
            account.arrived(key, webhook_id)
        for key, ids in plan.turned_up.get(name, ()):
            account.turned_up(key, ids)
        account.gone(plan.gone.get(name, ()))
