"""``bulkhooks journal`` and ``runs`` from the outside: what they print, whose the files are, who may not be written."""

from __future__ import annotations

import json
import os
import pty
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bulkhooks.provision.journal.journal import Journal
from tests.processes import PROGRAM, UNLIMITED, bulkhooks, sandbox_process, stored

TOKEN = {"NEXUDUS_TOKEN": "sandbox-token"}
ROWS = "BusinessId,Action,URL\n" + "".join(
    f"{1001 + number},BookingCreate,https://h.example.com/in\n" for number in range(8)
)
NOBODY = 54_321
"""A number that no user of the system has."""


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with sandbox_process(tmp_path_factory.mktemp("sandbox"), "--role", "full") as address:
        yield address


@pytest.fixture
def run(tmp_path, address):
    """Runs the input against the sandbox, with a journal in a folder that is not there before."""
    (tmp_path / "hooks.csv").write_text(ROWS)

    def run(command="run", *more, **environment):
        words = ["hooks.csv"] if command in {"run", "plan"} else []
        return bulkhooks(
            command, *words, "--base-url", address, "--journal", "state/deep/j.db", "--no-progress", *UNLIMITED, *more,
            cwd=tmp_path, **TOKEN, **environment,
        )  # fmt: skip

    return run


def ask(tmp_path, *words):
    """A command about the journal, and its object."""
    done = bulkhooks("journal", *words, "--journal", "state/deep/j.db", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_journal_is_cared_for(run, tmp_path, address):
    """Copied, checked, pruned; after that nothing is made twice, and what was made can still be taken back."""
    before = len(stored(address))
    assert run().returncode == 0
    assert run("run", "-o", "second.csv").returncode == 0
    assert ask(tmp_path, "path") == {"path": "state/deep/j.db", "exists": True}
    assert ask(tmp_path, "backup", "copies/j.db")["size"] == (tmp_path / "copies/j.db").stat().st_size
    checked = ask(tmp_path, "check")
    assert (checked["runs"], checked["held"]) == (2, [])
    pruned = ask(tmp_path, "prune", "--keep", "0s")
    assert (pruned["runs"], pruned["left"], pruned["size"]) == (2, 0, (tmp_path / "state/deep/j.db").stat().st_size)
    assert json.loads(bulkhooks("runs", "--json", "--journal", "state/deep/j.db", cwd=tmp_path).stdout) == []
    assert len(json.loads(bulkhooks("runs", "--json", "--journal", "copies/j.db", cwd=tmp_path).stdout)) == 2
    again = run("run", "--json", "-o", "third.csv")
    assert json.loads(again.stdout)["counts"] == {"exists": 8}
    undone = run("undo", "hooks.results.xlsx", "--json", "--yes")
    assert json.loads(undone.stdout)["counts"] == {"deleted": 8}
    assert len(stored(address)) == before


def test_a_run_that_went_well_forgets_what_is_older_than_its_job_keeps(run, tmp_path):
    """Not itself; one that did not go well forgets nothing."""
    assert [run("run", "-o", f"{number}.csv").returncode for number in range(2)] == [0, 0]
    (tmp_path / "hooks.csv").write_text(ROWS + "nowhere,BookingCreate,https://h.example.com/in\n")
    (tmp_path / "job.toml").write_text('[job]\nkeep = "0s"\n')
    assert run("run", "-o", "bad.csv", "--job", "job.toml").returncode == 1
    assert len(json.loads(run_list(tmp_path))) == 3
    (tmp_path / "hooks.csv").write_text(ROWS)
    assert run("run", "-o", "good.csv", "--job", "job.toml").returncode == 0
    (left,) = json.loads(run_list(tmp_path))
    assert left["counts"] == {"exists": 8}
    again = bulkhooks("results", "--run", "last", "-o", "again.csv", "--journal", "state/deep/j.db", cwd=tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "good.csv").read_bytes()


def run_list(tmp_path):
    return bulkhooks("runs", "--json", "--journal", "state/deep/j.db", cwd=tmp_path).stdout


def test_it_is_told_who_ran(run, tmp_path):
    """The user and the computer, in the list and on the sheet."""
    assert run("run", "--json").returncode == 0
    (told,) = json.loads(run_list(tmp_path))
    table = bulkhooks("runs", "--journal", "state/deep/j.db", cwd=tmp_path).stdout
    assert told["host"] == os.uname().nodename
    assert f"{told['user']} on {told['host']}".strip() in table
    assert told["holder"] == ""
    import openpyxl

    sheet = openpyxl.load_workbook(tmp_path / "hooks.results.xlsx")["Summary"]
    lines = {row[0]: [value for value in row[1:] if value] for row in sheet.iter_rows(values_only=True)}
    assert lines["Computer"] == [told["host"]]


def test_the_journal_and_logs_are_their_owners_alone(run, tmp_path):
    """New files and folders, and those that were open to others before; results follow the umask."""
    umask = os.umask(0o022)
    try:
        assert run("run", "--log-file", "logs/deep/run.log", "-o", "out/hooks.csv").returncode == 0
        folders = ["state", "state/deep", "logs", "logs/deep"]
        files = ["state/deep/j.db", "logs/deep/run.log"]
        assert {mode(tmp_path / name) for name in folders} == {0o700}
        assert {mode(tmp_path / name) for name in files} == {0o600}
        assert (mode(tmp_path / "out"), mode(tmp_path / "out/hooks.csv")) == (0o755, 0o644)
        for name in files:
            (tmp_path / name).chmod(0o664)
        assert run("run", "--log-file", "logs/deep/run.log", "-o", "out/hooks.csv").returncode == 0
        assert {mode(tmp_path / name) for name in files} == {0o600}
    finally:
        os.umask(umask)


@pytest.mark.parametrize(
    ("option", "how"),
    [("-o", "itself"), ("-o", "hard"), ("--log-file", "symbolic"), ("--metrics-file", "itself"), ("backup", "hard")],
)
def test_nothing_is_written_over_the_journal(run, tmp_path, how, option):
    """Not by another spelling and not through a link: exit 2, and it is as it was."""
    journal = tmp_path / "j.csv"
    Journal(journal).close()
    before = journal.read_bytes()
    place = tmp_path / "place.csv"
    if how == "itself":
        place = tmp_path / "none" / ".." / "j.csv"
        (tmp_path / "none").mkdir()
    elif how == "symbolic":
        place.symlink_to(journal)
    else:
        place.hardlink_to(journal)
    if option == "backup":
        done = bulkhooks("journal", "backup", place, "--journal", "j.csv", cwd=tmp_path)
    else:
        done = run("run", option, place, "--journal", "j.csv")
    assert done.returncode == 2
    assert "the journal itself" in done.stderr
    assert done.stderr.count("\n") == 1
    assert journal.read_bytes() == before


WRONG = {
    ("prune",): "--keep",
    ("prune", "--keep", "90"): "90",
    ("prune", "--keep", "soon"): "a period such as 90d",
    ("backup",): "backup FILE",
    ("check", "x.db"): "takes no file",
    ("check",): "there is no journal here",
}


@pytest.mark.parametrize(("words", "word"), WRONG.items(), ids=["-".join(words) for words in WRONG])
def test_what_cannot_be_done_is_one_sentence(tmp_path, words, word):
    done = bulkhooks("journal", *words, "--journal", "none.db", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert word in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_person_is_asked_before_runs_are_removed(run, tmp_path):
    """On a terminal, unless --yes is given; no means that nothing is."""
    assert run().returncode == 0
    ours, theirs = pty.openpty()
    try:
        words = [*PROGRAM, "journal", "prune", "--keep", "0s", "--journal", "state/deep/j.db"]
        process = subprocess.Popen(words, cwd=tmp_path, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE)
        os.write(ours, b"n\n")
        assert process.wait(timeout=120) == 4
        assert b"Remove 1 run older than" in os.read(ours, 10_000)
        assert len(json.loads(run_list(tmp_path))) == 1
        done = subprocess.run([*words, "--yes"], cwd=tmp_path, stdin=theirs, stderr=theirs, check=False, timeout=120)
        assert done.returncode == 0
        assert json.loads(run_list(tmp_path)) == []
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_list_of_runs_loads_nothing_of_the_engine(run, tmp_path):
    """It answers at once: no data frames, no HTTP, no toolkit for databases, nothing that waits."""
    assert run().returncode == 0
    code = (
        "import sys; from bulkhooks.cli.app import app\n"
        "try: app(['runs', '--journal', 'state/deep/j.db'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"pandas", "numpy", "httpx", "anyio", "alembic", "sqlalchemy", "pydantic", "openpyxl"}
    assert "sqlite3" in loaded


def as_nobody(*words, cwd, **environment):
    """A command as a user without a name, a home and rights to write, who may read everything (a bare container)."""
    capability = "+dac_read_search"
    number = str(NOBODY)
    become = ["setpriv", "--reuid", number, "--regid", number, "--clear-groups"]
    become += ["--inh-caps", capability, "--ambient-caps", capability]
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]), **environment}
    return subprocess.run(
        [*become, *PROGRAM, *map(str, words)], cwd=cwd, env=variables, capture_output=True, text=True, check=False,
        timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip


bare = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can become a user without a name",
)


@pytest.mark.heavy
@bare
def test_a_user_without_a_home_is_told_to_name_a_journal(tmp_path, address):
    """Nothing is sent; with one named it goes."""
    tmp_path.chmod(0o755)
    (tmp_path / "hooks.csv").write_text(ROWS)
    own = tmp_path / "own"
    own.mkdir()
    os.chown(own, NOBODY, NOBODY)
    words = ("hooks.csv", "--base-url", address, "-o", own / "hooks.csv", "--no-progress", *UNLIMITED)
    before = len(stored(address))
    done = as_nobody("run", *words, cwd=tmp_path, **TOKEN)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--journal" in done.stderr
    assert len(stored(address)) == before
    for command in (("runs",), ("journal", "path"), ("plan", *words)):
        assert "--journal" in as_nobody(*command, cwd=tmp_path, **TOKEN).stderr
    assert as_nobody("check", "hooks.csv", cwd=tmp_path).returncode == 0
    assert as_nobody("run", *words, "--journal", own / "j.db", cwd=tmp_path, **TOKEN).returncode == 0


@bare
@pytest.mark.parametrize("more", [("--sandbox",), ("--write-back",), ()], ids=["sandbox", "write-back", "workbook"])
def test_without_a_folder_for_temporary_files_nothing_is_sent(tmp_path, address, more):
    """TMPDIR is named. Every folder that Python tries is closed to this user, the working directory too."""
    tmp_path.chmod(0o755)
    (tmp_path / "hooks.csv").write_text(ROWS)
    own = tmp_path / "own"
    own.mkdir()
    os.chown(own, NOBODY, NOBODY)
    output = own / ("hooks.csv" if more else "hooks.xlsx")
    before = len(stored(address))
    words = ["run", "hooks.csv", "--base-url", address, "-o", output, "--journal", own / "j.db", "--no-progress", *more]
    in_no_place = (
        "import runpy, sys, tempfile; tempfile._candidate_tempdir_list = lambda: ['/']; sys.argv[0] = 'bulkhooks';"
        " runpy.run_module('bulkhooks', run_name='__main__')"
    )
    become = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    become += ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    done = subprocess.run(
        [*become, sys.executable, "-c", in_no_place, *map(str, words)], cwd=tmp_path, capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]), **TOKEN}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "TMPDIR" in done.stderr
    assert len(stored(address)) == before
