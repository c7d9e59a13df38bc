"""Where the journal of a test is: a file, and a database that several machines could share."""

from __future__ import annotations

import pytest

from tests.provision.fake import Bench


@pytest.fixture(params=["file", "postgresql"])
def place(request, tmp_path):
    """A place with no journal yet; a test that is about one kind alone asks for that with ``kind``."""
    return tmp_path / "journal.db" if request.param == "file" else request.getfixturevalue("shared_journal")


in_a_file = pytest.mark.parametrize("place", ["file"], indirect=True)
"""Only for a journal in a file."""


@pytest.fixture(params=["file", pytest.param("postgresql", marks=pytest.mark.heavy)])
def on_both_kinds(request, monkeypatch):
    """Benches of the test work over a journal of this kind."""
    if request.param == "postgresql":
        monkeypatch.setattr(Bench, "shared", request.getfixturevalue("shared_journal"))
