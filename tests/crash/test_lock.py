"""One run of an account and a journal at a time."""

from __future__ import annotations

import re
import signal

import pytest

from tests.crash.bench import Bench, sandbox


@pytest.fixture
def held(tmp_path, journal):
    """A bench on which a run is under way that will not end by itself for a long time."""
    with sandbox("slow=1:60") as far_end:
        bench = Bench(tmp_path, far_end.base_url, webhooks=3, journal=journal)
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


@pytest.mark.parametrize("journal", ["file"], indirect=True)
def test_no_file_beside_the_journal_carries_the_lock(held):
    """Whatever a cleaner removes there, no second run of the account gets in."""
    bench, child = held
    for path in bench.folder.iterdir():
        if path.name not in {"hooks.csv", "journal.db", "journal.db-wal", "journal.db-shm"}:
            path.unlink()
    requests = bench.stats()["total"]
    assert bench.run()[0] == 5
    assert (child.poll(), bench.stats()["total"]) == (None, requests)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["INT", "TERM", "HUP"])
def test_a_signal_ends_the_waiting_for_the_lock(held, number):
    """Exit 4, without waiting for the other run; nothing was sent."""
    bench, _ = held
    requests = bench.stats()["total"]
    waiting = bench.start("--wait-lock", "6000", "-v", "--log-file", "waiting.log")
    bench.wait_for_text("waiting.log", "waiting for", waiting)
    waiting.send_signal(number)
    code, said = bench.finish(waiting)
    assert code == 4, said
    assert "Traceback" not in said
    assert bench.stats()["total"] == requests


def test_two_spellings_of_one_server_are_one_account(held):
    """By name or by number, with a slash or a dot at the end: the lock is the same."""
    bench, _ = held
    port = bench.base_url.rpartition(":")[2]
    for spelling in (f"http://localhost:{port}", f"HTTP://LOCALHOST.:{port}/", f"http://127.0.0.1:{port}//"):
        assert bench.run("--base-url", spelling)[0] == 5, spelling


def test_a_run_whose_journal_was_removed_sends_nothing_more(tmp_path):
    """Exit 4 and a sentence, for the next run would begin another journal and know nothing of this one."""
    with sandbox(latency="20ms") as far_end:
        bench = Bench(tmp_path, far_end.base_url, webhooks=4000)
        child = bench.start()
        assert bench.wait_for_requests(child, 20)
        (tmp_path / "journal.db").rename(tmp_path / "elsewhere.db")
        code, said = bench.finish(child)
        assert code == 4, said
        assert "removed or replaced" in said
        assert len(bench.stored()) < 4000
        bench.close()
