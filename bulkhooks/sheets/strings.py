"""Helpers for text: how it is stripped and compared, and how sentences quote it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_MOST_SHOWN = 60
"""Characters of a value that a sentence repeats."""

AROUND = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028"
    "\u2029\u202f\u205f\u3000"  # spaces, the non-breaking ones among them
    "\xad\u180e\u200b\u200c\u200d\u2060\ufeff"  # without width
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # marks of direction
)
"""Characters that count for nothing around a value."""

CALCULATED = "=+-@\t\r\n＝＋－＠"
"""Characters with which a text begins that a spreadsheet takes for a formula (a ``.csv`` of results guards it)."""


def folded(header: str) -> str:
    """``header`` in the form in which headers and names are compared: without case, spaces and punctuation.

    A text of nothing but punctuation stays as it is.
    """
    text = unicodedata.normalize("NFKC", header)
    return re.sub(r"[\W_]+", "", text).casefold() or text.strip(AROUND)


def cut(value: str, most: int = _MOST_SHOWN) -> str:
    """``value`` on one line, of at most ``most`` characters and an ellipsis."""
    line = value[: most * 4]
    if not line.isprintable():
        line = _UNPRINTABLE.sub(" ", line)
    return line if len(line) <= most and len(value) <= most * 4 else f"{line[:most]}…"


_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def shown(value: str) -> str:
    """``value`` in quotes, as sentences show it."""
    return f'"{cut(value)}"'


def one_of(words: Sequence[str], most: int = 8, word: str = "or") -> str:
    """``a``, ``a or b``, ``a, b or c``; ``word`` stands before the last."""
    if len(words) > most:
        return f"{', '.join(words[:most])} … ({len(words):,} in all)"
    return f"{', '.join(words[:-1])} {word} {words[-1]}" if len(words) > 1 else "".join(words)


def yes_or_no(text: str) -> bool | None:
    """Whether a text says yes (yes, y, true, on, 1) or no, in any case; None where it says neither."""
    return _YES_OR_NO.get(text.strip().casefold())


_YES_OR_NO = dict.fromkeys(("true", "yes", "y", "1", "1.0", "on"), True) | dict.fromkeys(
    ("false", "no", "n", "0", "0.0", "off"), False
)
