"""The words of the admin panel from the sheet to the results, as a person meets them on the command line."""

from __future__ import annotations

import json

from tests.processes import UNLIMITED, bulkhooks


def write(folder, *rows):
    (folder / "hooks.csv").write_text("\n".join(["BusinessId,Action,URL", *rows]), encoding="utf-8")


def test_actions_are_listed_with_both_words(tmp_path):
    """Number, the API's name and the panel's words, for a person and as JSON."""
    lines = bulkhooks("actions", cwd=tmp_path).stdout.splitlines()
    assert len(lines) == 90
    assert lines[0].split() == ["1", "None"]
    assert lines[73].split() == ["74", "TariffCreate", "Plan", "created"]
    events = json.loads(bulkhooks("actions", "--json", cwd=tmp_path).stdout)
    assert events[20] == {"number": 21, "name": "CoworkerInvoicePaid", "panel": "Invoice fully paid"}


def test_results_have_the_name_of_the_api(tmp_path):
    """Whatever words the sheet has."""
    write(tmp_path, "1001,Plan CREATED,https://h.example.com/in", "1001,Tariff created,https://h.example.com/in")
    ended = bulkhooks("run", "hooks.csv", "--sandbox", "-o", "out.jsonl", *UNLIMITED, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [(row["Action"], row["ActionId"], row["Status"]) for row in rows] == [
        ("TariffCreate", 74, "created"),
        ("TariffCreate", 74, "duplicate"),
    ]


def test_plan_lists_what_a_pattern_means(tmp_path):
    """Each pattern once, with its events, on the terminal and as JSON."""
    write(tmp_path, '1001,"Plan*, 6",https://h.example.com/a', "1002,Plan*,https://h.example.com/a")
    plan = ("plan", "hooks.csv", "--sandbox")
    text = bulkhooks(*plan, cwd=tmp_path).stdout
    assert "Plan* means 3 events: TariffCreate, TariffDelete, TariffUpdate" in text
    assert "Plan created (TariffCreate)" in text
    found = json.loads(bulkhooks(*plan, "--json", cwd=tmp_path).stdout)
    assert found["plan"]["patterns"] == {"Plan*": ["TariffCreate", "TariffDelete", "TariffUpdate"]}
