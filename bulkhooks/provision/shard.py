"""A shard of a run: which of its accounts one process takes, where several processes or machines share a run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_WRITTEN = re.compile(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*")


class Shard(NamedTuple):
    """Shard ``number``, from 0, of a run in ``of`` shards; as text ``3/16``."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def word(self) -> str:
        """As it stands in the name of a file: ``3-of-16``."""
        return f"{self.number}-of-{self.of}"

    def share(self, accounts: Iterable[str]) -> list[str]:
        """The accounts that are this shard's, of the names of all: each N-th of them in their order.

        The order is that of the names, so it does not matter in which order rows name them
        (bulkhooks/docs/decisions/shards.md).
        """
        return sorted(accounts)[self.number :: self.of]


def read_shard(text: str) -> Shard:
    """A shard as it is written, ``I/N``. Raises ``ValueError`` with a sentence about it."""
    found = _WRITTEN.fullmatch(text)
    if found is None or not int(found[2]):
        raise ValueError(f"{text!r} is no shard; write I/N with I from 0 to N-1, for example 0/16")
    shard = Shard(int(found[1]), int(found[2]))
    if shard.number >= shard.of:
        raise ValueError(f"there is no shard {shard}: the first is 0/{shard.of}, the last {shard.of - 1}/{shard.of}")
    return shard
