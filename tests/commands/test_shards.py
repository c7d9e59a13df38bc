"""A run in shards: each process takes its part of the accounts, and the results are those of all."""

from __future__ import annotations

import csv
import json
import subprocess
import time
from contextlib import contextmanager

import pytest

from bulkhooks.provision.shard import Shard, read_shard
from tests.processes import UNLIMITED, bulkhooks, sandbox_process, start, stored

NAMES = ("zeta", "acme", "mike", "birch", "oak")
TOKENS = {name.upper(): "sandbox-token" for name in NAMES}
HEAD = "BusinessId,Action,URL,Account\n"
ROWS = [
    f"{location},BookingCreate,https://h.example.com/{name},{name}\n"
    for location in (1001, 1002, 1003)
    for name in NAMES
]


on_both = pytest.mark.parametrize(
    "journal", ["file", pytest.param("postgresql", marks=pytest.mark.heavy)], indirect=True
)


@pytest.fixture
def journal(request):
    kind = getattr(request, "param", "file")
    return "journal.db" if kind == "file" else request.getfixturevalue("shared_journal")


@pytest.fixture
def address(tmp_path):
    with sandbox_process(tmp_path) as address:
        yield address


@pytest.fixture
def run(tmp_path, journal, address):
    """A command on the journal: exit code, its summary, what it said besides."""
    (tmp_path / "hooks.csv").write_text(HEAD + "".join(ROWS))
    accounts = "".join(f'[accounts.{name}]\ntoken_env = "{name.upper()}"\nbase_url = "{address}"\n' for name in NAMES)
    (tmp_path / "accounts.toml").write_text(accounts)

    def run(*words, **environment):
        sends = ["--accounts", "accounts.toml", "--yes", "--no-progress", *UNLIMITED]
        done = bulkhooks(
            *words, "--journal", journal, "--json", *(sends if words[0] in {"run", "undo"} else []),
            cwd=tmp_path, **TOKENS, **environment,
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout), done.stderr

    return run


@contextmanager
def held_up(tmp_path, journal, address):
    """A process that has sent the first write of each account of shard 0/2, and waits for the next hour."""
    child = start(
        "run", "hooks.csv", "--run-id", "night", "--shard", "0/2", "--journal", journal, "--accounts", "accounts.toml",
        "--yes", "--no-progress", "--rate", "1/h", "--request-rate", "none", "--wait", cwd=tmp_path,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **TOKENS,
    )  # fmt: skip
    try:
        while len(stored(address)) < len(Shard(0, 2).share(NAMES)):
            assert child.poll() is None
            time.sleep(0.02)
        yield child.pid
    finally:
        child.kill()
        child.wait()


def rows_of(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def results(run, tmp_path, name="night"):
    code, summary, said = run("results", "--run", name, "-o", "whole.csv")
    return code, summary, said, rows_of(tmp_path / "whole.csv")


def test_each_account_is_in_one_shard_whatever_the_order_of_rows():
    parts = [Shard(number, 3).share(NAMES) for number in range(3)]
    assert sorted(name for part in parts for name in part) == sorted(NAMES)
    assert parts == [Shard(number, 3).share(reversed(NAMES)) for number in range(3)]
    assert {len(part) for part in parts} == {1, 2}


@pytest.mark.parametrize("text", ["", "3", "3/3", "4/3", "-1/3", "0/0", "a/b", "1/2/3", "1.0/2"])
def test_what_is_no_shard_is_a_sentence(text):
    with pytest.raises(ValueError, match=r"is no shard|there is no shard"):
        read_shard(text)


@on_both
def test_all_shards_together_are_the_run(run, tmp_path, address):
    """Each has its own rows, and the whole has every row once, in the order of the input."""
    for number in range(3):
        code, summary, _ = run("run", "hooks.csv", "--run-id", "night", "--shard", f"{number}/3")
        assert code == 0
        assert (summary["run_id"], summary["shard"]) == ("night", f"{number}/3")
        assert sorted(summary["accounts"]) == Shard(number, 3).share(NAMES)
        assert summary["counts"] == {"created": 3 * len(summary["accounts"])}
        if number == 0:
            code, _, said, rows = results(run, tmp_path)
            assert (code, len(rows)) == (4, summary["total"])
            assert "2 shards of 3 have not begun (1, 2)" in said
    code, summary, said, rows = results(run, tmp_path)
    assert (code, said) == (0, "")
    assert [row["Row"] for row in rows] == [f"hooks.csv:{number + 2}" for number in range(len(ROWS))]
    assert summary["counts"] == {"created": len(ROWS)}
    assert sorted(summary["accounts"]) == sorted(NAMES)
    assert len(stored(address)) == len(ROWS)
    assert sorted(int(row["WebhookId"]) for row in rows) == sorted(each["Id"] for each in stored(address))
    _, (listed,), _ = run("runs")
    assert listed["shards"] == {"of": 3, "done": [0, 1, 2], "unfinished": [], "missing": []}
    assert (listed["run_id"], listed["status"], listed["counts"]) == ("night", "ok", {"created": len(ROWS)})


def test_a_shard_goes_on_with_what_is_pending(run, tmp_path, address):
    """What the first round made stays created; nothing is sent twice."""
    shard = ("run", "hooks.csv", "--run-id", "night", "--shard", "0/2")
    code, first, _ = run(*shard, "--limit", "2")
    assert (code, first["counts"]["created"]) == (4, 2)
    code, again, _ = run(*shard)
    assert (code, again["counts"], again["writes"]) == (0, {"created": 9}, 7)
    code, idle, _ = run(*shard)
    assert (code, idle["counts"], idle["writes"]) == (0, {"created": 9}, 0)
    assert len(stored(address)) == 9
    # A round that changes what the first one made would hide that from an undo.
    code, changing, _ = run(*shard, "--if-exists", "fail")
    assert (code, changing["counts"]) == (0, {"created": 9})


@on_both
def test_a_shard_that_was_killed_goes_on_and_a_second_one_is_told_who_has_it(run, tmp_path, address, journal):
    shard = ("run", "hooks.csv", "--run-id", "night", "--shard", "0/2")
    with held_up(tmp_path, journal, address) as pid:
        code, _, said = run(*shard)
        assert code == 5
        assert f"run night/0 (process {pid}" in said
        _, found, _ = run("journal", "check")
        assert [each["run_id"] for each in found["held"]] == ["night/0"]
        assert run("run", "hooks.csv", "--run-id", "night", "--shard", "1/2")[0] == 0
    _, (listed,), _ = run("runs")
    assert listed["shards"] == {"of": 2, "done": [1], "unfinished": [0], "missing": []}
    code, summary, _ = run(*shard, "--wait-lock", "60", "--settle", "0.1", "--timeout", "1")
    assert (code, summary["counts"]) == (0, {"created": 9})
    assert len(stored(address)) == len(ROWS)


def test_an_undo_of_the_run_takes_back_what_all_rounds_of_all_shards_made(run, tmp_path, address):
    run("run", "hooks.csv", "--run-id", "night", "--shard", "0/2", "--limit", "1")
    for number in range(2):
        run("run", "hooks.csv", "--run-id", "night", "--shard", f"{number}/2")
    _, _, _, rows = results(run, tmp_path)
    code, part, _ = run("undo", "hooks.results.1-of-2.xlsx")
    assert (code, part["counts"]) == (0, {"deleted": 6})
    code, whole, _ = run("undo", "whole.csv")
    assert (code, whole["counts"]) == (0, {"deleted": 9})
    assert stored(address) == []
    for number in range(2):
        run("run", "hooks.csv", "--run-id", "night", "--shard", f"{number}/2")
    code, whole, _ = run("undo", "--run", "night")
    assert (code, whole["counts"]) == (0, {"deleted": len(rows)})


def test_shards_of_one_name_have_one_input_and_one_number(run, tmp_path, address):
    run("run", "hooks.csv", "--run-id", "night", "--shard", "0/2")
    (tmp_path / "other.csv").write_text(HEAD + "".join(ROWS[:-1]))
    code, _, said = run("run", "other.csv", "--run-id", "night", "--shard", "1/2")
    assert code == 2
    assert "other.csv (14 webhooks) asks for something else than shard 0/2 of it was begun with, hooks.csv (15" in said
    code, _, said = run("run", "hooks.csv", "--run-id", "night", "--shard", "1/3")
    assert code == 2
    assert "the run was begun in 2 shards" in said
    code, _, said = run("run", "hooks.csv", "--run-id", "night")
    assert code == 2
    assert "the journal has a run of that name" in said
    assert run("run", "hooks.csv", "--run-id", "alone")[0] == 0
    code, _, said = run("run", "hooks.csv", "--run-id", "alone", "--shard", "0/2")
    assert code == 2
    assert "a run of that name that is in no shards" in said
    code, _, said = run("run", "hooks.csv", "--shard", "0/2")
    assert code == 2
    assert "--run-id NAME" in said


def test_a_shard_without_accounts_is_done_at_once(run, tmp_path, address):
    code, summary, said = run("run", "hooks.csv", "--run-id", "night", "--shard", "7/8")
    assert (code, summary["total"], summary["requests"]) == (0, 0, 0)
    assert "shard 7/8 of run night has none of the input's accounts" in said
    for number in range(7):
        assert run("run", "hooks.csv", "--run-id", "night", "--shard", f"{number}/8")[0] == 0
    code, summary, said, rows = results(run, tmp_path)
    assert (code, len(rows), said) == (0, len(ROWS), "")


def test_an_invalid_row_is_in_the_shard_of_its_account_and_prune_deletes_nothing_in_any(run, tmp_path, address):
    """Nobody knows what an invalid row names, so also the other shards delete nothing."""
    for number in range(2):
        run("run", "hooks.csv", "--run-id", "first", "--shard", f"{number}/2")
    (tmp_path / "hooks.csv").write_text(HEAD + "".join(ROWS[5:]) + "1001,BookingCreate,nowhere,acme\n")
    counts = []
    for number in range(2):
        code, summary, said = run("run", "hooks.csv", "--run-id", "next", "--shard", f"{number}/2", "--prune")
        counts.append(summary["counts"].get("invalid", 0))
        assert code == (1 if counts[-1] else 0)
        assert "--prune deletes nothing" in said
    assert sum(counts) == 1
    code, summary, _, rows = results(run, tmp_path, "next")
    assert (code, summary["counts"]["invalid"], len(rows)) == (1, 1, 11)


def test_prune_deletes_for_the_accounts_of_a_shard_and_the_record_of_it_stays(run, tmp_path, address):
    for number in range(2):
        run("run", "hooks.csv", "--run-id", "first", "--shard", f"{number}/2")
    (tmp_path / "hooks.csv").write_text(HEAD + "".join(ROWS[5:]))
    for number, deleted in ((0, 3), (1, 2), (0, 3)):
        code, summary, _ = run("run", "hooks.csv", "--run-id", "next", "--shard", f"{number}/2", "--prune")
        assert (code, summary["counts"]["deleted"]) == (0, deleted)
    _, summary, _, _ = results(run, tmp_path, "next")
    assert summary["counts"] == {"exists": 10, "deleted": 5}
    assert len(stored(address)) == 10


def test_the_shards_of_a_run_are_removed_from_the_journal_together(run, tmp_path, address):
    run("run", "hooks.csv", "--run-id", "night", "--shard", "0/2")
    run("run", "hooks.csv", "--run-id", "night", "--shard", "1/2", "--limit", "1")
    code, found, _ = run("journal", "prune", "--keep", "0s", "--yes")
    assert (code, found["runs"], found["left"]) == (0, 1, 0)
    assert run("runs")[1] == []
    code, _, said = run("results", "--run", "night", "-o", "x.csv")
    assert code == 2
    assert "no such run" in said
    code, summary, _ = run("undo", "--run", "night")
    assert (code, summary["counts"]) == (0, {"deleted": 10})
    run("journal", "prune", "--keep", "0s", "--yes")
    code, _, said = run("undo", "--run", "night")
    assert (code, "no such run" in said) == (2, True)
