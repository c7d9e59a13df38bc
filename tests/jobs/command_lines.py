"""Finds the command lines of job files and schedules, and gives them to the real parser without running anything."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree

import yaml

from bulkhooks.cli.app import app
from bulkhooks.config.sources import given_values

JOBS = Path(__file__).parents[2] / "jobs"
SCHEDULES = JOBS / "schedules"

_IN_COMMENT = re.compile(r"^#\s+bulkhooks (?P<words>.+?)(?:\s{2,}.*)?$", re.MULTILINE)
_IN_CONSOLE = re.compile(r"^bulkhooks (?P<words>.+)$", re.MULTILINE)
_CRON = re.compile(r"^(?:\S+\s+){5}(?P<line>\S*bulkhooks .+)$", re.MULTILINE)
_TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def in_comments(path: Path) -> list[list[str]]:
    """``#   bulkhooks check --job FILE     what it is for``."""
    return [shlex.split(found["words"]) for found in _IN_COMMENT.finditer(path.read_text("utf-8"))]


def in_readme() -> list[list[str]]:
    """The lines of its console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", (JOBS / "README.md").read_text("utf-8"), re.DOTALL)
    return [shlex.split(found["words"]) for block in blocks for found in _IN_CONSOLE.finditer(block)]


def in_crontab() -> list[list[str]]:
    """What follows the five fields of time."""
    text = (SCHEDULES / "crontab").read_text("utf-8")
    return [_without_program(shlex.split(found["line"])) for found in _CRON.finditer(text)]


def in_unit() -> list[list[str]]:
    """ExecStart, with %S as systemd has it."""
    line = unit("bulkhooks.service")["Service"]["ExecStart"].replace("%S", "/var/lib")
    return [_without_program(shlex.split(line))]


def in_cronjob() -> list[list[str]]:
    """The container's arguments behind the image's entry point."""
    return [container()["args"]]


def cluster() -> dict:
    """The services of the cluster in containers, by name."""
    return yaml.safe_load((SCHEDULES / "compose-cluster.yaml").read_text("utf-8"))["services"]


def in_compose() -> list[list[str]]:
    """What the container of the run is given behind the image's entry point."""
    return [cluster()["run"]["command"]]


def in_windows_task() -> list[list[str]]:
    """The task's arguments, as Windows splits what has no quotation marks."""
    action = ElementTree.parse(SCHEDULES / "windows-task.xml").getroot().find(f".//{_TASK}Exec")
    assert PureWindowsPath(action.findtext(f"{_TASK}Command")).name == "cmd.exe"
    *shell, program = (words := action.findtext(f"{_TASK}Arguments").split())[:3]
    assert (shell, PureWindowsPath(program).name) == (["/d", "/c"], "bulkhooks.exe")
    assert words[-1].startswith("2>>")
    return [words[3:-1]]


def unit(name: str) -> configparser.ConfigParser:
    """A systemd unit; of a key that stands there twice the last value."""
    parsed = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=", comment_prefixes="#")
    parsed.optionxform = str
    parsed.read_string((SCHEDULES / name).read_text("utf-8"))
    return parsed


def manifests() -> dict[str, dict]:
    """The Kubernetes objects by kind."""
    found = yaml.safe_load_all((SCHEDULES / "cronjob.yaml").read_text("utf-8"))
    return {manifest["kind"]: manifest for manifest in found}


def pod() -> dict:
    """The CronJob's pod."""
    return manifests()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def container() -> dict:
    """The pod's only container."""
    (only,) = pod()["containers"]
    return only


def parse(words: list[str]) -> tuple[str, dict[str, object]]:
    """The command and what its flags say, as the program reads them; SystemExit or a usage error where it does not."""
    name, command, rest = app.resolve_command(app.make_context("bulkhooks", words[:1]), words)
    flags = command.make_context(name, rest).params
    return name, given_values(name, flags, {}) | {"inputs": flags.get("inputs") or ()}


def _without_program(words: list[str]) -> list[str]:
    assert Path(words[0]).name == "bulkhooks"
    return words[1:]
