"""A disk that takes no more, and journals that cannot be used.

A journal grows by what it appends to its write-ahead log. A reader that stays connected keeps SQLite from moving that
log into the database, so its size is known at any time, and room for so many bytes more is set from there. Two sends
share a commit at most and every commit appends a page at least, so a run does not fit, be the disk fast or slow.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from contextlib import closing, contextmanager

import pytest

from tests.crash.bench import Bench, sandbox

resource = pytest.importorskip("resource")

PAGE = 4096 + 24
"""A page in the write-ahead log, with its header."""

WEBHOOKS = 200
TWO_AT_A_TIME = ("--concurrency", "2")


def at_most(size):
    """Lets no file of the child grow beyond so many bytes."""
    return {resource.RLIMIT_FSIZE: size}


@contextmanager
def log_kept(journal):
    """While it is open the write-ahead log of this journal only grows; gives a function for its size in bytes."""
    with closing(sqlite3.connect(journal)) as reader:
        reader.execute("SELECT count(*) FROM sqlite_master").fetchall()
        yield lambda: journal.with_name(f"{journal.name}-wal").stat().st_size


@pytest.fixture
def bench(tmp_path):
    with sandbox(latency="0ms") as far_end:
        bench = Bench(tmp_path, far_end.base_url)
        yield bench
        bench.close()


@pytest.fixture
def long_job(tmp_path):
    """A bench whose journal knows a job of 200 webhooks, of which none is sent."""
    with sandbox(latency="0ms", locations=tuple(range(1001, 1001 + WEBHOOKS))) as far_end:
        bench = Bench(tmp_path, far_end.base_url, webhooks=WEBHOOKS)
        plan(bench, tmp_path / "journal.db")
        yield bench
        bench.close()


def plan(bench, journal):
    """A run that writes its plan into the journal and sends nothing."""
    code, said = bench.run("--journal", journal, "--limit", "0")
    assert code == 4, said


def test_a_full_disk_stops_the_run_before_the_next_request(long_job):
    """Exit 2 where the plan has no room, 4 where the sends have none; no id is lost, and with room again it goes on."""
    told = set()
    with log_kept(long_job.folder / "journal.db") as size:
        before = size()
        plan(long_job, long_job.folder / "journal.db")
        of_a_plan = size() - before
        for room, expected in ((of_a_plan // 2, 2), (of_a_plan + 10 * PAGE, 4), (of_a_plan + 20 * PAGE, 4)):
            limit, sent = size() + room, len(long_job.stored())
            code, said = long_job.finish(long_job.start(*TWO_AT_A_TIME, limits=at_most(limit)))
            assert "the disk takes no more" in said
            assert "Traceback" not in said
            assert size() <= limit
            assert code == expected, said
            assert (len(long_job.stored()) > sent) == (code == 4)
            told |= set(map(int, re.findall(r"created (\d+)", said)))
            assert {each["Id"] for each in long_job.stored()} == {*long_job.known_ids(), *told}
    assert 0 < len(long_job.stored()) < WEBHOOKS
    code, said = long_job.run()
    assert code == 0, said
    long_job.check()


def test_a_disk_that_is_full_from_the_start_sends_nothing(bench):
    """The plan cannot be written down: one sentence, and no write leaves."""
    code, said = bench.finish(bench.start(limits=at_most(60_000)))
    assert code in {2, 4}
    assert "journal" in said
    assert "Traceback" not in said
    assert bench.stored() == []


@pytest.mark.heavy
def test_a_small_file_system_that_fills_up(long_job, tmp_path):
    """The same with a disk that is really full."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    journal, ballast = small / "journal.db", small / "ballast"
    try:
        plan(long_job, journal)
        with log_kept(journal) as size:
            before = size()
            plan(long_job, journal)
            room = size() - before + 20 * PAGE
            free = os.statvfs(small)
            ballast.write_bytes(b"0" * (free.f_bavail * free.f_bsize - room))
            code, said = long_job.run("--journal", journal, *TWO_AT_A_TIME)
        assert code == 4, said
        assert "the disk takes no more" in said
        assert 0 < len(long_job.stored()) < WEBHOOKS
        ballast.unlink()
        code, said = long_job.run("--journal", journal)
        assert code == 0, said
        identities = [(each["BusinessId"], each["Action"]) for each in long_job.stored()]
        assert len(identities) == len(set(identities)) == WEBHOOKS
    finally:
        subprocess.run(["umount", small], check=True)


def damaged(path):
    """Overwritten in the middle."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(20_000))


def no_database(path):
    path.write_bytes(b"these are not the rows you are looking for" * 100)


def newer(path):
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()


def a_folder(path):
    path.unlink()
    path.mkdir()


UNUSABLE = {damaged: "damaged", no_database: "damaged", newer: "newer", a_folder: "cannot be opened"}


@pytest.mark.parametrize(("spoil", "word"), UNUSABLE.items(), ids=[each.__name__ for each in UNUSABLE])
def test_a_journal_that_cannot_be_used_is_one_sentence(bench, spoil, word):
    """Exit 2, the file and what to do; nothing is sent."""
    assert bench.run("--limit", "3")[0] == 4
    requests = bench.stats()["total"]
    spoil(bench.folder / "journal.db")
    code, said = bench.run()
    assert code == 2, said
    assert said.count("\n") == 1
    assert "journal.db" in said
    assert word in said
    assert bench.stats()["total"] == requests


def test_a_folder_that_cannot_be_written_is_one_sentence(bench):
    """A place in which no file can be made: exit 2 and what to do, nothing is sent."""
    (bench.folder / "taken").write_text("a file where a folder should be")
    code, said = bench.run("--journal", "taken/journal.db")
    assert (code, said.count("\n")) == (2, 1)
    assert "--journal" in said
    assert bench.stats()["total"] == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_one_sentence(bench):
    """Without write permission: exit 2 and what to do, nothing is sent."""
    locked = bench.folder / "locked"
    locked.mkdir(mode=0o500)
    code, said = bench.run("--journal", "locked/journal.db")
    assert (code, said.count("\n")) == (2, 1)
    assert "--journal" in said
    assert bench.stats()["total"] == 0
