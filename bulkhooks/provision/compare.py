"""Holds the desired against what the server and the journal have, and says for every row what has to be done.

Everything here is a value: a plan can be counted, printed and refused before a request leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bulkhooks.errors import ErrorCode, Refused, WarningCode
from bulkhooks.provision.item import Operation
from bulkhooks.provision.journal.history import DOUBTED, OWNED, frame
from bulkhooks.report import Problem, twin_sentence
from bulkhooks.webhook import Status, url_key

KEY = ["business_id", "action", "url_key"]
"""What makes two webhooks of an account the same."""

_KNOWN = (*KEY, "id", "url", "name", "active")


@dataclass(frozen=True, slots=True)
class Existing:
    """What is known of one account. ``owned``, ``doubted`` and ``resent`` as ``history`` gives them.

    ``existing`` holds the webhooks of the plan's locations with the columns ``KEY``, ``id, url, name, active`` (0, 1):
    the server's, and those of the journal at the locations that may not be listed, ``unlisted`` (``active`` -1: not
    known). ``failed``: locations where listing came to another final answer. ``gone``: ids of webhooks of ours that
    the server no longer has, read one by one.
    """

    existing: pd.DataFrame
    owned: pd.DataFrame
    doubted: pd.DataFrame
    resent: pd.DataFrame
    unlisted: frozenset[int] = frozenset()
    failed: Mapping[int, Refused] = field(default_factory=dict)
    gone: Sequence[int] = ()

    @classmethod
    def of(
        cls,
        records: Iterable[tuple[object, ...]],
        owned: pd.DataFrame,
        doubted: pd.DataFrame,
        resent: pd.DataFrame | None = None,
        *,
        unlisted: frozenset[int] = frozenset(),
        failed: Mapping[int, Refused] | None = None,
        gone: Sequence[int] = (),
    ) -> Existing:
        """From the server's ``(*KEY, id, url, name, active)``."""
        existing = frame(records, _KNOWN)
        existing["active"] = existing["active"].astype("int8")
        if unlisted:
            remembered = owned[owned["business_id"].isin(unlisted) & ~owned["id"].isin(existing["id"])]
            existing = pd.concat([existing, remembered.assign(active=np.int8(-1))[list(_KNOWN)]])
        resent = frame([], KEY) if resent is None else resent
        return cls(existing.sort_values("id", kind="stable"), owned, doubted, resent, unlisted, failed or {}, gone)

    @property
    def arrived(self) -> pd.DataFrame:
        """Sends of earlier runs, in doubt until now, that the server turns out to have.

        Columns ``OWNED``, and ``was_absent`` as ``doubted`` has it: only where that is 1 it is surely ours.
        """
        listed = ~self.doubted["business_id"].isin([*self.unlisted, *self.failed])
        found = self.doubted[listed].merge(self.existing.drop_duplicates(KEY), on=KEY)
        return found.assign(location=found["business_id"].astype(str), description="")

    @property
    def turned_up(self) -> list[tuple[tuple[int, int, str], list[int]]]:
        """By key, the webhooks that are there of what earlier runs sent again after a look-up had not found it."""
        listed = ~self.resent["business_id"].isin([*self.unlisted, *self.failed])
        found = self.resent[listed].merge(self.existing, on=KEY)
        ids: dict[tuple[int, int, str], list[int]] = {}
        for *key, webhook_id in found[[*KEY, "id"]].itertuples(index=False, name=None):
            ids.setdefault(tuple(key), []).append(webhook_id)
        return list(ids.items())

    @classmethod
    def nothing(cls) -> Existing:
        """Of an account that cannot be asked."""
        return cls.of([], frame([], OWNED), frame([], DOUBTED))


@dataclass(slots=True)
class AccountPlan:
    """What has to be done for one account.

    ``rows`` is the part of the expansion that is the account's, with ``operation, status, webhook_id, error_code,
    error`` decided. ``warnings`` are those about single rows, which have them among their ``problems``, too.
    """

    rows: pd.DataFrame
    warnings: list[Problem] = field(default_factory=list)


def compare(rows: pd.DataFrame, existing: Existing, *, if_exists: str, resend_unknown: bool) -> AccountPlan:
    """Decide every row of one account.

    ``rows``: the columns of ``sheets.expand`` and ``name_given`` (bool); its index is kept.
    """
    rows = rows.assign(operation=str(Operation.NOTHING), webhook_id=0)
    desired = (rows["status"] == Status.PLANNED).to_numpy()
    rows.loc[desired, "status"] = Status.PENDING
    rows.loc[desired, "operation"] = Operation.CREATE
    plan = AccountPlan(rows)
    desired = desired & ~_fail_where_listing_failed(rows, existing.failed, desired)

    there = _lookup(rows, existing.existing)
    found = desired & (there["id"] > 0).to_numpy()
    _warn_of_twins(plan, found, existing.existing)
    _take_existing(plan, there, found, if_exists)
    moving = _moves(plan, existing, desired, found)
    unlisted = rows["business_id"].isin(existing.unlisted).to_numpy()
    _trust_sheet(rows, desired & ~found & ~moving & unlisted, existing.owned)
    _take_doubts(plan, existing, desired & ~moving, resend_unknown)
    _describe(rows, existing.owned)
    return plan


def to_prune(plan: AccountPlan, existing: Existing) -> pd.DataFrame:
    """Those of the account's own webhooks that no row of its input names. Columns as ``Existing.owned``."""
    arrived = existing.arrived.query("was_absent == 1")[list(OWNED)]
    owned = pd.concat([existing.owned, arrived]).drop_duplicates("id") if len(arrived) else existing.owned
    named = pd.MultiIndex.from_frame(plan.rows[KEY])
    moving = plan.rows["webhook_id"]
    return owned[~pd.MultiIndex.from_frame(owned[KEY]).isin(named) & ~owned["id"].isin(moving)]


def _lookup(rows: pd.DataFrame, existing: pd.DataFrame, url: str = "url_key") -> pd.DataFrame:
    """For every row the existing webhook with the lowest id at its location, event and URL; id 0: there is none."""
    first = existing.drop_duplicates(KEY)
    wanted = rows[["business_id", "action", url]].rename(columns={url: "url_key"})
    wanted["action"] = wanted["action"].astype("int64")
    found = wanted.merge(first, how="left", on=KEY)
    found["id"] = found["id"].fillna(0).astype("int64")
    return found.set_axis(rows.index)


def _warn_of_twins(plan: AccountPlan, found: np.ndarray, existing: pd.DataFrame) -> None:
    """A warning for every row whose webhook the server has more than once."""
    again = existing[existing.duplicated(KEY, keep=False)]
    if again.empty:
        return
    ids = dict(again.groupby(KEY)["id"].agg(list))
    rows = plan.rows
    problems = rows["problems"].to_numpy(dtype=object, copy=True)
    keys = pd.MultiIndex.from_frame(rows[KEY])
    for at in np.flatnonzero(found & keys.isin(pd.MultiIndex.from_frame(again[KEY]))).tolist():
        row, twins = rows.iloc[at], ids[keys[at]]
        sentence = twin_sentence(row["business_id"], row["action"], row["url"], twins)
        warning = Problem(int(row["row"]), row["place"], WarningCode.TWIN, "", sentence, warning=True)
        problems[at] = (*problems[at], warning)
        plan.warnings.append(warning)
    rows["problems"] = problems


def _fail_where_listing_failed(rows: pd.DataFrame, failed: Mapping[int, Refused], desired: np.ndarray) -> np.ndarray:
    """Nobody knows what is there, and asking again would be answered the same."""
    these = desired & rows["business_id"].isin(failed).to_numpy()
    if these.any():
        errors = [failed[business_id] for business_id in rows.loc[these, "business_id"]]
        rows.loc[these, ["status", "operation"]] = [Status.FAILED, Operation.NOTHING]
        rows.loc[these, "error_code"] = [error.error_code for error in errors]
        rows.loc[these, "error"] = [f"not sent, for what is there could not be listed: {error}" for error in errors]
    return np.asarray(these)


def _take_existing(plan: AccountPlan, there: pd.DataFrame, found: np.ndarray, if_exists: str) -> None:
    rows = plan.rows
    rows.loc[found, "webhook_id"] = there.loc[found, "id"]
    if if_exists == "fail":
        _already_exists(rows, found, "the server has this webhook already, id {id}; see --if-exists")
        return
    differs = np.zeros(len(rows), dtype=bool)
    if if_exists == "update":
        differs = found & (
            (rows["name_given"] & (rows["name"] != there["name"])).to_numpy()
            | (rows["description"] != "").to_numpy()
            | ((rows["active"] >= 0) & (rows["active"] != there["active"])).to_numpy()
        )
        rows.loc[differs, "operation"] = Operation.UPDATE
    same = found & ~differs
    rows.loc[same, ["status", "operation"]] = [Status.EXISTS, Operation.NOTHING]
    rows.loc[same, ["url", "name"]] = there.loc[same, ["url", "name"]]


def _moves(plan: AccountPlan, existing: Existing, desired: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Rows with ``Replaces``: the webhook at the old URL gets the new one, if that is not there already."""
    rows = plan.rows
    if not (rows["replaces"] != "").any():
        return np.zeros(len(rows), dtype=bool)
    old_key = rows["replaces"].map(url_key)
    old = _lookup(rows.assign(old_key=old_key), existing.existing, "old_key")["id"]
    old = old.where(desired & (old_key != rows["url_key"]), 0)
    has_old = ((old > 0) & ~old.duplicated()).to_numpy()
    _already_exists(
        rows, has_old & found, "the new URL is there already (id {id}) beside the old one; delete one of them"
    )
    moving = has_old & ~found
    rows.loc[moving, "operation"] = Operation.MOVE
    rows.loc[moving, "webhook_id"] = old[moving]
    return np.asarray(moving)


def _already_exists(rows: pd.DataFrame, these: np.ndarray, sentence: str) -> None:
    rows.loc[these, ["status", "operation", "error_code"]] = [
        Status.FAILED,
        Operation.NOTHING,
        ErrorCode.ALREADY_EXISTS,
    ]
    rows.loc[these, "error"] = [sentence.format(id=webhook_id) for webhook_id in rows.loc[these, "webhook_id"]]


def _trust_sheet(rows: pd.DataFrame, these: np.ndarray, owned: pd.DataFrame) -> None:
    """Without a list, the id of a results file counts; what the journal knows of it, it knows better."""
    done = these & (rows["known_id"] > 0).to_numpy()
    rows.loc[done, ["status", "operation"]] = [Status.EXISTS, Operation.NOTHING]
    rows.loc[done, "webhook_id"] = rows.loc[done, "known_id"]
    made = done & rows["known_id"].isin(owned["id"]).to_numpy()
    for column in ("url", "name"):
        known = dict(zip(owned["id"], owned[column], strict=True))
        rows.loc[made, column] = [known[number] for number in rows.loc[made, "known_id"]]


def _take_doubts(plan: AccountPlan, existing: Existing, desired: np.ndarray, resend_unknown: bool) -> None:
    """Rows whose last send, in an earlier run, has no outcome, by the journal or by the results file they come from."""
    rows = plan.rows
    in_doubt = desired & rows["known_doubt"].to_numpy(dtype=bool)
    if not existing.doubted.empty:
        in_doubt |= desired & pd.MultiIndex.from_frame(rows[KEY]).isin(pd.MultiIndex.from_frame(existing.doubted[KEY]))
    if not in_doubt.any():
        return
    waiting = in_doubt & (rows["operation"] == Operation.CREATE).to_numpy()
    unlisted = rows["business_id"].isin(existing.unlisted).to_numpy()
    rows.loc[waiting & ~unlisted, ["operation", "error_code"]] = [Operation.LOOK_UP, ErrorCode.IN_DOUBT]
    rows.loc[waiting & ~unlisted, "error"] = "sent by an earlier run, which got no answer"
    if not resend_unknown:
        nobody_can_look = waiting & unlisted
        rows.loc[nobody_can_look, ["operation", "status", "error_code"]] = [
            Operation.NOTHING,
            Status.UNKNOWN,
            ErrorCode.IN_DOUBT,
        ]
        rows.loc[nobody_can_look, "error"] = (
            "sent by an earlier run, which got no answer, and looking it up is not permitted: see in Nexudus whether it"
            " is there, or use --resend-unknown"
        )


def _describe(rows: pd.DataFrame, owned: pd.DataFrame) -> None:
    """A search leaves the description out: it is known of what this tool made, and from an earlier results file."""
    known = dict(zip(owned["id"], owned["description"], strict=True))
    exists = (rows["status"] == Status.EXISTS) & (rows["known_id"] != rows["webhook_id"])
    rows.loc[exists, "description"] = [known.get(number) or "" for number in rows.loc[exists, "webhook_id"]]
