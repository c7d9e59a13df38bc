"""Every command line that the job files and schedules show is one that the program takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click import UsageError

from bulkhooks.config.options import of_command
from tests.jobs import command_lines as found

SOURCES = {
    "onboarding.toml": lambda: found.in_comments(found.JOBS / "onboarding.toml"),
    "nightly.toml": lambda: found.in_comments(found.JOBS / "nightly.toml"),
    "accounts.toml": lambda: found.in_comments(found.JOBS / "accounts.toml"),
    "README.md": found.in_readme,
    "crontab": found.in_crontab,
    "bulkhooks.service": found.in_unit,
    "cronjob.yaml": found.in_cronjob,
    "compose-cluster.yaml": found.in_compose,
    "windows-task.xml": found.in_windows_task,
}
EXPECTED = {
    "onboarding.toml": 5,
    "nightly.toml": 3,
    "accounts.toml": 3,
    "README.md": 3,
    "crontab": 2,
    "bulkhooks.service": 1,
    "cronjob.yaml": 1,
    "compose-cluster.yaml": 1,
    "windows-task.xml": 1,
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_command_line_is_taken(name):
    """The real parser takes each line: its command is there, its options are that command's, their values are right."""
    lines = SOURCES[name]()
    assert len(lines) == EXPECTED[name]
    for words in lines:
        command, values = found.parse(words)
        assert values.keys() - {"inputs"} <= {option.name for option in of_command(command)}


@pytest.mark.parametrize("words", [["rnu", "a.xlsx"], ["run", "a.xlsx", "--strickt"], ["check", "--prune"]])
def test_a_line_with_an_unknown_word_is_not_taken(words):
    """The check would notice a command or an option that the program does not have."""
    with pytest.raises(UsageError):
        found.parse(words)


@pytest.mark.parametrize("name", ["crontab", "bulkhooks.service", "cronjob.yaml", "windows-task.xml"])
def test_schedules_ask_nobody_and_hold_no_secret(name):
    """A schedule runs a job file that exists here, and its line names no token, password or user."""
    text = (found.SCHEDULES / name).read_text("utf-8")
    runs = [values for command, values in map(found.parse, SOURCES[name]()) if command == "run"]
    assert [Path(str(values["job"]).replace("\\", "/")).name for values in runs] == ["nightly.toml"]
    assert "NEXUDUS_TOKEN=" not in text
    assert "NEXUDUS_PASSWORD=" not in text


def test_the_cluster_in_containers_is_whole():
    """All of it is there, its processes have the extra and the files of secrets, and no secret stands in it."""
    services = found.cluster()
    assert services.keys() == {"journal", "scheduler", "worker", "run"}
    assert services["worker"]["deploy"]["replicas"] == 2
    ((_, values),) = map(found.parse, found.in_compose())
    assert values["scheduler"] in services["worker"]["entrypoint"]
    assert values["journal"].startswith("postgresql://")
    for name in ("scheduler", "worker", "run"):
        build = services[name]["build"]
        assert build["args"] == {"EXTRAS": "[cluster]"}
        assert (found.SCHEDULES / build["context"] / build["dockerfile"]).exists()
    for name in ("worker", "run"):
        assert services[name]["env_file"] == "tokens.env"
        assert services[name]["secrets"] == ["pgpass"]
    # The scheduler needs no secret, and is reached from the inner network alone.
    assert (services["scheduler"]["env_file"], services["scheduler"]["networks"]) == ([], ["inside"])
    assert not any("ports" in service for service in services.values())
    variables = {name for service in services.values() for name in service.get("environment", {})}
    assert not any(word in name and not name.endswith("_FILE") for name in variables for word in ("PASSWORD", "TOKEN"))
