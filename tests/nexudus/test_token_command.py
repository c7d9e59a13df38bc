"""A command that prints the token, as a whole run has it."""

from __future__ import annotations

import json
import sys

import httpx

from tests.processes import UNLIMITED, bulkhooks, sandbox_process


def test_asking_a_command_is_no_request(tmp_path):
    """The summary counts what the API got, and the command that gave the token is none of it."""
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001-1003,6,https://h.example.com/in", encoding="utf-8")
    with sandbox_process(tmp_path, "--locations", "1001-1003") as server:
        ended = bulkhooks(
            "run", "hooks.csv", "--json", "--journal", "journal.db", "--base-url", server, *UNLIMITED,
            cwd=tmp_path, NEXUDUS_TOKEN_COMMAND=f'"{sys.executable}" -c "print(\'sandbox-token\')"',
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        requests = httpx.get(f"{server}/sandbox/stats").json()["requests"]
    assert json.loads(ended.stdout)["requests"] == sum(requests.values()) == 4
