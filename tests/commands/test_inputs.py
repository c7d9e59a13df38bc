"""``--locations live`` where the credentials may not list the locations."""

from __future__ import annotations

import json

import pytest

from tests.processes import UNLIMITED, bulkhooks, sandbox_process, stored


@pytest.fixture
def server(tmp_path):
    with sandbox_process(tmp_path, "--role", "create-only", "--locations", "1001-1003") as base_url:
        yield base_url


def run(server, folder, *business_ids):
    rows = [f"{business_id},BookingCreate,https://h.example.com/in" for business_id in business_ids]
    (folder / "hooks.csv").write_text("\n".join(["BusinessId,Action,URL", *rows]), encoding="utf-8")
    return bulkhooks(
        "run", "hooks.csv", "--locations", "live", "--json", "--journal", "journal.db", "--base-url", server,
        *UNLIMITED, cwd=folder, NEXUDUS_TOKEN="sandbox-token",
    )  # fmt: skip


def test_a_sheet_of_ids_needs_no_locations(server, tmp_path):
    """They are sent as they are, and a warning says that the names are missing."""
    ended = run(server, tmp_path, "1001", "1002-1003")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["counts"] == {"created": 3}
    assert "--locations live: the locations may not be listed" in ended.stderr
    assert {webhook["Name"] for webhook in stored(server)} == {
        f"{number} - BookingCreate" for number in range(1001, 1004)
    }


@pytest.mark.parametrize("name", ["Soho", "*", "@london"])
def test_a_sheet_with_names_cannot_do_without(server, tmp_path, name):
    """Nobody knows what the name means: exit 3, and nothing is sent."""
    ended = run(server, tmp_path, "1001", name)
    assert ended.returncode == 3
    assert "has locations by name" in ended.stderr
    assert stored(server) == []
