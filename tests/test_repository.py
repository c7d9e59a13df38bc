"""What stands around the package: its version, its workflows and its hooks name what is there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from bulkhooks import __version__
from tests.processes import bulkhooks

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CI = ".github/workflows/ci.yml"
RELEASE = ".github/workflows/release.yml"
TOP = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "bulkhooks", "jobs", "samples", "tests"}


def load(path):
    """A YAML file; ``on`` as the word that it is, not as true."""
    return yaml.load((ROOT / path).read_text("utf-8"), yaml.BaseLoader)


def steps(path):
    return [step for job in load(path)["jobs"].values() for step in job.get("steps", [])]


def test_every_place_names_the_version(tmp_path):
    """``--version``, the first heading of the changelog and the image of the schedule."""
    assert bulkhooks("--version", cwd=tmp_path).stdout == f"bulkhooks {__version__}\n"
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == __version__
    assert f"/bulkhooks:{__version__}\n" in (ROOT / "jobs/schedules/cronjob.yaml").read_text("utf-8")


def test_the_metadata_reads_the_version_from_the_package():
    """The project has no version of its own, and what is installed has the package's."""
    assert "version" in PROJECT["dynamic"]
    assert "version" not in PROJECT
    read = "from setuptools.config.pyprojecttoml import read_configuration as read"
    build = f"{read}; print(read('pyproject.toml')['project']['version'])"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", build], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == __version__


@pytest.mark.parametrize("path", [CI, RELEASE])
def test_workflows_name_paths_that_are_there(path):
    """Every word of a command that is a path, every workflow that another calls, and every extra."""
    commands = [step["run"] for step in steps(path) if "run" in step]
    words = [word.strip("\"'") for command in commands for word in command.split()]
    paths = [word for word in words if re.fullmatch(r"(\.ci|samples|tests|jobs|bulkhooks)/[\w./-]+", word)]
    paths += [job["uses"] for job in load(path)["jobs"].values() if "uses" in job]
    assert paths
    assert [each for each in paths if not (ROOT / each).exists()] == []
    extras = {name for word in words for name in re.findall(r"\.\[([\w,]+)\]", word)}
    assert extras <= set(PROJECT["optional-dependencies"])


def test_the_versions_of_python_are_those_of_the_package():
    """What the workflow tries is what the package claims."""
    tried = load(CI)["jobs"]["tests"]["strategy"]["matrix"]["python"]
    assert [f"Programming Language :: Python :: {each}" for each in tried] == [
        each for each in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", each)
    ]
    assert PROJECT["requires-python"] == f">={tried[0]}"


def test_only_the_step_that_publishes_may_ask_for_an_identity():
    """Nothing else of a workflow can write or sign in anywhere."""
    for path in (CI, RELEASE):
        assert load(path)["permissions"] == {"contents": "read"}
    asking = {name for name, job in load(RELEASE)["jobs"].items() if "permissions" in job}
    assert asking == {"publish"}
    assert load(RELEASE)["on"] == {"push": {"tags": ["v*"]}}


def test_hooks_run_what_the_extra_installs():
    """Each program of ``.pre-commit-config.yaml`` comes with the extra ``dev``."""
    programs = {hook["entry"].split()[0] for repo in load(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]}
    package = {"lint-imports": "import-linter"}
    installed = {re.split(r"[>\[]", each)[0] for each in PROJECT["optional-dependencies"]["dev"]}
    assert {package.get(each, each) for each in programs} <= installed
    assert "pre-commit" in installed


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_the_top_level_holds_nothing_else():
    """A reader finds each room at once; what is not one of them begins with a dot."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    top = {line.partition("/")[0] for line in listed}
    assert {each for each in top if not each.startswith(".")} == TOP
