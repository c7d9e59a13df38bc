"""One run of an account and a journal at a time."""

from __future__ import annotations

import re
import signal

import pytest

from tests.crash.bench import Bench, sandbox


@pytest.fixture
def held(tmp_path):
    """A bench on which a run is under way that will not end by itself for a long time."""
    with sandbox("slow=1:60") as far_end:
        bench = Bench(tmp_path, far_end.base_url, webhooks=3)
        child = bench.start("--timeout", "600")
        assert bench.wait_for_requests(child, 2)
        yield bench, child
        child.kill()
        child.communicate()
        bench.close()


def test_a_second_run_ends_at_once_and_says_who_holds_the_lock(held):
    """Exit 5; the sentence names the run, its process and since when; nothing was sent."""
    bench, child = held
    requests = bench.stats()["total"]
    code, said = bench.run()
    assert code == 5
    assert f"process {child.pid}" in said
    assert re.search(r"since \d\d:\d\d \(\d+ s ago\)", said)
    assert "--wait-lock" in said
    assert bench.stats()["total"] == requests


def test_another_journal_is_another_lock(held):
    """Two journals run side by side."""
    bench, _ = held
    code, said = bench.run("--journal", "other.db", "--limit", "0")
    assert code == 4, said


def test_another_account_runs_beside_it_in_the_same_journal(held):
    """The lock is the account's, not the journal's."""
    bench, _ = held
    code, said = bench.run("--account", "other", "--timeout", "1")
    assert code == 0, said


def test_the_lock_ends_with_its_process(held):
    """After kill -9 the next run has it at once, and a run that waits for it goes on."""
    bench, child = held
    waiting = bench.start("--wait-lock", "60", "--limit", "0")
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert bench.finish(waiting)[0] == 4
    assert bench.run("--limit", "0")[0] == 4


def test_waiting_for_the_lock_has_an_end(held):
    """After ``--wait-lock`` seconds it is exit 5 all the same."""
    bench, _ = held
    assert bench.run("--wait-lock", "0.3")[0] == 5
