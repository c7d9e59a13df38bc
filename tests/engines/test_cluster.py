"""Runs over a cluster of Dask, and what travels to it."""

from __future__ import annotations

import os
import signal

import pytest

from bulkhooks.sandbox.server import Sandbox
from tests.cut import Line
from tests.engines.cluster import _PLAIN, Cluster, Recorded
from tests.engines.field import Field, finished, kill
from tests.engines.test_workers import slow

pytestmark = pytest.mark.heavy


def test_no_secret_travels(tmp_path, shared_journal):
    """The workers have the token, and so has the run; neither says it, nor is it in the journal's address."""
    with (
        Sandbox() as far_end,
        Cluster(tmp_path, TOKEN_A=far_end.token) as cluster,
        Recorded(cluster.port) as of_run,
        Recorded(cluster.port) as of_worker,
    ):
        cluster.add_worker(of_worker.port)
        field = Field(tmp_path, far_end, shared_journal)
        summary = field.run("--scheduler", f"tcp://127.0.0.1:{of_run.port}", **_PLAIN)
        assert summary["returncode"] == 0, summary
        field.check()
    for line in (of_run, of_worker):
        said = b"".join(line.pieces)
        assert b"https://hooks.example.com" not in said
        assert b"TOKEN_A" in said  # the name of the variable does travel, so this would see what is in it
        assert far_end.token.encode() not in said


@pytest.mark.parametrize("end", ["cut off", "killed"])
def test_a_worker_of_a_cluster_that_is_lost_is_replaced_by_another(tmp_path, shared_journal, end):
    with (
        slow() as far_end,
        Cluster(tmp_path, TOKEN_A=far_end.token) as cluster,
        Line(cluster.port) as line,
    ):
        first = cluster.add_worker(line.port)
        field = Field(tmp_path, far_end, shared_journal, accounts=4, rows=40)
        child = field.start("--scheduler", f"tcp://127.0.0.1:{cluster.port}", "--concurrency", 2)
        field.until_stored(child, 30)
        cluster.add_worker(cluster.port)
        line.refuse() if end == "cut off" else kill(first)
        summary = finished(child)
        assert summary["returncode"] == 0, summary
        field.check()


def test_workers_whose_run_is_killed_stop_by_themselves_and_it_goes_on(tmp_path, shared_journal):
    with slow("300ms") as far_end, Cluster(tmp_path, TOKEN_A=far_end.token) as cluster:
        cluster.add_worker(cluster.port)
        field = Field(tmp_path, far_end, shared_journal, accounts=4, rows=200)
        at = ("--scheduler", f"tcp://127.0.0.1:{cluster.port}", "--lease", 6)
        child = field.start(*at, "--concurrency", 1)
        field.until_stored(child, 20)
        kill(child)
        child.communicate()
        summary = field.run(*at, "--wait-lock", 120, "--limit", 10)
        assert (summary["returncode"], summary["writes"]) == (4, 10), summary
        stored = field.stored()
        assert len({each["URL"] for each in stored}) == len(stored) < field.count


def test_a_scheduler_that_is_lost_ends_the_run_and_the_workers_stop(tmp_path, shared_journal):
    with slow() as far_end, Cluster(tmp_path, TOKEN_A=far_end.token) as cluster, Line(cluster.port) as line:
        cluster.add_worker(cluster.port)
        field = Field(tmp_path, far_end, shared_journal, accounts=2, rows=200)
        child = field.start("--scheduler", f"tcp://127.0.0.1:{line.port}", "--concurrency", 1)
        field.until_stored(child, 10)
        line.refuse()
        summary = finished(child)
        assert (summary["returncode"], summary["status"]) == (4, "incomplete"), summary
        assert "is not heard any more" in str(summary["errors"])


def test_a_worker_that_slept_and_was_replaced_sends_nothing_when_it_wakes(tmp_path, shared_journal):
    with (
        slow() as far_end,
        Cluster(tmp_path, TOKEN_A=far_end.token, DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL="20s") as cluster,
    ):
        first = cluster.add_worker(cluster.port)
        field = Field(tmp_path, far_end, shared_journal, accounts=4, rows=60)
        child = field.start("--scheduler", f"tcp://127.0.0.1:{cluster.port}", "--concurrency", 2)
        field.until_stored(child, 30)
        cluster.add_worker(cluster.port)
        os.kill(first.pid, signal.SIGSTOP)
        before = len(field.stored())
        field.until_stored(child, before + 40)
        os.kill(first.pid, signal.SIGCONT)
        summary = finished(child)
        assert summary["returncode"] == 0, summary
        field.check()


def test_a_scheduler_that_is_not_there_is_a_sentence(tmp_path, shared_journal):
    with Sandbox() as far_end:
        field = Field(tmp_path, far_end, shared_journal)
        summary = field.run("--scheduler", "tcp://127.0.0.1:9")
        assert summary["returncode"] == 2
        assert "--scheduler tcp://127.0.0.1:9: no scheduler of Dask answers there" in summary["stderr"]
        assert len(summary["stderr"].splitlines()) == 1
        assert field.stored() == []
