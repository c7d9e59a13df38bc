"""What the server has as a sheet that a plan leaves unchanged and that restores what was deleted."""

from __future__ import annotations

import json

import httpx
import pytest

from bulkhooks import Job, plan, run
from bulkhooks.commands.export import EXPORT_COLUMNS, export
from bulkhooks.errors import CredentialsError, UsageError
from bulkhooks.sandbox.server import Sandbox, SandboxOptions
from bulkhooks.sheets.reading.reader import read
from tests.processes import bulkhooks, stored

HEADERS = {"Authorization": f"Bearer {Sandbox.token}"}
FIELDS = ("BusinessId", "Action", "URL", "Name", "Description", "Active")
LOCATIONS = frozenset(range(1001, 1041))
AWKWARD = [
    {"Name": "plain"},
    {"Name": "{Location} {{x}} }", "Description": "a {Business Id} template?", "URL": "https://a.example/{id}?q={{y}}"},
    {"Name": "=1+1", "Description": '-dash, "quoted", and\na second line'},
    {"Name": "'=x", "Description": "@home\ttab", "Active": False},
    {"Name": "Zürich ☕ 東京", "Description": "+44 20", "URL": "HTTPS://Hooks.Example.com/In?a=%20b&c=1,2"},
    {"Name": "007", "Description": "1001.0"},
    {"Name": "true", "Description": "2026-11-26"},
]


@pytest.fixture
def server():
    with Sandbox(SandboxOptions(locations=LOCATIONS)) as sandbox:
        for number, fields in enumerate(AWKWARD):
            make(sandbox.base_url, BusinessId=1001 + number, **fields)
        yield sandbox.base_url


def make(base_url, **fields):
    record = {"Action": 6, "URL": "https://a.example/x", "Name": "n", "Description": None, "Active": True, **fields}
    answer = httpx.post(f"{base_url}/api/sys/webhooks", json=record, headers=HEADERS)
    return answer.json()["Value"]["Id"]


def there(base_url):
    return sorted(json.dumps({name: record[name] for name in FIELDS}, sort_keys=True) for record in stored(base_url))


def job(base_url, folder, **options):
    return Job(
        base_url=base_url,
        environment={"NEXUDUS_TOKEN": Sandbox.token},
        journal=folder / "journal.db",
        rate="none",
        request_rate="none",
        **{"no_progress": True, **options},
    )


@pytest.mark.parametrize("name", ["out.xlsx", "out.csv", "out.jsonl"])
def test_what_is_exported_is_unchanged_by_a_plan_and_restores_what_was_deleted(server, tmp_path, name):
    """Braces, formulas, line breaks, numbers that are text: every field of every record is as it was."""
    before = there(server)
    out = tmp_path / name
    report = export(job(server, tmp_path), str(out))
    assert (report.exit_code, report.summary.total, report.summary.outputs) == (0, len(AWKWARD), [str(out)])
    assert set(read([str(out)]).sources[0].headers.values()) == set(EXPORT_COLUMNS)
    found = plan(job(server, tmp_path, input=out, if_exists="update", expect_no_changes=True))
    assert (found.exit_code, found.counts) == (0, {"exists": len(AWKWARD)})
    for record in stored(server):
        httpx.delete(f"{server}/api/sys/webhooks/{record['Id']}", headers=HEADERS).raise_for_status()
    assert there(server) == []
    again = run(job(server, tmp_path, input=out, output=tmp_path / "results.csv"))
    assert again.counts == {"created": len(AWKWARD)}
    assert there(server) == before


def test_twins_are_one_row_and_a_warning(server, tmp_path):
    """The lowest id counts, as it does in a run."""
    make(server, BusinessId=1001, Name="twin")
    report = export(job(server, tmp_path), str(tmp_path / "out.csv"))
    assert report.summary.total == len(AWKWARD)
    assert [(warning.code, warning.count) for warning in report.summary.warnings] == [("twin", 1)]
    rows = read([str(tmp_path / "out.csv")]).rows
    assert rows["Name"].tolist()[0] == "plain"


def test_an_earlier_export_is_replaced_and_nothing_else(server, tmp_path):
    """Somebody's own sheet has other columns."""
    for name in ("out.xlsx", "out.csv", "out.jsonl"):
        for _ in range(2):
            assert export(job(server, tmp_path), str(tmp_path / name)).exit_code == 0
    own = tmp_path / "own.csv"
    own.write_text("BusinessId,Action,URL,Owner\n1001,6,https://a.example/x,Ann\n")
    before = own.read_text()
    with pytest.raises(UsageError, match="no earlier export"):
        export(job(server, tmp_path), str(own))
    assert own.read_text() == before
    with pytest.raises(UsageError, match="the suffix says the format"):
        export(job(server, tmp_path), str(tmp_path / "out.txt"))


def test_json_lines_have_numbers_and_doubled_braces(server, tmp_path):
    export(job(server, tmp_path), str(tmp_path / "out.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [line["BusinessId"] for line in lines] == [1001 + number for number in range(len(AWKWARD))]
    assert lines[1]["Name"] == "{{Location}} {{{{x}}}} }}"
    assert lines[2]["Name"] == "=1+1"


def test_every_account_of_the_file_is_exported_and_one_that_is_named_alone(server, tmp_path):
    """Each row has its account; --account chooses one."""
    accounts = tmp_path / "accounts.toml"
    accounts.write_text("".join(f'[accounts.{name}]\ntoken_env = "NEXUDUS_TOKEN"\n' for name in ("acme",)))
    export(job(server, tmp_path, accounts=accounts), str(tmp_path / "out.csv"))
    assert set(read([str(tmp_path / "out.csv")]).rows["Account"]) == {"acme"}
    export(job(server, tmp_path, account="acme", accounts=accounts), str(tmp_path / "one.csv"))
    assert set(read([str(tmp_path / "one.csv")]).rows["Account"]) == {"acme"}


def test_without_permission_to_list_nothing_is_written(tmp_path):
    options = SandboxOptions(locations=LOCATIONS, role="create-only")
    with Sandbox(options) as sandbox, pytest.raises(CredentialsError, match="may not be listed"):
        export(job(sandbox.base_url, tmp_path), str(tmp_path / "out.csv"))
    assert not (tmp_path / "out.csv").exists()


def test_the_command_says_what_and_where(server, tmp_path):
    """From outside, with its summary as JSON."""
    options = ("--base-url", server, "--journal", "journal.db", "--request-rate", "none", "--json")
    ended = bulkhooks("export", "out.xlsx", *options, cwd=tmp_path, NEXUDUS_TOKEN=Sandbox.token)
    assert ended.returncode == 0, ended.stderr
    summary = json.loads(ended.stdout)
    assert (summary["counts"], summary["outputs"]) == ({"exists": len(AWKWARD)}, ["out.xlsx"])
    assert summary["target"] == server
