"""The BusinessId cell: ids, ranges, names, groups, networks and ``*``, mixed as people mix them.

A location's name may itself hold commas, dashes and digits ("Soho, London", "Floor 2-3"). So at every item the longest
stretch of the cell that is a name in the table counts, before anything is split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bulkhooks.errors import ErrorCode, WarningCode
from bulkhooks.sheets.normalizing.findings import Finding, Suggestions, limited
from bulkhooks.sheets.reading.locations import Locations, group_key, name_key
from bulkhooks.sheets.strings import one_of, shown

WIDEST = 10_000
"""Ids of a range."""
_MOST = 1_000_000
"""Ids of a cell."""
_LARGEST = 2**63 - 1

_HARD = r"[\s;|；｜]"
_DASH = "[-‐‑‒–—―−﹣－~～〜]"
_DIGITS = re.compile(r"\d+")
_ID = re.compile(r"(\d+)(?:[.．]0+)?")
_RANGE = re.compile(rf"(\d+)\s*{_DASH}\s*(\d+)")
_NEGATIVE = re.compile(rf"{_DASH}\s*\d+(?:\.0+)?")
_PLAIN_LIST = re.compile(r"[\d\s,;|]+")
_ONLY_SPACE_BETWEEN = re.compile(r"\d[^\S\n\r]+(?=\d)")
_NUMBERS_AND_WORDS = re.compile(r"\d\S*|\d+(?:(?:\W+|\s+[^\W\d]{1,3}\s+)\d+)+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")

_THOUSANDS = r"[1-9]\d{0,2}(?:[,，]\d{3})+"
_GROUPED = rf"(?:{_THOUSANDS}(?:{_DASH}(?:{_THOUSANDS}|\d+))?|\d+{_DASH}{_THOUSANDS})"
_GROUPED_ITEM = re.compile(_GROUPED)
_GROUPED_OTHERWISE = re.compile(r"[1-9]\d{0,2}(?:[.'’\s]\d{3})+")
_SEPARATOR = re.compile(rf"(?<![^{_HARD[1:-1]}]){_GROUPED}(?={_HARD}|$|[,，](?:\s|$))|([,;|\n\r，；｜、،؛])")
"""Group 1 is a separator; without it, what looks like one number with thousands separators and is not to be split."""


class IdReader:
    """Reads BusinessId cells against one table of locations."""

    def __init__(self, locations: Locations) -> None:
        self.locations = locations
        self.remarks: list[str] = []
        """What there is to tell of all cells that were read."""
        self._has_silent = bool(locations.networks or locations.suspended)
        names = locations.by_name
        self._window = 1 + max((sum(map(bool, _SEPARATOR.findall(name))) for name in names), default=0)
        shown_names = {key: locations.name_of.get(ids[0], key) for key, ids in names.items()}
        self._names = Suggestions.among(shown_names.values())
        self._groups = Suggestions.among(locations.groups)

    def read(self, cell: str) -> tuple[Sequence[int], list[Finding]]:
        """The ids that a cell names, in the order written, and what is wrong with it. An empty cell names none."""
        numbers = self._plain(cell)
        if numbers:
            return numbers, list(self._remarks(cell, numbers)) if self._has_silent else []
        ids: list[int] = []
        findings: list[Finding] = []
        for item in self._items(cell):
            found = self._item(item)
            if isinstance(found, Finding):
                findings.append(found)
            else:
                ids += found
            if len(ids) > _MOST:
                return (), [
                    Finding.of(ErrorCode.TOO_WIDE, cell, f"names more than {_MOST:,} locations. Use several rows")
                ]
        if cell and not ids and not findings:
            findings.append(Finding.of(ErrorCode.BAD_BUSINESS_ID, cell, f"names no location. {_HOW}"))
        return ids, limited([*findings, *self._remarks(cell, ids)])

    def _remarks(self, cell: str, ids: Sequence[int]) -> Iterator[Finding]:
        """Warnings about locations whose webhooks stay silent: networks, and those that are switched off."""
        networks = [number for number in dict.fromkeys(ids) if number in self.locations.networks]
        if networks:
            groups = one_of([f"@{self.locations.networks[number]}" for number in networks], word="and")
            are = "is a network" if len(networks) == 1 else "are networks"
            sentence = (
                f"{self._named(networks)} {are}: a webhook there is silent for what happens at the locations of the"
                f" network. Write {groups} for those"
            )
            yield Finding.about(WarningCode.NETWORK_LOCATION, cell, sentence, warning=True)
        suspended = [number for number in dict.fromkeys(ids) if number in self.locations.suspended]
        if suspended:
            are = "is" if len(suspended) == 1 else "are"
            sentence = f"{self._named(suspended)} {are} suspended in Nexudus, and nothing is sent from there"
            yield Finding.about(WarningCode.SUSPENDED_LOCATION, cell, sentence, warning=True)

    def _named(self, ids: Sequence[int]) -> str:
        names = self.locations.name_of
        return one_of([f"{names[number]} ({number})" if names[number] else str(number) for number in ids], word="and")

    def _plain(self, cell: str) -> Sequence[int]:
        """The ids of a cell that is nothing but numbers, as most are; none where it needs a closer look."""
        if cell.isdecimal():
            digits = [cell]
        elif _PLAIN_LIST.fullmatch(cell) and not self._known(cell):
            if _ONLY_SPACE_BETWEEN.search(cell) or any(match[1] is None for match in _SEPARATOR.finditer(cell)):
                return ()
            digits = _DIGITS.findall(cell)
        else:
            return ()
        if max(map(len, digits), default=99) > 18:
            return ()
        numbers = list(map(int, digits))
        return numbers if min(numbers) > 0 else ()

    def _items(self, cell: str) -> Iterator[str]:
        """The items of a cell, each the longest stretch that is a name, else what stands between two separators."""
        if self._known(cell):
            yield cell
            return
        bounds = [0]
        for separator in _SEPARATOR.finditer(cell):
            if separator[1]:
                bounds += separator.span()
        bounds.append(len(cell))
        first, count = 0, len(bounds) // 2
        while first < count:
            last = first
            for reach in range(min(self._window, count - first) - 1, 0, -1):
                if self._known(cell[bounds[2 * first] : bounds[2 * (first + reach) + 1]]):
                    last = first + reach
                    break
            item = cell[bounds[2 * first] : bounds[2 * last + 1]].strip()
            if item:
                yield item
            first = last + 1

    def _item(self, item: str) -> Sequence[int] | Finding:  # noqa: PLR0911 - one kind of item after the other
        if number := _ID.fullmatch(item):
            return _checked_id(item, number[1])
        if item in {"*", "＊"} or item.casefold() == "all":
            return self._every_location() if self.locations else self._without_table(item)
        if named := self._known(item):
            return named if len(named) == 1 else self._shared_name(item, named)
        if _GROUPED_ITEM.fullmatch(item):
            return _grouped(item)
        if span := _RANGE.fullmatch(item):
            return _range(item, span[1], span[2])
        if item[0] in "@＠":
            return self._group(item)
        return self._unknown(item)

    def _every_location(self) -> Sequence[int]:
        """What ``*`` is: networks are left out, for their locations are among the others."""
        networks = list(self.locations.networks)
        if why := self.locations.without_networks:
            self.remarks = [f"* and all name every location, and among them there may be networks, for {why}"]
        elif networks:
            are = "which is a network" if len(networks) == 1 else "which are networks"
            self.remarks = [f"* and all leave out {self._named(networks)}, {are}: write the id where it is meant"]
        return self.locations.without_roots

    def _known(self, text: str) -> Sequence[int]:
        return self.locations.by_name.get(name_key(text), ())

    def _group(self, item: str) -> Sequence[int] | Finding:
        if not self.locations:
            return self._without_table(item)
        groups = self.locations.groups
        name = group_key(item[1:])
        if name in groups:
            return groups[name]
        if why := self.locations.without_networks:
            return Finding.of(
                ErrorCode.UNKNOWN_LOCATION, item, f"may be a network, but {why}. Write the ids of its locations"
            )
        if not groups:
            return Finding.of(
                ErrorCode.UNKNOWN_LOCATION,
                item,
                "is a group, but the table of locations names none in a column Groups or Network",
            )
        close = self._groups(name)
        advice = f"Did you mean @{close[0]}? The" if close else "The"
        known = one_of([f"@{group}" for group in groups])
        return Finding.of(ErrorCode.UNKNOWN_LOCATION, item, f"is no group of locations. {advice} table has {known}")

    def _unknown(self, item: str) -> Finding:
        if words := _misread(item):
            return Finding.of(ErrorCode.BAD_BUSINESS_ID, item, words)
        if close := self._names(item) if self.locations else []:
            return _no_such_name(item, f"Did you mean {shown(close[0])}? Or write the id")
        if not any(map(str.isalpha, item)) or _NUMBERS_AND_WORDS.fullmatch(item):
            return Finding.of(ErrorCode.BAD_BUSINESS_ID, item, f"is no location's id. {_HOW}")
        if not self.locations:
            return self._without_table(item)
        return _no_such_name(item, "Look into the table of locations, or write the id")

    def _without_table(self, item: str) -> Finding:
        return Finding.of(
            ErrorCode.UNKNOWN_LOCATION,
            item,
            "needs a table of locations: give one with --locations FILE or in a sheet Locations (columns BusinessId,"
            " Name, Groups), or write the ids",
        )

    def _shared_name(self, item: str, ids: Sequence[int]) -> Finding:
        listed = one_of([str(number) for number in ids])
        return Finding.of(
            ErrorCode.UNKNOWN_LOCATION, item, f"is the name of {len(ids)} locations. Write the id: {listed}"
        )


_BOUNDS = "ids are whole numbers above 0"
_HOW = "Write an id such as 1001, several as 1001, 1002, or a range as 1001-1010"


def _no_such_name(item: str, advice: str) -> Finding:
    return Finding.about(ErrorCode.UNKNOWN_LOCATION, item, f"No location is called {shown(item)}. {advice}")


def _checked_id(item: str, digits: str) -> Sequence[int] | Finding:
    digits = digits.lstrip("0０") or "0"
    number = int(digits) if len(digits) < 20 else _LARGEST + 1
    if number > _LARGEST:
        return Finding.of(ErrorCode.BAD_BUSINESS_ID, item, "has more digits than any id. Look at them")
    if number == 0:
        return Finding.of(ErrorCode.BAD_BUSINESS_ID, item, f"is no location's id, for {_BOUNDS}. {_HOW}")
    return (number,)


def _range(item: str, first: str, last: str) -> Sequence[int] | Finding:
    ends: list[int] = []
    for digits in (first, last):
        end = _checked_id(digits, digits)
        if isinstance(end, Finding):
            return Finding.of(
                ErrorCode.BAD_BUSINESS_ID,
                item,
                f"is no range of ids, for {_BOUNDS} and not that large. Look at its ends",
            )
        ends += end
    low, high = ends
    if low > high:
        return Finding.of(ErrorCode.BAD_BUSINESS_ID, item, f"is a range that runs backwards. Write {high}-{low}")
    if high - low >= WIDEST:
        return Finding.of(
            ErrorCode.TOO_WIDE,
            item,
            f"has {high - low + 1:,} ids, and a range may have {WIDEST:,}. Look at its numbers, or use several ranges",
        )
    return range(low, high + 1)


def _misread(item: str) -> str:
    """What to say of numbers that are written as no id is, or that a spreadsheet has made something else of."""
    if _NEGATIVE.fullmatch(item):
        return f"is no location's id, for {_BOUNDS}. {_HOW}"
    if _DATE.fullmatch(item):
        return (
            "is a date: the spreadsheet took what was typed (as 10-12) for one. Format the cell as text and type it"
            " again"
        )
    if _GROUPED_OTHERWISE.fullmatch(item):
        parts = re.split(r"\D", item)
        return f"looks like one number with thousands separators. Write {''.join(parts)}, or {', '.join(parts)}"
    return ""


def _grouped(item: str) -> Finding:
    if re.search(_DASH, item):
        joined = re.sub("[,，]", "", item)
        words = (
            f"may be a range of numbers with thousands separators. Write {joined}, or a list with a space after each"
            " comma"
        )
    else:
        parts = re.split("[,，]", item)
        words = (
            f"looks like one number with thousands separators. Write {''.join(parts)} for that id, or"
            f" {', '.join(parts)} for {len(parts)} ids"
        )
    return Finding.of(ErrorCode.BAD_BUSINESS_ID, item, words)
