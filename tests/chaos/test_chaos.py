"""Jobs of every kind against a server that misbehaves by seed, under signals: nothing twice, lost or untrue.

The long form is ``CHAOS_RUNS=2000 pytest -m heavy -s tests/chaos``; it prints its table.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import bulkhooks
from tests.chaos.jobs import KINDS
from tests.chaos.oracle import LOST, TWICE, WRONG, Ended, Oracle
from tests.chaos.server import Server
from tests.chaos.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no forks and few signals")

ROOT = Path(__file__).parents[2]


WITHIN = [kind for kind in KINDS if kind != "beyond"]
"""The kinds within the contract. What is stored later than ``--settle`` depends on time: it is played by hand alone."""


def chaos(*options, kinds=WITHIN):
    """Exit code and table of a campaign, in a process without threads."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--kinds", *kinds, *map(str, options)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    return done.returncode, done.stdout + done.stderr


def figure(told, name):
    return int(re.search(rf"^{name} +([\d,]+)$", told, re.MULTILINE)[1].replace(",", ""))


def test_jobs_of_every_kind_come_to_their_end_with_nothing_twice_lost_or_untrue():
    """A few of each kind would take a minute; one of each is enough to see that all of them still work."""
    code, told = chaos("--jobs", len(WITHIN), "--runs", 40, "--parallel", 5, "--storms", 1, "--seed", 20)
    assert code == 0, told
    assert figure(told, "process runs") >= len(WITHIN)
    assert figure(told, "faults") > 0


@pytest.mark.heavy
def test_many_jobs_come_to_their_end_with_nothing_twice_lost_or_untrue():
    """As many process runs as CHAOS_RUNS says, from the seed CHAOS_SEED on."""
    runs, seed = int(os.environ.get("CHAOS_RUNS", "200")), os.environ.get("CHAOS_SEED", "1000")
    code, told = chaos("--runs", runs, "--parallel", 8, "--seed", seed)
    assert code == 0, told
    assert figure(told, "process runs") >= runs
    assert figure(told, "faults") >= runs
    assert figure(told, "signals") >= runs // 4


# That the suite would notice


def test_a_sender_that_sends_blindly_what_is_not_answered_is_caught():
    """It makes webhooks twice, and has no memory of them."""
    code, told = chaos("--blind", "--jobs", 4, "--runs", 12, "--parallel", 4, kinds=["create"])
    assert code == 1
    assert figure(told, "twice within the contract") > 0
    assert figure(told, "lost") > 0


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The server and the folder of a run that went well, and what it came to."""
    folder, server, since = tmp_path_factory.mktemp("ran"), Server(1, settle=0.3, timeout=5), time.monotonic()
    (folder / "hooks.csv").write_text("BusinessId,Action,URL\n1001-1003,6,https://hooks.example.com/in\n")
    report = bulkhooks.run(
        bulkhooks.Job(
            input=folder / "hooks.csv",
            output=folder / "out.csv",
            journal=folder / "journal.db",
            base_url=server.base_url,
            rate="none",
            request_rate="none",
            environment={"NEXUDUS_TOKEN": "token-of-default"},
        )
    )
    server.close()
    out = json.dumps({"exit_code": report.exit_code, "counts": report.counts})
    return server.store, folder, Ended("run", report.exit_code, out, "", folder / "out.csv", since)


@pytest.fixture
def done(ran, tmp_path):
    """Copies of what the server has and of what the run wrote, with an oracle over them."""
    store, folder, ended = ran
    here = shutil.copytree(folder, tmp_path / "here")
    mine = Store(store.settle, dict(store.webhooks), posts_by_id=dict(store.posts_by_id), last_id=store.last_id)
    return mine, Oracle(mine, here / "journal.db"), dataclasses.replace(ended, results=here / "out.csv")


def judged(oracle, ended):
    oracle.after(ended)
    return {kind for kind, _ in oracle.found}


def keys(store):
    return [each.key for each in store.webhooks.values()]


def test_a_run_that_went_well_is_not_complained_of(done):
    store, oracle, ended = done
    assert judged(oracle, ended) == set()
    oracle.at_the_end(keys(store), [], ended)
    assert oracle.found == []


def test_an_id_that_the_journal_lacks_is_lost(done):
    _, oracle, ended = done
    with closing(sqlite3.connect(ended.results.with_name("journal.db"))) as journal, journal:
        journal.execute("DELETE FROM created WHERE webhook_id = (SELECT min(webhook_id) FROM created)")
    assert judged(oracle, ended) == {LOST}


def test_a_webhook_that_is_stored_again_is_twice(done):
    store, oracle, ended = done
    post = next(iter(store.posts_by_id.values()))
    store.create(post, dict(store.webhooks[post.id].record), lag=0)
    assert TWICE in judged(oracle, ended)


def test_a_row_that_is_wanted_and_not_there_is_lost(done):
    store, oracle, ended = done
    wanted = keys(store)
    store.webhooks.popitem()
    oracle.at_the_end(wanted, [], ended)
    assert {kind for kind, _ in oracle.found} == {LOST}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (",created,", ",pending,"),
        (",created,", ",deleted,"),
        (",created,1001,", ",created,1002,"),
        (",created,1001,200,,", ",failed,1001,200,not-sent,"),
    ],
    ids=["pending without a code", "deleted and there", "another's id", "made and not sent"],
)
def test_a_status_that_is_not_so_is_wrong(done, old, new):
    _, oracle, ended = done
    text = ended.results.read_text("utf-8-sig")
    assert old in text
    ended.results.write_text(text.replace(old, new, 1))
    assert judged(oracle, ended) == {WRONG}
    assert len(oracle.found) > 1 or "created" in new


@pytest.mark.parametrize(
    ("name", "value"),
    [("code", 4), ("code", 1), ("err", "Traceback (most recent call last):"), ("out", "{}{}"), ("out", "")],
)
def test_an_exit_code_or_a_stream_that_is_not_so_is_wrong(done, name, value):
    _, oracle, ended = done
    setattr(ended, name, value)
    assert judged(oracle, ended) == {WRONG}


def test_a_deletion_of_what_somebody_else_made_is_wrong(done):
    store, oracle, ended = done
    store.delete("default", store.bystander("default", 1001))
    assert judged(oracle, ended) == {WRONG}
