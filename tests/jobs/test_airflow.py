"""The DAG with mapped tasks, run by a real Airflow in an environment that the test makes."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys

import pytest

from tests.jobs.command_lines import JOBS, SCHEDULES
from tests.processes import bulkhooks, sandbox_process, stored

NAMES = ("acme", "birch", "oak")
_PATIENCE = 1800
"""Seconds: Airflow has many packages."""


@pytest.fixture
def airflow(tmp_path):
    """The folder of programs of an environment with Airflow 3 and this package."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=_PATIENCE)
    copy = tmp_path / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "bulkhooks"):
        (shutil.copytree if (JOBS.parent / name).is_dir() else shutil.copy)(JOBS.parent / name, copy / name)
    install = [folder / "bin/python", "-m", "pip", "install", "-q", "apache-airflow>=3,<4", f"{copy}[cluster]"]
    done = subprocess.run(install, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    if done.returncode:
        pytest.skip(f"Airflow cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
    return folder / "bin"


@pytest.mark.heavy
def test_airflow_runs_all_shards_and_then_the_results(airflow, tmp_path, shared_journal):
    """``airflow dags test``: each account's rows are created once, and the last task has written all of them."""
    home, folder = tmp_path / "home", tmp_path / "folder"
    for made in (home / "dags", folder / "results"):
        made.mkdir(parents=True)
    shutil.copy(SCHEDULES / "airflow_shards.py", home / "dags")
    rows = [
        f"{number},BookingCreate,https://h.example.com/{name},{name}\n" for number in (1001, 1002) for name in NAMES
    ]
    (folder / "hooks.csv").write_text("BusinessId,Action,URL,Account\n" + "".join(rows))
    with sandbox_process(tmp_path) as address:
        accounts = (f'[accounts.{name}]\ntoken_env = "TOKEN"\nbase_url = "{address}"\n' for name in NAMES)
        (folder / "accounts.toml").write_text("".join(accounts))
        environment = {
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "BULKHOOKS_FOLDER": str(folder),
            "BULKHOOKS_JOURNAL": shared_journal,
            "PATH": f"{airflow}{os.pathsep}{os.environ['PATH']}",
            "TOKEN": "sandbox-token",
        }
        for words in (["db", "migrate"], ["dags", "test", "nexudus_shards"]):
            done = subprocess.run(
                [airflow / "airflow", *words], cwd=tmp_path, env=environment, capture_output=True, text=True,
                check=False, timeout=_PATIENCE,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
        assert len(stored(address)) == len(rows)
    (whole,) = (folder / "results").glob("*.xlsx")
    again = bulkhooks("results", "--run", whole.stem, "--journal", shared_journal, "-o", "whole.csv", cwd=tmp_path)
    assert again.returncode == 0, again.stdout
    with (tmp_path / "whole.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row["Status"] for row in csv.DictReader(file)] == ["created"] * len(rows)
