"""Runs over workers of this machine: as one process does it, and whatever happens to who takes part."""

from __future__ import annotations

import os
import signal
import time

import pytest

from bulkhooks.sandbox.options import parse_latency
from bulkhooks.sandbox.server import Sandbox, SandboxOptions
from tests.engines.field import Field, finished, kill, until, workers_of

CHANGING = {"WebhookId", "SentAt", "DurationMs"}
MOMENTS = {"run_id", "started_at", "finished_at", "seconds", "resume_at", "outputs", "stderr"}


def slow(latency="150ms"):
    return Sandbox(SandboxOptions(latency=parse_latency(latency), locations=tuple(range(1001, 1401))))


def plain(rows):
    return [{name: value for name, value in row.items() if name not in CHANGING} for row in rows]


def lasting(summary):
    return {name: value for name, value in summary.items() if name not in MOMENTS}


@pytest.mark.parametrize(
    "options",
    [(), *(pytest.param(each, marks=pytest.mark.heavy) for each in (("--canary", 3), ("--limit", 5), ("--limit", 0)))],
    ids=lambda options: " ".join(map(str, options)),
)
def test_a_run_over_workers_is_as_that_of_one_process(tmp_path, options):
    found = []
    for number, workers in enumerate([(), ("--workers", 2)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Sandbox() as far_end:
            field = Field(folder, far_end, "journal.db")
            summary = field.run(*options, *workers)
            rows = plain(field.results())
            found.append(
                (lasting(summary) | {"target": ""}, rows if not options else sorted({row["Status"] for row in rows}))
            )
    assert found[0] == found[1]


@pytest.mark.heavy
def test_a_worker_that_is_killed_is_replaced_and_nothing_is_made_twice(tmp_path, journal):
    with slow() as far_end:
        field = Field(tmp_path, far_end, journal, accounts=6, rows=40)
        child = field.start("--workers", 2, "--concurrency", 2)
        for made in (20, 80, 140):
            field.until_stored(child, made)
            kill(workers_of(child)[0])
        summary = finished(child)
        assert summary["returncode"] == 0, summary
        field.check()


@pytest.mark.heavy
def test_what_a_killed_worker_has_sent_counts_for_the_limit(tmp_path, journal):
    with slow() as far_end:
        field = Field(tmp_path, far_end, journal, accounts=4, rows=40)
        child = field.start("--workers", 2, "--concurrency", 2, "--limit", 60)
        field.until_stored(child, 24)
        kill(workers_of(child)[0])
        summary = finished(child)
        assert (summary["returncode"], summary["status"]) == (4, "incomplete"), summary
        assert 24 <= len(field.stored()) <= summary["writes"] <= 60
        assert field.stats()["duplicates"] == 0


@pytest.mark.heavy
def test_a_run_that_is_killed_takes_its_workers_along_and_goes_on(tmp_path, journal):
    with slow() as far_end:
        field = Field(tmp_path, far_end, journal, accounts=4, rows=40)
        child = field.start("--workers", 2, "--concurrency", 2)
        field.until_stored(child, 30)
        workers = workers_of(child)
        kill(child)
        child.communicate()
        until(lambda: not any(each.is_running() for each in workers))
        assert len(field.stored()) < field.count
        summary = field.run("--workers", 2, "--wait-lock", 60)
        assert summary["returncode"] == 0, summary
        field.check()


@pytest.mark.heavy
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order(tmp_path, journal, number):
    with slow() as far_end:
        field = Field(tmp_path, far_end, journal, accounts=4, rows=40)
        child = field.start("--workers", 2, "--concurrency", 2)
        field.until_stored(child, 30)
        child.send_signal(number)
        summary = finished(child)
        assert (summary["returncode"], summary["status"]) == (4, "incomplete"), summary
        assert summary["counts"]["created"] == len(field.stored()) < field.count
        left = [row for row in field.results() if row["Status"] == "pending"]
        assert {row["ErrorCode"] for row in left} == {"not-sent"}
        assert {number.name in row["Error"] for row in left} == {True}
        assert field.run("--workers", 2)["returncode"] == 0
        field.check()


@pytest.mark.heavy
def test_a_second_signal_ends_it_at_once(tmp_path, journal):
    with slow("10s") as far_end:
        field = Field(tmp_path, far_end, journal, accounts=2, rows=10)
        child = field.start("--workers", 2, "--timeout", 60, "-v")
        until(lambda: field.stats()["webhooks"])
        workers = workers_of(child)
        while child.poll() is None:  # two that come together may be one to a process
            child.send_signal(signal.SIGINT)
            time.sleep(1)
        child.communicate()
        assert child.returncode == 130
        until(lambda: not any(each.is_running() for each in workers))


@pytest.mark.heavy
def test_a_worker_that_is_stopped_is_replaced_and_when_woken_sends_nothing(tmp_path, journal):
    with slow() as far_end:
        field = Field(tmp_path, far_end, journal, accounts=4, rows=40)
        child = field.start("--workers", 2, "--concurrency", 2, "--lease", 6)
        field.until_stored(child, 30)
        stopped = workers_of(child)[0]
        os.kill(stopped.pid, signal.SIGSTOP)
        summary = finished(child)
        assert summary["returncode"] == 0, summary
        field.check()


@pytest.mark.heavy
def test_a_second_run_of_the_accounts_is_told_who_has_them(tmp_path, journal):
    with slow("2s") as far_end:
        field = Field(tmp_path, far_end, journal, accounts=3, rows=200)
        child = field.start("--workers", 2, "--concurrency", 1)
        field.until_stored(child, 5)
        other = field.run("--workers", 2, to="other.csv")
        child.send_signal(signal.SIGINT)
        assert other["returncode"] == 5, other
        assert "has held account" in other["stderr"]
        assert finished(child)["returncode"] == 4
