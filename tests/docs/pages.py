"""Reads Markdown pages: their headings, tables and fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "bulkhooks" / "docs"

CODE = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"^(#+) (.+)$")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. ``language`` is what stands behind the fence."""

    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for found in _FENCE.finditer(page.read_text("utf-8")):
        yield Block(found[1], found[2])


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def headings(page: Path) -> list[str]:
    """The headings of a page as they are written."""
    return [found[2] for line in prose(page).splitlines() if (found := _HEADING.match(line))]


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def section(page: Path, heading: str) -> str:
    """What stands under one heading, up to the next of any level."""
    lines, is_inside = [], False
    for line in prose(page).splitlines():
        if found := _HEADING.match(line):
            is_inside = found[2] == heading
        elif is_inside:
            lines.append(line)
    assert lines, f"{page.name} has no section {heading!r}"
    return "\n".join(lines)


def table(page: Path, heading: str) -> list[list[str]]:
    """The rows of the table under one heading, without its header."""
    rows = [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in section(page, heading).splitlines()
        if line.startswith("|")
    ]
    return rows[2:]


def first_words(page: Path, heading: str) -> list[str]:
    """The first word of the first code span of each row: names of options, columns, codes."""
    found = [CODE.search(row[0]) for row in table(page, heading)]
    return [one[1].split()[0] for one in found if one]
