"""What the cells of Action, Active and Account mean; each function reads one distinct text.

Like ``IdReader.read`` they return what the text means, and what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from bulkhooks import actions, panel
from bulkhooks.errors import ErrorCode, WarningCode
from bulkhooks.sheets.normalizing.findings import Finding, Suggestions, limited
from bulkhooks.sheets.strings import one_of, shown, yes_or_no

T = TypeVar("T")
Read = Callable[[str], tuple[T, Sequence[Finding]]]

HOW_TO_WRITE_AN_EVENT = "Write an event such as Booking created or BookingCreate (`bulkhooks actions` lists all)"


_BETWEEN_EVENTS = re.compile(r"[,;|\n\r，；｜、]")


def event_reader() -> Read[list[int]]:
    suggest = Suggestions(lambda text: list(map(actions.both_words, actions.nearest(text))))

    def read(cell: str) -> tuple[list[int], Sequence[Finding]]:
        numbers: list[int] = []
        findings: list[Finding] = []
        for item in filter(None, map(str.strip, _BETWEEN_EVENTS.split(cell))):
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


def patterns(cells: Iterable[str]) -> dict[str, list[str]]:
    """What the patterns in some Action cells mean: by pattern the API's names of the events."""
    items = (item.strip() for cell in cells if "*" in cell or "＊" in cell for item in _BETWEEN_EVENTS.split(cell))
    found = {item: actions.match(item) for item in items if "*" in item or "＊" in item}
    return {item: list(map(actions.name_of, numbers)) for item, numbers in found.items() if numbers}


def _unknown_event(item: str, suggest: Suggestions) -> Finding:
    what = f"No event matches the pattern {shown(item)}" if "*" in item else f"Unknown event {shown(item)}"
    if re.fullmatch(r"[\d.,\s-]+", item):
        advice = f"Events are numbered from 1 to {len(actions.NAMES)}"
    elif item.casefold() in _EVERY_EVENT:
        advice = "Write * for every event"
    elif several := _several(item):
        advice = f"Write a comma between events: {', '.join(map(actions.both_words, several))}"
    else:
        *others, last = suggest(item) or [""]
        nearest = (
            f"The nearest are {', '.join(others)} and {last}, and "
            if others
            else last and f"The nearest is {last}, and "
        )
        advice = f"{nearest}`bulkhooks actions` lists all of them"
    return Finding.about(ErrorCode.UNKNOWN_ACTION, item, f"{what}. {advice}")


_EVERY_EVENT = frozenset({"all", "any", "every", "everything", "all events", "any event", "every event", "all actions"})
_JOINED = (re.compile(r"\s*(?:[/&+]|\b(?:and|or)\b)\s*", re.IGNORECASE), re.compile(r"\s+"))


def _several(item: str) -> list[int]:
    """The events of a text that joins several by a slash, "and" or a space (``Booking created / updated``), if any."""
    if len(item) > _LONGEST_LIST:
        return []
    for between in _JOINED:
        parts = [part for part in between.split(item) if part]
        noun, _ = panel.noun_in(parts[0]) if parts else ("", "")
        found = [actions.match(part) or actions.match(f"{noun} {part}") for part in parts]
        if len(parts) > 1 and all(found):
            return [number for numbers in found for number in numbers]
    return []


_LONGEST_LIST = 500
"""A longer text is no list of events."""


def read_active(cell: str) -> tuple[int, Sequence[Finding]]:
    if cell == "":
        return -1, ()
    value = yes_or_no(cell)
    if value is None:
        return -1, [
            Finding.of(ErrorCode.BAD_BOOLEAN, cell, "is neither yes nor no. Write yes or no, or leave the cell empty")
        ]
    return int(value), ()


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
