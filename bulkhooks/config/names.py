"""What results are called where nobody says where they go (bulkhooks/docs/reference.md, Names of results)."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path, PurePath
from typing import TypeVar

from bulkhooks.provision.shard import Shard

APath = TypeVar("APath", bound=PurePath)

_RESULTS = re.compile(r"(?P<stem>.+?)(?P<sandbox>\.sandbox)?\.results(?:\.(?P<number>\d{1,9}))?")
_OURS = ("*.results.*", "~$*", "*.checked.*", "*.undo.*", "health*.xlsx")
"""Files that this program writes, or Excel while it has one open."""


def results_beside(path: APath, *, is_rehearsal: bool = False, shard: Shard | None = None) -> APath:
    """Where the results of an input go: ``x.results.xlsx``, and of a results file the next round.

    Of ``x.results.xlsx`` that is ``x.results.2.xlsx``, of that ``x.results.3.xlsx``. A rehearsal has a name of its own,
    ``x.sandbox.results.xlsx``, which no run against a server writes; so has each shard: ``x.results.3-of-16.xlsx``.
    """
    found = _RESULTS.fullmatch(path.stem)
    stem = found["stem"] if found else path.stem
    word = ".sandbox.results" if is_rehearsal else ".results"
    number = ""
    if found and bool(found["sandbox"]) == is_rehearsal:
        number = f".{int(found['number'] or 1) + 1}"
    part = f".{shard.word}" if shard else ""
    return path.with_name(f"{stem}{word}{number}{part}.xlsx")


def undone_beside(path: APath) -> APath:
    """Where the results of an undo go: ``x.undo.xlsx``."""
    return path.with_name(f"{path.stem}.undo.xlsx")


def next_free(path: Path) -> Path:
    """``x.undo.xlsx``, or where that is there already the first of ``x.undo.2.xlsx``, ``x.undo.3.xlsx`` that is not."""
    numbered = (path.with_name(f"{path.stem}.{number}{path.suffix}") for number in count(2))
    return path if not path.exists() else next(each for each in numbered if not each.exists())


def is_ours(name: str) -> bool:
    """Whether a file of that name is one that a glob leaves out."""
    return any(fnmatchcase(name, pattern) for pattern in _OURS)
