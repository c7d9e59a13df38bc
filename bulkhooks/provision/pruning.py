"""What ``--prune`` deletes: what of ours no row of the input names, where the server still has it as it was made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bulkhooks.errors import ApiError, CredentialsError, NotFound, Refused, Stopped
from bulkhooks.provision.account import Account
from bulkhooks.provision.changes import elsewhere, identity_of
from bulkhooks.provision.compare import KEY, Existing
from bulkhooks.provision.stopping import NotRead
from bulkhooks.provision.tasks import each
from bulkhooks.webhook import Status


@dataclass(frozen=True, slots=True)
class Pruning:
    """What becomes of the account's webhooks that no row names.

    ``deletions`` has the columns ``history.OWNED``; ``left``, what is not deleted, besides ``status`` (``changed`` or
    ``missing``) and ``error``.
    """

    deletions: pd.DataFrame
    left: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def missing(self) -> list[int]:
        """Ids that the server no longer has."""
        return [] if self.left.empty else self.left.loc[self.left["status"] == Status.MISSING, "id"].tolist()


async def prune(account: Account, candidates: pd.DataFrame, existing: Existing, most: int) -> Pruning:
    """Divide ``candidates`` (``compare.to_prune``) into what is deleted and what somebody has changed or deleted.

    What the list of the server lacks is read by id. That ends where more than ``most`` are to be deleted, for then
    nothing is sent. What cannot be read stays a deletion: it is read again before it is carried out.
    """
    listed = existing.existing[existing.existing["active"] >= 0]  # the others are those of the journal itself
    found: dict[int, tuple[object, object, str] | None] = dict(
        zip(listed["id"], listed[KEY].itertuples(index=False, name=None), strict=True)
    )
    made = dict(zip(candidates["id"], candidates[KEY].itertuples(index=False, name=None), strict=True))
    unseen = [webhook_id for webhook_id in made if webhook_id not in found]
    to_delete = sum(found.get(webhook_id) == key for webhook_id, key in made.items())

    async def read(webhook_id: int) -> None:
        nonlocal to_delete
        if to_delete > most or account.halted is not None:
            return
        try:
            found[webhook_id] = identity_of(await account.read(webhook_id))
        except NotFound:
            found[webhook_id] = None
        except (Refused, NotRead):
            pass
        except (Stopped, CredentialsError, ApiError) as error:
            account.stop(error)
        to_delete += found.get(webhook_id, made[webhook_id]) == made[webhook_id]

    await each(unseen, read, account.terms.concurrency)
    stays = np.array([found.get(webhook_id, key) == key for webhook_id, key in made.items()], dtype=bool)
    left = candidates[~stays]
    now = [found[webhook_id] for webhook_id in left["id"]]
    return Pruning(
        candidates[stays],
        left.assign(
            status=[str(Status.MISSING if key is None else Status.CHANGED) for key in now],
            error=["" if key is None else f"left alone: {elsewhere(key)}" for key in now],
        ),
    )
