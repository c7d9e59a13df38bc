"""Where the job's memory is: a file, or the address of a database, which never holds a password."""

from __future__ import annotations

import pytest

from bulkhooks import Job
from bulkhooks.errors import UsageError
from tests.processes import bulkhooks


@pytest.mark.parametrize(
    "address", ["postgresql://me:hunter2@db/hooks", "postgres://db/hooks?user=me&password=hunter2"]
)
def test_a_password_in_the_address_is_refused_and_not_shown(address):
    with pytest.raises(UsageError, match="leave it out, and put it into the file that PGPASSFILE names") as refused:
        Job(journal=address)
    assert "hunter2" not in str(refused.value)


def test_an_address_is_kept_as_it_is_and_a_path_is_a_path(tmp_path):
    assert Job(journal="postgres://me@db/hooks").journal == "postgresql://me@db/hooks"
    assert Job(journal=str(tmp_path / "j.db")).journal == tmp_path / "j.db"


def test_a_database_that_cannot_be_reached_is_a_sentence(tmp_path):
    """Nothing listens there; nothing was sent."""
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001,BookingCreate,https://hooks.example.com/in\n")
    done = bulkhooks(
        "run", "hooks.csv", "--journal", "postgresql://me@127.0.0.1:9/hooks", "--base-url", "http://127.0.0.1:9",
        cwd=tmp_path, NEXUDUS_TOKEN="x",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("bulkhooks: postgresql://127.0.0.1:9/hooks: the journal cannot be reached")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["", "a b", "-x", "ü", "x" * 101, "last"])
def test_a_name_that_no_run_can_have_is_refused(tmp_path, name):
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001,BookingCreate,https://hooks.example.com/in\n")
    done = bulkhooks("run", "hooks.csv", "--sandbox", f"--run-id={name}", cwd=tmp_path)
    assert (done.returncode, "--run-id" in done.stderr) == ((0, False) if not name else (2, True))


def test_a_run_has_the_name_that_it_was_given_and_no_other_run_has_it(tmp_path):
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001,BookingCreate,https://hooks.example.com/in\n")
    from bulkhooks.sandbox.server import Sandbox

    with Sandbox() as sandbox:
        given = ("run", "hooks.csv", "--journal", "j.db", "--base-url", sandbox.base_url, "--run-id", "night-1")
        env = {"NEXUDUS_TOKEN": sandbox.token}
        first = bulkhooks(*given, "--log-format", "json", cwd=tmp_path, **env)
        again = bulkhooks(*given, cwd=tmp_path, **env)
    assert first.returncode == 0, first.stderr
    assert '"run_id": "night-1"' in first.stderr
    assert "run night-1:" in first.stdout
    assert again.returncode == 2
    assert "bulkhooks results --run night-1" in again.stderr
