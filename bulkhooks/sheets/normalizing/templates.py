"""Templates in URL, Name, Description and Replaces: what they ask for, and how they are filled in for many webhooks.

``{Column}`` is the value of a column of the row, ``{{`` and ``}}`` are braces.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

import numpy as np

from bulkhooks.errors import ErrorCode
from bulkhooks.sheets.normalizing.categorical import BoolArray, Categorical, IntArray, StrArray, combine, texts
from bulkhooks.sheets.normalizing.findings import Finding, Suggestions
from bulkhooks.sheets.reading.headers import ALIASES
from bulkhooks.sheets.strings import folded, one_of, shown

_TOKEN = re.compile(r"(\{\{|\}\})|\{([^{}]*)\}|([{}])|[^{}]+")


class Template(NamedTuple):
    """A text with blanks: ``pattern`` has a ``%s`` for each of ``keys``. Without keys it is the text itself."""

    pattern: str
    keys: tuple[str, ...] = ()


class TemplateReader:
    """Parses the templates of a field. ``known`` are the columns that may stand in braces, the most important first.

    They are found by their names, then without case, spaces and punctuation, then by the other headers of the field,
    among them ``theirs``, those of the input.
    """

    def __init__(self, field: str, known: Sequence[str], theirs: Mapping[str, str] | None = None) -> None:
        self._field = field
        self._known = known
        self._exact = frozenset(known)
        also = {folded(alias): kind for kind, aliases in ALIASES.items() if kind in known for alias in aliases}
        also |= {folded(header): kind for header, kind in (theirs or {}).items() if kind in known}
        self._folded = also | {folded(name): name for name in reversed(known)}
        self._close = Suggestions.among(known)

    def read(self, text: str) -> tuple[Template, list[Finding]]:
        """The template, and what is wrong with it; an empty one where anything is."""
        if "{" not in text and "}" not in text:
            return Template(text), []
        pattern: list[str] = []
        keys: list[str] = []
        findings: list[Finding] = []
        for token in _TOKEN.finditer(text):
            brace, name, loose = token.groups()
            if name is not None:
                key = self._key(name)
                if key is None:
                    findings.append(self._unknown(name))
                else:
                    keys.append(key)
                    pattern.append("%s")
            else:
                if loose:
                    findings.append(self._unbalanced(text, token.start()))
                pattern.append((brace[0] if brace else token[0]).replace("%", "%%"))
        if findings:
            return Template(""), findings
        joined = "".join(pattern)
        return Template(joined, tuple(keys)) if keys else Template(joined.replace("%%", "%")), findings

    def _key(self, name: str) -> str | None:
        if name in self._exact:
            return name
        if (carried := f"{name} (input)") in self._exact:
            return carried
        return self._folded.get(folded(name)) if name.strip() else None

    def _unknown(self, name: str) -> Finding:
        close = self._close(name) if name.strip() else []
        named = [f"{{{known}}}" for known in (close or self._known)]
        return Finding.of(
            ErrorCode.BAD_TEMPLATE,
            f"{{{name}}}",
            f"names no column that can stand in {self._field}. Write {one_of(named)}, and {{{{ and }}}} for braces"
            " themselves",
        )

    def _unbalanced(self, text: str, position: int) -> Finding:
        place = shown(text[max(0, position - 10) : position + 10])
        return Finding(
            ErrorCode.BAD_TEMPLATE,
            text[position],
            f"a brace stands alone in {self._field} near {place}. Close it, or write {{{{ or }}}} for a brace itself",
        )


def escape(text: str) -> str:
    """``text`` as a template that says just that."""
    return text.replace("{", "{{").replace("}", "}}")


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """A column of templates: row ``i`` has ``patterns[codes[i]]``, and for its blanks ``keys[kinds[codes[i]]]``."""

    codes: IntArray
    patterns: StrArray
    kinds: IntArray
    keys: Sequence[tuple[str, ...]]

    @classmethod
    def of(cls, codes: IntArray, templates: Iterable[Template]) -> TemplateColumn:
        """From the template of each distinct text."""
        numbers: dict[tuple[str, ...], int] = {}
        patterns: list[str] = []
        kinds = array("q")
        for pattern, keys in templates:
            patterns.append(pattern)
            kinds.append(numbers.setdefault(keys, len(numbers)))
        return cls(codes, texts(patterns), np.array(kinds, dtype=np.int64), list(numbers))

    def placeholders(self) -> set[str]:
        """Every column that any of the templates asks for."""
        return {key for keys in self.keys for key in keys}

    def rows_with(self, key: str) -> IntArray:
        """The rows whose template asks for a column."""
        asking = np.array([key in keys for keys in self.keys], dtype=bool)
        return np.flatnonzero(asking[self.kinds][self.codes])

    def fill_in(
        self, rows: IntArray, value: Callable[[str], Categorical], *, in_url: bool = False
    ) -> tuple[StrArray, dict[str, BoolArray]]:
        """The texts of some rows, one for each of ``rows``, where ``value(key)`` has as many.

        In a URL every value is percent-encoded. Beside the texts, for each key that had an empty value, where. Each
        distinct combination of template and values is put together once, and equal ones are one object.
        """
        codes = self.codes[rows]
        filled: StrArray = self.patterns[codes]
        empty: dict[str, BoolArray] = {}
        for kind, keys in enumerate(self.keys):
            if not keys:
                continue
            lines = np.flatnonzero((self.kinds == kind)[codes])
            columns = [value(key).take(lines) for key in keys]
            for key, column in zip(keys, columns, strict=True):
                blank = column.where(column.distinct == "")
                if len(blank):
                    empty.setdefault(key, np.zeros(len(rows), dtype=bool))[lines[blank]] = True
            if in_url:
                columns = [column.map(_encoded) for column in columns]
            combination, first = combine(codes[lines], *(column.codes for column in columns))
            chosen = zip(*(column.distinct[column.codes[first]] for column in columns), strict=True)
            joined = texts(map(str.__mod__, self.patterns[codes[lines[first]]], chosen))
            filled[lines] = joined[combination]
        return filled, empty


def _encoded(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    return quote(text, safe="", errors="surrogatepass")
