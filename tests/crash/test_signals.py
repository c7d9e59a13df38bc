"""What a person or a scheduler does to end a run before its time."""

from __future__ import annotations

import json
import signal
import time

import pytest

from tests.crash.bench import Bench, sandbox


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["INT", "TERM", "HUP"])
def test_one_signal_finishes_what_is_in_flight_and_writes_the_results(tmp_path, number, journal):
    """Exit 4; every request that left has its outcome in the results, the rest is ``pending``; the next run ends it."""
    with sandbox("drop-before=0.1", latency="100ms") as far_end:
        bench = Bench(tmp_path, far_end.base_url, journal=journal)
        child = bench.start("--json", "--settle", "60")
        assert bench.wait_for_requests(child, 12)
        child.send_signal(number)
        said, complained = child.communicate(timeout=600)
        assert child.returncode == 4, complained
        summary = json.loads(said)
        assert (summary["status"], summary["total"]) == ("incomplete", 40)
        assert summary["counts"]["created"] == len(bench.stored()) > 0
        # What waits because somebody wanted it to wait is no error of the run.
        assert not any("stopped by" in error["example"] for error in summary["errors"])
        rows = bench.results()
        assert len(rows) == 40
        assert [row["ErrorCode"] for row in rows].count("in-doubt") == bench.stats()["faults"]["drop-before"]
        assert {row["ErrorCode"] for row in rows if row["Status"] == "pending"} <= {"not-sent", "in-doubt"}
        code, said = bench.run()
        assert code == 0, said
        bench.check()
        bench.close()


def test_the_second_signal_stops_at_once(tmp_path, journal):
    """Exit 130 without waiting for answers that take a minute; what was in flight is there once after the next run."""
    with sandbox("slow=0.9:60", latency="1ms") as far_end:
        bench = Bench(tmp_path, far_end.base_url, webhooks=5, journal=journal)
        child = bench.start("--timeout", "600", "-v", "--log-file", "run.log")
        assert bench.wait_for_requests(child, 2)
        child.send_signal(signal.SIGTERM)
        while "stopped by SIGTERM" not in (tmp_path / "run.log").read_text():
            assert child.poll() is None
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        code, said = bench.finish(child)
        assert code == 130, said
        assert "Traceback" not in said
        assert len(bench.stored()) == 1
        while bench.run("--timeout", "0.3", "--retries", "50")[0] != 0:
            pass
        bench.check()
        bench.close()


def test_the_second_signal_stops_even_the_writing_of_results(tmp_path):
    """A large workbook takes its time; whoever does not want to wait for it gets exit 130, and it from the journal."""
    with sandbox(latency="0ms", locations=tuple(range(1, 9001))) as far_end:
        bench = Bench(tmp_path, far_end.base_url)
        bench.write_input(["1-9000"], actions='"6,7,8"')
        child = bench.start("--limit", "3", "-o", "out.xlsx")
        bench.wait_for_stored(child, 3)
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGTERM)
        code, said = bench.finish(child)
        assert code == 130, said
        assert "Traceback" not in said
        assert len(bench.stored()) == 3
        assert not (tmp_path / "out.xlsx").exists()
        bench.close()


@pytest.mark.parametrize("ignored", [signal.SIGINT, signal.SIGHUP], ids=["INT", "HUP"])
def test_a_signal_that_is_ignored_stays_ignored(tmp_path, ignored):
    """As nohup and a shell's ``&`` start a program: it goes on, and SIGTERM stops it."""
    with sandbox("slow=1:600") as far_end:
        bench = Bench(tmp_path, far_end.base_url, webhooks=3)
        log = ("-v", "--log-file", "run.log")
        child = bench.start("--timeout", "6000", *log, ignored=[ignored])
        assert bench.wait_for_requests(child, 2)
        for _ in range(3):
            child.send_signal(ignored)
        child.send_signal(signal.SIGTERM)
        bench.wait_for_text("run.log", "stopped by SIGTERM", child)
        child.send_signal(signal.SIGTERM)
        code, said = bench.finish(child)
        assert code == 130, said
        bench.close()
