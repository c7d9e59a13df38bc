"""The whole way, from outside: the installed command as a process against the sandbox as a process."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import shutil
import time
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from bulkhooks.webhook import RESULT_COLUMNS
from tests.processes import UNLIMITED, bulkhooks, sandbox_process, stored
from tests.receiver import receiving

SAMPLES = Path(__file__).parent.parent / "samples"
TOKEN = {"NEXUDUS_TOKEN": "sandbox-token"}


@pytest.fixture
def server(tmp_path):
    with sandbox_process(tmp_path, "--locations", "1001-1040") as base_url:
        yield base_url


def sent(server, *arguments, cwd, **environment):
    """A command that talks to the sandbox without limits, with a journal in the test's own folder."""
    command, *rest = arguments
    return bulkhooks(
        command, *rest, "--base-url", server, "--journal", cwd / "journal.db", *UNLIMITED, "--settle", "0.1",
        "--no-progress", cwd=cwd, **{**TOKEN, **environment},
    )  # fmt: skip


def sheet(path, name="Results"):
    """A sheet of a workbook as a list of dictionaries."""
    header, *rows = CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python()
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_a_rollout_is_created_and_the_workbook_has_every_id(server, tmp_path):
    """The sample makes 50 webhooks; the workbook names each with the id that the server has."""
    shutil.copy(SAMPLES / "onboarding.xlsx", tmp_path)
    ended = sent(server, "run", "onboarding.xlsx", "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    summary = json.loads(ended.stdout)
    assert summary["counts"] == {"created": 50}
    assert summary["writes"] == 50
    rows = sheet(tmp_path / "onboarding.results.xlsx")
    there = {webhook["Id"]: webhook for webhook in stored(server)}
    assert {int(row["WebhookId"]) for row in rows} == set(there)
    for row in rows:
        webhook = there[int(row["WebhookId"])]
        assert (row["BusinessId"], row["ActionId"], row["URL"], row["Name"]) == (
            webhook["BusinessId"], webhook["Action"], webhook["URL"], webhook["Name"],
        )  # fmt: skip
    assert list(rows[0])[: len(RESULT_COLUMNS)] == list(RESULT_COLUMNS)
    assert [row["Owner"] for row in rows[:1]] == ["Facilities"]
    book = load_workbook(tmp_path / "onboarding.results.xlsx")
    assert set(book.sheetnames) >= {"Summary", "Results", "Problems"}
    assert book["Summary"]._charts


def test_the_same_command_again_writes_nothing(server, tmp_path):
    """A second run finds everything there, with few reads and no write."""
    shutil.copy(SAMPLES / "onboarding.xlsx", tmp_path)
    sent(server, "run", "onboarding.xlsx", cwd=tmp_path)
    again = json.loads(sent(server, "run", "onboarding.xlsx", "--json", cwd=tmp_path).stdout)
    assert again["counts"] == {"exists": 50}
    assert again["writes"] == 0
    assert again["requests"] <= 2
    assert len(stored(server)) == 50


def test_every_row_of_a_messy_sheet_is_accounted_for(server, tmp_path):
    """What is right is sent, what is wrong is told by cell, and nothing is left out."""
    shutil.copy(SAMPLES / "messy.xlsx", tmp_path)
    ended = sent(server, "run", "messy.xlsx", "-o", "out.csv", "-o", "out.jsonl", cwd=tmp_path)
    assert ended.returncode == 1
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["Row"] for row in rows} == {f"Hooks!{number}" for number in range(3, 23)}
    statuses = {row["Status"] for row in rows}
    assert statuses == {"created", "invalid", "duplicate"}
    for row in rows:
        assert bool(row["WebhookId"]) == (row["Status"] == "created")
        assert bool(row["ErrorCode"]) == (row["Status"] == "invalid")
    (several,) = [row for row in rows if row["Row"] == "Hooks!20"]
    assert several["ErrorCode"].split("; ")[:2] == ["unknown-location", "unknown-action"]
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [line["Row"] for line in lines] == [row["Row"] for row in rows]
    assert all(isinstance(line["WebhookId"], int) for line in lines if line["Status"] == "created")


def test_corrected_rows_of_a_results_file_are_sent_and_the_others_are_not(server, tmp_path):
    """The round trip: correct the red rows in the results workbook and run that very file until all is green."""
    (tmp_path / "hooks.csv").write_text(
        "BusinessId,Action,URL,Owner\n1001,BookingCreate,https://a.example/x,Ann\n1002,Bookng,a.example/x,Ben\n"
    )
    assert sent(server, "run", "hooks.csv", cwd=tmp_path).returncode == 1
    book = load_workbook(tmp_path / "hooks.results.xlsx")
    results = book["Results"]
    columns = {cell.value: cell.column for cell in results[1]}
    results.cell(3, columns["Action"]).value = "BookingUpdate"
    results.cell(3, columns["URL"]).value = "https://a.example/x"
    book.save(tmp_path / "hooks.results.xlsx")
    ended = sent(server, "run", "hooks.results.xlsx", "-o", "again.xlsx", cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = sheet(tmp_path / "again.xlsx")
    assert [row["Status"] for row in rows] == ["exists", "created"]
    assert [row["Owner"] for row in rows] == ["Ann", "Ben"]
    assert list(rows[0]) == [*RESULT_COLUMNS, "Owner"]
    assert len(stored(server)) == 2


def test_a_corrected_name_is_understood_without_the_first_workbook(server, tmp_path):
    """The results carry the table of locations where rows are to be corrected."""
    shutil.copy(SAMPLES / "messy.xlsx", tmp_path)
    sent(server, "run", "messy.xlsx", cwd=tmp_path)
    book = load_workbook(tmp_path / "messy.results.xlsx")
    results = book["Results"]
    (misspelt,) = [row for row in results.iter_rows(min_row=2) if row[1].value == "Harbour Shorditch"]
    misspelt[1].value = "Harbour Soho"
    book.save(tmp_path / "messy.results.xlsx")
    sent(server, "run", "messy.results.xlsx", "-o", "again.xlsx", cwd=tmp_path)
    row = sheet(tmp_path / "again.xlsx")[misspelt[0].row - 2]
    assert (row["Status"], row["BusinessId"], row["Location"]) == ("created", 1003, "Harbour Soho")


def test_a_plan_says_what_a_run_would_do_and_does_nothing(server, tmp_path):
    """Counts, requests and time; and a drift check that fails while something would change."""
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001-1004,BookingCreate,https://a.example/x\n")
    ended = sent(server, "plan", "hooks.csv", "--json", "--expect-no-changes", "-o", "plan.xlsx", cwd=tmp_path)
    assert ended.returncode == 1
    found = json.loads(ended.stdout)
    assert found["counts"] == {"planned": 4}
    assert found["plan"]["writes"] == 4
    assert [row["Status"] for row in sheet(tmp_path / "plan.xlsx")] == ["planned"] * 4
    assert stored(server) == []
    sent(server, "run", "hooks.csv", cwd=tmp_path)
    assert sent(server, "plan", "hooks.csv", "--expect-no-changes", cwd=tmp_path).returncode == 0


def test_results_are_written_again_from_the_journal(server, tmp_path):
    """``results --run last`` gives what the run gave."""
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL,Owner\n1001,*,https://a.example/x,Ann\n")
    sent(server, "run", "hooks.csv", "-o", "first.csv", cwd=tmp_path)
    ended = bulkhooks("results", "--run", "last", "-o", "again.csv", "--journal", "journal.db", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "first.csv").read_bytes()
    runs = json.loads(bulkhooks("runs", "--json", "--journal", "journal.db", cwd=tmp_path).stdout)
    assert [run["counts"] for run in runs] == [{"created": 89}]


def test_an_event_is_delivered_and_what_failures_switch_off_is_found_and_fixed(tmp_path):
    """From a sheet to a signed delivery; the receiver breaks, health finds what was disabled and switches it on."""
    options = ("--locations", "1001-1003", "--secret", "s3cret", "--retry-delays", "0.01")
    with sandbox_process(tmp_path, *options) as server, receiving() as receiver:
        (tmp_path / "hooks.csv").write_text(
            f"BusinessId,Action,URL,Description\n1001,BookingCreate,{receiver.url},kept\n1002,BookingCreate,{receiver.url},\n"
        )
        assert sent(server, "run", "hooks.csv", cwd=tmp_path).returncode == 0
        event = {"BusinessId": 1001, "Action": "BookingCreate", "Record": {"Id": 7, "Space": "Room 1"}}
        httpx.post(f"{server}/sandbox/events", json=event)
        headers, content = receiver.got.get(timeout=120)
        assert json.loads(content) == [event["Record"]]
        signature = hmac.new(b"s3cret", content, hashlib.sha256).hexdigest().upper()
        assert headers["X-Nexudus-Hook-Signature"] == signature
        assert sent(server, "health", cwd=tmp_path).returncode == 0

        receiver.statuses = [500]
        httpx.post(f"{server}/sandbox/events", json=event)
        for _ in range(10):
            receiver.got.get(timeout=120)
        wait_until(lambda: not stored(server)[0]["Active"])
        ended = sent(server, "health", "-o", "health.xlsx", "--json", cwd=tmp_path)
        assert ended.returncode == 1
        assert json.loads(ended.stdout)["counts"] == {"disabled": 1, "never fired": 1}
        rows = sheet(tmp_path / "health.xlsx", "Health")
        assert [row["Health"] for row in rows] == ["disabled", "never fired"]
        assert rows[0]["ErrorCount"] == 10

        receiver.statuses = [200]
        assert sent(server, "health", "--reactivate", cwd=tmp_path).returncode == 0
        fixed = stored(server)[0]
        assert (fixed["Active"], fixed["ErrorCount"], fixed["Description"]) == (True, 0, "kept")
        httpx.post(f"{server}/sandbox/events", json=event)
        receiver.got.get(timeout=120)


def wait_until(condition):
    """Until it is so; two minutes are more than any machine needs."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run",), 2, "at least one input"),
        (("run", "nowhere.xlsx"), 2, "nowhere.xlsx"),
        (("run", "hooks.csv", "--rate", "fast"), 2, "N/PERIOD"),
        (("run", "hooks.csv", "--retries", "many"), 2, "--retries"),
        (("run", "hooks.csv", "--if-exists", "upsert"), 2, "update"),
        (("run", "hooks.csv", "--base-url", "http://nexudus.example"), 2, "--allow-http"),
        (("run", "hooks.csv"), 3, "NEXUDUS_TOKEN"),
        (("run", "-"), 2, "-o"),
        (("undo",), 2, "--run"),
        (("results", "--run", "last", "-o", "x.csv"), 2, "journal"),
    ],
)
def test_a_mistake_is_one_sentence_and_its_exit_code(arguments, code, words, tmp_path):
    """No traceback; the sentence names what was wrong or what to do."""
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001,BookingCreate,https://a.example/x\n")
    ended = bulkhooks(*arguments, cwd=tmp_path)
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "hooks.results.xlsx").exists()


def test_the_sample_is_done_against_the_embedded_sandbox(tmp_path):
    """The README's first command, at the default limits, without credentials."""
    shutil.copy(SAMPLES / "onboarding.csv", tmp_path)
    ended = bulkhooks("run", "onboarding.csv", "--sandbox", "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["counts"] == {"created": 24}
    assert found["throttled"] == 0


def test_errors_are_json_too(tmp_path):
    """With --json an error is a summary on stdout, and nothing else is there."""
    ended = bulkhooks("run", "nowhere.xlsx", "--json", cwd=tmp_path)
    found = json.loads(ended.stdout)
    assert (found["status"], found["exit_code"], ended.returncode) == ("input-error", 2, 2)
    assert "nowhere.xlsx" in found["errors"][0]["example"]
