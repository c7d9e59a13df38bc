"""What the cells of Action, Active and Account mean; each function reads one distinct text.

Like ``IdReader.read`` they return what the text means, and what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from bulkhooks import actions
from bulkhooks.errors import ErrorCode, WarningCode
from bulkhooks.sheets.normalizing.findings import Finding, Suggestions, limited
from bulkhooks.sheets.strings import one_of, shown

T = TypeVar("T")
Read = Callable[[str], tuple[T, Sequence[Finding]]]

HOW_TO_WRITE_AN_EVENT = "Write an event such as BookingCreate (`bulkhooks actions` lists all of them)"


def event_reader() -> Read[list[int]]:
    suggest = Suggestions(actions.nearest)

    def read(cell: str) -> tuple[list[int], Sequence[Finding]]:
        numbers: list[int] = []
        findings: list[Finding] = []
        for item in filter(None, map(str.strip, re.split(r"[,;|\n\r，；｜、]", cell))):
            found = actions.match(item)
            if not found:
                findings.append(_unknown_event(item, suggest))
            elif actions.NEVER_FIRES in found:
                findings.append(Finding.of(WarningCode.NEVER_FIRES, item, _NEVER_FIRES, warning=True))
            numbers += found
        if cell and not numbers and not findings:
            findings.append(Finding.of(ErrorCode.UNKNOWN_ACTION, cell, f"names no event. {HOW_TO_WRITE_AN_EVENT}"))
        return numbers, limited(findings)

    return read


_NEVER_FIRES = "is the event None, which never fires. Choose another if something is to be delivered"


def _unknown_event(item: str, suggest: Suggestions) -> Finding:
    what = f"No event matches the pattern {shown(item)}" if "*" in item else f"Unknown event {shown(item)}"
    if re.fullmatch(r"[\d.,\s-]+", item):
        advice = f"Events are numbered from 1 to {len(actions.NAMES)}"
    else:
        close = suggest(item)
        nearest = f"The nearest are {', '.join(close[:-1])} and {close[-1]}, and " if len(close) > 1 else ""
        advice = f"{nearest}`bulkhooks actions` lists all of them"
    return Finding.about(ErrorCode.UNKNOWN_ACTION, item, f"{what}. {advice}")


_ACTIVE = dict.fromkeys(("true", "yes", "y", "1", "1.0", "on"), 1) | dict.fromkeys(
    ("false", "no", "n", "0", "0.0", "off"), 0
)


def read_active(cell: str) -> tuple[int, Sequence[Finding]]:
    value = -1 if cell == "" else _ACTIVE.get(cell.strip().casefold())
    if value is None:
        return -1, [
            Finding.of(ErrorCode.BAD_BOOLEAN, cell, "is neither yes nor no. Write yes or no, or leave the cell empty")
        ]
    return value, ()


def account_reader(accounts: Collection[str], account: str) -> Read[str]:
    known = sorted({*accounts, account})
    suggest = Suggestions.among(known)
    spelt = {name.casefold(): name for name in reversed(known)}

    def read(cell: str) -> tuple[str, Sequence[Finding]]:
        if cell == "":
            return account, ()
        name = cell if cell in known else spelt.get(cell.casefold())
        if name is not None:
            return name, ()
        close = suggest(cell)
        advice = f"Did you mean {close[0]}? Otherwise" if close else f"Write {one_of(known)}, or"
        sentence = f"is no account. {advice} add it to the job file or to --accounts FILE"
        return account, [Finding.of(ErrorCode.UNKNOWN_ACCOUNT, cell, sentence)]

    return read
