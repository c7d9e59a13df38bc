"""What is refused before anything is read, how writes are shared out, and what a worker does not take."""

from __future__ import annotations

import dataclasses
import importlib.util
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhooks import Job
from bulkhooks.commands.workers.engine import check_engine
from bulkhooks.commands.workers.sharing import allot
from bulkhooks.commands.workers.working import Order, work
from bulkhooks.errors import UsageError
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.version import VERSION
from tests.processes import bulkhooks

SHARED = "postgresql://me@db/hooks"
AT = "tcp://127.0.0.1:8786"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"workers": 2, "scheduler": AT}, "give one of them"),
        ({"scheduler": AT}, "name a shared journal"),
        ({"scheduler": AT, "journal": "here.db"}, "name a shared journal"),
        ({"scheduler": AT, "journal": SHARED, "sandbox": True}, "rehearse with --workers N"),
        ({"scheduler": AT, "journal": SHARED, "environment": {"NEXUDUS_TOKEN": "x"}}, "put the credentials there"),
    ],
)
def test_what_cannot_be_is_a_sentence(options, sentence):
    with pytest.raises(UsageError, match=sentence):
        check_engine(Job(**options))


@pytest.mark.parametrize("options", [{}, {"workers": 1}, {"workers": 3, "sandbox": True}])
def test_what_can_be_is_not_refused(options):
    check_engine(Job(**options))


def test_there_is_at_least_one_worker():
    with pytest.raises(UsageError, match="the least is 1"):
        Job(workers=0)


def test_without_the_extra_the_sentence_names_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"--workers needs: pip install 'bulkhooks\[cluster\]'"):
        check_engine(Job(workers=2))


@given(st.integers(0, 50), st.dictionaries(st.text(max_size=3), st.integers(1, 20), max_size=8))
def test_writes_are_shared_out_to_the_last_and_nobody_has_more_than_it_wants(total, wanted):
    shares = allot(total, wanted)
    assert sum(shares.values()) == min(total, sum(wanted.values()))
    assert all(0 < share <= wanted[name] for name, share in shares.items())


def test_without_a_limit_every_account_has_all():
    assert allot(None, {"a": 3, "b": 0}) == {"a": None, "b": None}


async def test_a_worker_of_another_version_is_refused():
    answer = await work({"version": "0.0.0", "anything": "else"})
    assert f"a worker has bulkhooks {VERSION}, and the run is of 0.0.0" in answer["halted"]["reason"]
    assert answer["writes"] == 0


@pytest.fixture
def anyio_backend():
    """Dask's event loop, and real time."""
    return "asyncio"


def order(journal, **changed):
    values = {
        "version": VERSION, "run": 1, "run_id": "night", "account": "default", "account_id": 1, "journal": str(journal),
        "is_file": True, "job": {"base_url": "http://127.0.0.1:9"}, "settings": None, "unlisted": (), "share": None,
        "since": 0.0, "until": None,
    }  # fmt: skip
    return json.loads(json.dumps(dataclasses.asdict(Order(**values | changed))))


async def test_a_worker_with_another_journal_sends_nothing(tmp_path, monkeypatch):
    """It has the same name, and is on the worker's own disk."""
    monkeypatch.setenv("NEXUDUS_TOKEN", "x")
    answer = await work(order(tmp_path / "journal.db"))
    assert "a worker's journal is not the one of run night" in answer["halted"]["reason"]


async def test_a_worker_without_credentials_or_with_those_of_another_user_sends_nothing(tmp_path, monkeypatch):
    with Journal(tmp_path / "journal.db") as journal:
        account = journal.account("http://127.0.0.1:9|default", "default")
        run = journal.begin("night", command="run", job="", inputs=[], accounts=[account], at=0)
    missing = await work(order(tmp_path / "journal.db", run=run, account_id=account))
    assert "NEXUDUS_TOKEN" in missing["halted"]["reason"]
    assert missing["halted"]["exit_code"] == 3
    monkeypatch.setenv("NEXUDUS_USERNAME", "somebody@example.com")
    monkeypatch.setenv("NEXUDUS_PASSWORD", "x")
    other = await work(order(tmp_path / "journal.db", run=run, account_id=account))
    assert "of another user than those of the run" in other["halted"]["reason"]


def test_a_rehearsal_over_workers(tmp_path):
    """The sandbox's token is in the workers' environment, and so is the job's own."""
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001-1012,BookingCreate,https://hooks.example.com/in\n")
    done = bulkhooks("run", "hooks.csv", "--sandbox", "--workers", 2, "--rate", "none", "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["counts"] == {"created": 12}
