"""A disk that takes no more, and journals that cannot be used."""

from __future__ import annotations

import os
import re
import resource
import sqlite3
import subprocess

import pytest

from tests.crash.bench import Bench, sandbox


def at_most(size):
    """Lets no file of the child grow beyond so many bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.fixture
def bench(tmp_path):
    with sandbox(latency="5ms") as far_end:
        bench = Bench(tmp_path, far_end.base_url)
        yield bench
        bench.close()


@pytest.mark.parametrize("size", [170_000, 300_000])
def test_a_full_disk_stops_the_run_before_the_next_request(bench, size):
    """Exit 4 and one sentence; every id that came in is in the journal or told; with room again it goes on."""
    assert bench.run("--limit", "3")[0] == 4
    code, said = bench.finish(bench.start(preexec_fn=at_most(size)))
    assert code == 4, said
    assert "the disk takes no more" in said
    assert "Traceback" not in said
    known = bench.known_ids()
    told = set(map(int, re.findall(r"created (\d+)", said)))
    assert {each["Id"] for each in bench.stored()} == {*known, *told}
    code, said = bench.run()
    assert code == 0, said
    bench.check()


def test_a_disk_that_is_full_from_the_start_sends_nothing(bench):
    """The plan cannot be written down: one sentence, and no write leaves."""
    code, said = bench.finish(bench.start(preexec_fn=at_most(60_000)))
    assert code in {2, 4}
    assert "journal" in said
    assert "Traceback" not in said
    assert bench.stored() == []


def test_a_small_file_system_that_fills_up(bench, tmp_path):
    """The same with a disk that is really full."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        ballast = small / "ballast"
        ballast.write_bytes(b"0" * 330_000)
        code, said = bench.run("--journal", small / "journal.db")
        assert code == 4, said
        assert "the disk takes no more" in said
        ballast.unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        code, said = bench.run("--journal", small / "journal.db")
        assert code == 0, said
        identities = [(each["BusinessId"], each["Action"]) for each in bench.stored()]
        assert len(identities) == len(set(identities)) == 40
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
