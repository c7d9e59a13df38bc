"""The picture of the house: every path of a page is there, and every module stands in its room."""

from __future__ import annotations

import importlib
import re
from itertools import chain
from operator import attrgetter

import pytest

from tests.docs.pages import CODE, DOCS, ROOT, blocks, prose, section, table

PAGE = DOCS / "architecture.md"
PACKAGE = ROOT / "bulkhooks"

PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "jobs" / "README.md", *ROOT.glob(".github/*.md")])
_PATH = re.compile(r"(?:bulkhooks|tests|jobs|samples|\.ci|\.github)/[\w./-]*|pyproject\.toml")


def _rooms() -> dict[str, set[str]]:
    """The modules of each folder of the package, without ``__init__`` and ``__main__``."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        if not path.stem.startswith("__"):
            found.setdefault(f"{path.parent.relative_to(ROOT).as_posix()}/", set()).add(path.stem)
    return found


def test_every_module_stands_in_its_room_and_no_other():
    written = {CODE.findall(row[0])[0]: CODE.findall(row[2]) for row in table(PAGE, "Rooms")}
    assert all(modules == sorted(set(modules)) for modules in written.values())
    assert {room: set(modules) for room, modules in written.items()} == _rooms()


def test_no_module_is_longer_than_a_reader_keeps_in_mind():
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {path.name: length for path, length in lengths.items() if length > 300} == {}


def test_every_folder_of_the_package_is_on_a_floor():
    floors = section(PAGE, "Floors")
    assert all(f"`{room}`" in floors for room in _rooms() if room.count("/") == 2)


def test_every_error_of_a_request_has_a_row_in_the_failure_table():
    from bulkhooks.errors import ApiError

    named = {CODE.findall(row[0])[0] for row in table(PAGE, "Never twice, never lost")[:7]}
    assert {kind.__name__ for kind in ApiError.__subclasses__()} <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_that_a_page_names_is_there(page):
    spans = chain.from_iterable(span.split() for span in CODE.findall(prose(page)))
    named = [span for span in spans if _PATH.fullmatch(span)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_line_of_the_way_of_a_post_is_a_function_that_is_there():
    frames = [
        found.groups()
        for block in blocks(PAGE)
        for found in re.finditer(r"^(bulkhooks/\S+)\.py +(\w+\.\w+) ", block.text, re.MULTILINE)
    ]
    assert len(frames) > 5
    for path, name in frames:
        assert callable(attrgetter(name)(importlib.import_module(path.replace("/", "."))))
