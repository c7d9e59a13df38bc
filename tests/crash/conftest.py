"""These tests end processes by signals, which Windows does not have."""

from __future__ import annotations

import sys

import pytest

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []


@pytest.fixture(params=["file", pytest.param("postgresql", marks=pytest.mark.heavy)])
def journal(request):
    """A journal that is not there yet: the name of a file, or the address of a database."""
    return "journal.db" if request.param == "file" else request.getfixturevalue("shared_journal")
