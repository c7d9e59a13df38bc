"""Findings: what is wrong with the text of a cell, before it is known in which cells that text stands."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bulkhooks.errors import Code, ErrorCode
from bulkhooks.sheets.strings import cut, folded, shown

_MOST_KEPT = 200
"""Characters of it that are kept beside the sentence."""
_MOST_IN_A_CELL = 20
"""Findings that one cell may have."""
_MOST_SUGGESTIONS = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a text, once for all cells that say the same (codes of bulkhooks/docs/reference.md)."""

    code: Code
    value: str
    sentence: str
    warning: bool = False

    @classmethod
    def of(cls, code: Code, value: str, words: str, *, warning: bool = False) -> Finding:
        """A finding whose sentence is the value, and ``words`` about it."""
        return cls.about(code, value, f"{shown(value)} {words}", warning=warning)

    @classmethod
    def about(cls, code: Code, value: str, sentence: str, *, warning: bool = False) -> Finding:
        """A finding with a whole sentence, which says itself what the value is."""
        return cls(code, cut(value, _MOST_KEPT), sentence, warning)


def missing(field: str, sentence: str) -> Finding:
    """A needed cell is empty."""
    return Finding(ErrorCode.MISSING_VALUE, "", f"{field} is missing. {sentence}")


def limited(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding of a cell once, and no more than a person can read."""
    distinct = list(dict.fromkeys(findings))
    more = len(distinct) - _MOST_IN_A_CELL
    if more > 0:
        distinct.sort(key=lambda finding: finding.warning)  # so that what is left out never hides an error
        last = distinct[_MOST_IN_A_CELL]
        words = f"and {more:,} more in this cell are wrong"
        distinct[_MOST_IN_A_CELL:] = [Finding(last.code, last.value, words, last.warning)]
    return distinct


class Suggestions:
    """Names close to misspelt ones.

    Looking for them takes a thousand times longer than reading a cell, so only the first thousand distinct texts get
    any: a sheet with more of them has the wrong column, not spelling mistakes.
    """

    def __init__(self, find: Callable[[str], list[str]]) -> None:
        self._find = find
        self._found: dict[str, list[str]] = {}

    def __call__(self, text: str) -> list[str]:
        """The closest names, best first; none where nothing is close."""
        text = cut(text)
        if text not in self._found:
            if len(self._found) >= _MOST_SUGGESTIONS:
                return []
            self._found[text] = self._find(text)
        return self._found[text]

    @classmethod
    def among(cls, names: Iterable[str]) -> Suggestions:
        """The one closest of some names."""
        spelt = {folded(name): name for name in reversed(list(names))}
        return cls(lambda text: [spelt[key] for key in difflib.get_close_matches(folded(text), spelt, n=1, cutoff=0.6)])
