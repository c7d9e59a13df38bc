"""Journals of both kinds, and the engine where it is installed."""

from __future__ import annotations

import pytest

for _name in ("distributed", "cryptography", "psutil"):
    pytest.importorskip(_name, reason=f"{_name} is not installed: pip install bulkhooks[test]")


@pytest.fixture(params=["file", "shared"])
def journal(request):
    """What ``--journal`` is given."""
    return "journal.db" if request.param == "file" else request.getfixturevalue("shared_journal")
