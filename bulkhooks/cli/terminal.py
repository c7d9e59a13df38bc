"""What a terminal may be given: printable text, no wider than it is."""

from __future__ import annotations

import shutil
import sys
import unicodedata

from bulkhooks.redact import without_secrets


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


def say(text: str) -> None:
    """An answer on stdout."""
    print(text)  # noqa: T201


def remark(text: str) -> None:
    """A line on stderr, whatever stands in ``text``: printable, and without the secrets of its URLs."""
    print(printable(one_line(without_secrets(text))), file=sys.stderr, flush=True)  # noqa: T201


def one_line(text: str) -> str:
    """``text`` with its lines behind one another."""
    return " ".join(text.splitlines())


def columns() -> int | None:
    """How wide the terminal behind stdout is; None where stdout is none, and nothing has to be cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def cut(line: str, width: int | None) -> str:
    """A line no longer than ``width``, with an ellipsis at its end where it was."""
    return line if width is None or len(line) <= width else line[: width - 1] + "…"
