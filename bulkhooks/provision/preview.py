"""Makes a plan exact: what an update would change is only known from the full record, which costs a request each."""

from __future__ import annotations

from collections.abc import Mapping

from bulkhooks.errors import ApiError, CredentialsError, Refused, Stopped
from bulkhooks.provision.account import Account
from bulkhooks.provision.changes import described, differences, wanted
from bulkhooks.provision.item import Item, Operation
from bulkhooks.provision.plan import Plan
from bulkhooks.provision.tasks import task_group
from bulkhooks.webhook import Status

_WORDS = {Operation.CREATE: "create", Operation.LOOK_UP: "look up, create if it is not there"}


async def preview(plan: Plan, accounts: Mapping[str, Account]) -> None:
    """Say in ``plan.rows``, column ``changes``, what would be changed; what changes nothing becomes ``exists``."""
    plan.rows["changes"] = plan.rows["operation"].map(lambda operation: _WORDS.get(operation, "")).astype(object)
    async with task_group() as group:
        for account in accounts.values():
            group.start_soon(_preview_account, plan, account)


async def _preview_account(plan: Plan, account: Account) -> None:
    try:
        await _read_changing(plan, account)
    except (Stopped, CredentialsError, ApiError) as error:
        account.stop(error)


async def _read_changing(plan: Plan, account: Account) -> None:
    rows = plan.rows
    changing = rows["operation"].isin([Operation.UPDATE, Operation.MOVE]) & (rows["account"] == account.name)
    for number in rows.index[changing]:
        item = _item(rows, number, account.id)
        try:
            record = await account.read(item.webhook_id)
        except Refused as error:
            rows.at[number, "changes"] = f"not known: {error}"
            continue
        changed = differences(record, wanted(item))
        rows.at[number, "changes"] = described(record, changed)
        if not changed:
            rows.at[number, "operation"] = Operation.NOTHING
            rows.at[number, "status"] = Status.EXISTS


def _item(rows: object, number: int, account_id: int) -> Item:
    row = rows.loc[number]  # type: ignore[attr-defined]
    return Item(
        0, number, row["place"], account_id, int(row["business_id"]), row["location"], int(row["action"]), row["url"],
        row["url_key"], row["name"], bool(row["name_given"]), row["description"] or None,
        None if row["active"] < 0 else bool(row["active"]), Operation(row["operation"]), int(row["webhook_id"]),
    )  # fmt: skip
