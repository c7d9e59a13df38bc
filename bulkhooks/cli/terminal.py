"""What a terminal may be given: printable text, no wider than it is."""

from __future__ import annotations

import shutil
import sys
import unicodedata


def printable(text: str) -> str:
    r"""``text`` with everything but lines and spaces that is not printable written as ``\x1b`` or ``\u202e``.

    Cells and file names may hold escape sequences and marks that reverse the direction of writing.
    """
    if text.isprintable():
        return text
    return "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")


def printable_json(text: str) -> str:
    r"""JSON with what is not printable as ``\uXXXX``, which is the same JSON."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in "\n "
        else "".join(f"\\u{unit:04x}" for unit in _utf16(character))
        for character in text
    )


def _utf16(character: str) -> list[int]:
    units = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(units[start : start + 2], "big") for start in range(0, len(units), 2)]


def columns() -> int | None:
    """How wide the terminal behind stdout is; None where stdout is none, and nothing has to be cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def cut(line: str, width: int | None) -> str:
    """A line no longer than ``width``, with an ellipsis at its end where it was."""
    return line if width is None or len(line) <= width else line[: width - 1] + "…"
