"""What code, tests and jobs cite is in this repository: the page, and the heading behind it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, headings

_CITED = re.compile(r"\b(bulkhooks/docs/[\w/-]+\.md)(?:, ([A-Z][\w ]*))?")
_PAGE = re.compile(r"(?<![\w/.-])([A-Za-z][\w./-]*\.md)\b")


def _files() -> list[Path]:
    folders = ("bulkhooks", "jobs", "tests", ".ci", ".github")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    texts = {".py", ".toml", ".yaml", ".yml", ".service", ".timer", ".xml", ""}
    return [path for path in found if path.suffix in texts and "__pycache__" not in path.parts]


def _joined(text: str) -> str:
    """A text whose lines are one, so that a citation may go over two."""
    return re.sub(r"\s*\n\s*(?:#\s*)?", " ", text)


FILES = [path for path in _files() if DOCS not in path.parents and path != Path(__file__)]


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_headings_of_a_page_are_distinct_so_that_they_can_be_cited(page):
    found = headings(page)
    assert len(found) == len(set(found))


def test_every_page_that_is_cited_is_in_the_repository():
    missing = []
    for path in FILES:
        for name in _PAGE.findall(path.read_text("utf-8")):
            places = (ROOT / name, path.parent / name, DOCS / name, *(folder / name for folder in path.parents))
            if not any(place.exists() for place in places):
                missing.append(f"{path.relative_to(ROOT)}: {name}")
    assert missing == []


def test_every_heading_that_is_cited_is_on_its_page():
    missing = []
    for path in FILES:
        for page, heading in _CITED.findall(_joined(path.read_text("utf-8"))):
            if heading and not any(heading.startswith(one) for one in headings(ROOT / page)):
                missing.append(f"{path.relative_to(ROOT)}: {page}, {heading}")
    assert missing == []
