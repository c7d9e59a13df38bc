"""The example job files are read, checked and run as they stand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest

from bulkhooks.config.accounts import read_toml
from bulkhooks.config.job_file import read_job_file
from bulkhooks.config.schema import job_schema
from tests.jobs.command_lines import JOBS, manifests
from tests.processes import bulkhooks

EXAMPLES = ["onboarding", "nightly", "accounts"]
VARIABLES = {"ACME_TOKEN": "a", "HARBOUR_USERNAME": "b", "HARBOUR_PASSWORD": "c"}
SHEET = "BusinessId,Action,URL\n1001,BookingCreate,https://example.com/hooks\n"


@pytest.fixture
def folder(tmp_path):
    """The job files beside the sheets that they name."""
    for name in EXAMPLES:
        shutil.copy(JOBS / f"{name}.toml", tmp_path)
    for place in ("inbox", "accounts"):
        (tmp_path / place).mkdir()
    (tmp_path / "inbox/new.csv").write_text(SHEET)
    return tmp_path


@pytest.mark.parametrize("name", EXAMPLES)
def test_is_read_and_agrees_with_the_schema(name):
    """Every example is what the program reads, and what an editor with the schema accepts."""
    path = JOBS / f"{name}.toml"
    assert read_job_file(path).name == name
    jsonschema.validate(read_toml(path), job_schema())
    assert path.read_text("utf-8").startswith("#:schema ../bulkhooks/config/job.schema.json\n")


def test_the_job_of_the_config_map_is_read(tmp_path):
    """The job file inside the Kubernetes manifest is one too."""
    path = tmp_path / "nightly.toml"
    path.write_text(manifests()["ConfigMap"]["data"]["nightly.toml"], "utf-8")
    job = read_job_file(path)
    assert job.notify.url_env == "NOTIFY_URL"
    assert job.values["journal"] == Path("/data/journal.db")
    jsonschema.validate(read_toml(path), job_schema())


@pytest.mark.parametrize("name", ["nightly", "accounts"])
def test_check_reads_it_without_sending(name, folder):
    """``check --job`` ends well where the variables are set; no journal is made."""
    done = bulkhooks("check", "--job", folder / f"{name}.toml", cwd=folder, **VARIABLES)
    assert done.returncode == 0, done.stderr
    assert not (folder / "state").exists()


def test_onboarding_from_its_template_to_its_results(folder):
    """The steps of the onboarding example, one after the other, against a sandbox."""
    assert bulkhooks("template", folder / "onboarding.xlsx", cwd=folder).returncode == 0
    empty = bulkhooks("check", "--job", "onboarding.toml", cwd=folder)
    assert empty.returncode == 2
    assert "onboarding.xlsx" in empty.stderr
    _fill_in(folder / "onboarding.xlsx")
    for command, more in (("check", ()), ("plan", ("--sandbox",)), ("run", ("--sandbox",))):
        done = bulkhooks(command, "--job", "onboarding.toml", *more, cwd=folder)
        assert done.returncode == 0, done.stderr
    assert (folder / "onboarding.sandbox.results.xlsx").exists()


def _fill_in(path):
    import openpyxl

    book = openpyxl.load_workbook(path)
    sheet = next(sheet for sheet in book if sheet.title == "Hooks")
    places = {cell.value: cell.column for cell in sheet[1]}
    for header, value in (("BusinessId", 1001), ("Action", "BookingCreate"), ("URL", "https://example.com/hooks")):
        sheet.cell(2, places[header], value)
    book.save(path)


def test_nightly_against_a_sandbox(folder):
    """The nightly example creates what the inbox asks for, and its results carry the date."""
    done = bulkhooks("run", "--job", "nightly.toml", "--sandbox", "--json", cwd=folder)
    summary = json.loads(done.stdout)
    assert (done.returncode, summary["counts"]) == (0, {"created": 1})
    (results,) = (folder / "results").iterdir()
    assert summary["outputs"] == [str(results.relative_to(folder))]


def test_nightly_with_an_empty_inbox(folder):
    """A night without sheets ends well, needs no credentials and leaves no results."""
    (folder / "inbox/new.csv").unlink()
    done = bulkhooks("run", "--job", "nightly.toml", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert not (folder / "results").exists()
