"""What the README shows is run as it stands there, in a copy of the samples, against a sandbox of its own process."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bulkhooks.config.job_file import read_job_file
from tests.docs.pages import ROOT, blocks
from tests.processes import bulkhooks, sandbox_process

README = ROOT / "README.md"
MOST_LINES = 299

_VARIES = (
    (re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}"), "RUN"),
    (re.compile(r"\b\d+(\.\d+)? (s|min|h)\b"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?"), "MOMENT"),
)
_SETTING = re.compile(r"[A-Z_]+=.*")


def _alike(text: str) -> str:
    """Text without what is different each time: ids of runs, times, spans of time."""
    for pattern, name in _VARIES:
        text = pattern.sub(name, text)
    return text


def _expected(shown: str) -> re.Pattern[str]:
    """What a command has to print: ``…`` on a line of its own is any lines, within a line any text."""
    pattern = ""
    for line in _alike(shown).splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(map(re.escape, line.split("…"))) + r"\n"
    return re.compile(pattern)


def _steps(text: str) -> Iterator[tuple[list[str], str]]:
    """The commands of a console block, each with what is shown below it."""
    for part in text.removeprefix("$ ").split("\n$ "):
        command, _, shown = part.partition("\n")
        yield shlex.split(command), shown


def _is_printed(shown: str, printed: str) -> bool:
    return _expected(shown).fullmatch(_alike(printed)) is not None


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A copy of what the examples use, and an environment without credentials but for a sandbox's."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "samples", folder / "samples")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NEXUDUS_", "BULKHOOKS_"))}
    environment["XDG_STATE_HOME"] = str(folder / "state")
    with sandbox_process(folder) as address:
        yield folder, environment | {"NEXUDUS_BASE_URL": address}


def test_the_consoles_of_the_readme_show_what_the_program_prints(workplace):
    folder, environment = workplace
    shown_blocks = [block.text for block in blocks(README) if block.language == "console"]
    assert len(shown_blocks) >= 5
    for text in shown_blocks:
        with ExitStack() as servers:
            port = "8899"
            for words, shown in _steps(text):
                here = [word.replace("8899", port) for word in words]
                if here[0] == "export":
                    name, _, value = here[1].partition("=")
                    environment[name] = value.replace("…", "sandbox-token")
                elif here[:2] == ["bulkhooks", "sandbox"]:
                    options = here[here.index("--port") + 2 :]
                    port = servers.enter_context(sandbox_process(folder, *options)).rpartition(":")[2]
                else:
                    _run(here, shown, folder, environment)


def _run(words: list[str], shown: str, folder: Path, environment: dict[str, str]) -> None:
    settings = dict(word.split("=", 1) for word in words if _SETTING.fullmatch(word))
    program, *arguments = words[len(settings) :]
    assert program == "bulkhooks", words
    done = bulkhooks(*arguments, cwd=folder, **environment | settings)
    assert done.returncode in {0, 1}, (words, done.stderr)
    assert _is_printed(shown, done.stdout), f"{shlex.join(words)} printed\n{done.stdout}\nand not\n{shown}"


def test_the_comparison_of_consoles_can_tell_a_difference():
    assert _is_printed("one 1 s\n…\nlast …\n", "one 22 s\nand\nmore\nlast of all\n")
    assert not _is_printed("one\n…\nlast\n", "one\nanother\n")
    assert not _is_printed("one\n", "one\ntwo\n")


def test_the_python_of_the_readme_gives_what_its_comments_say(workplace):
    folder, environment = workplace
    (code,) = [block.text for block in blocks(README) if block.language == "python"]
    checked, values = [], 0
    for line in code.splitlines():
        expression, hash_, value = line.partition("  # ")
        values += bool(hash_)
        checked.append(f"assert repr({expression}) == {value!r}, {expression}" if hash_ else line)
    assert values
    subprocess.run([sys.executable, "-c", "\n".join(checked)], cwd=folder, env=environment, check=True, timeout=120)


def test_the_job_files_of_the_readme_are_job_files(tmp_path):
    shown = [block.text for block in blocks(README) if block.language == "toml"]
    assert shown
    for text in shown:
        (tmp_path / "shown.toml").write_text(text, "utf-8")
        read_job_file(tmp_path / "shown.toml")


def test_the_readme_has_two_set_up_commands_that_use_what_is_there():
    commands = [line for line in README.read_text("utf-8").splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    for command in commands:
        assert all((ROOT / word).exists() for word in shlex.split(command) if word.startswith("samples/"))


def test_every_sample_and_picture_of_the_readme_is_there():
    text = README.read_text("utf-8")
    named = set(re.findall(r"samples[/\\][\w.-]+", text)) - {"samples/messy.results.xlsx"}
    assert len(named) >= 3
    assert [name for name in named if not (ROOT / name.replace("\\", "/")).exists()] == []


def test_the_readme_is_short_enough_to_be_read():
    assert len(README.read_text("utf-8").splitlines()) <= MOST_LINES
