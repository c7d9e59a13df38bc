"""The help of every command, how long it takes to load, and what a shell is told."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from bulkhooks.cli.app import app
from bulkhooks.cli.help import EXAMPLES
from bulkhooks.config.options import of_command
from tests.jobs.command_lines import parse
from tests.processes import PROGRAM, bulkhooks

COMMANDS = list(app.commands)
HEAVY = ("pandas", "numpy", "httpx", "pydantic", "anyio", "openpyxl", "rich", "sqlite3")


def _help(*words):
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, [*words, "--help"], terminal_width=80).output


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_every_option_with_its_default_in_80_columns(command):
    """Sections in one order, each option once, its default behind it, and no line that a terminal would break."""
    text = _help(command)
    flat = " ".join(text.split())
    for option in of_command(command):
        assert text.count(f"{option.flag} ") + text.count(f"{option.flag}\n") >= 1
        assert f"\n{option.group}:\n" in text
        if option.shown_default:
            assert f"default: {' '.join(option.shown_default.split())}]" in flat
    assert max(map(len, text.splitlines())) <= 80
    assert "\nExamples:\n" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_a_command_are_command_lines_that_the_parser_takes(command):
    """Each begins with the program and the command, and its flags become values."""
    for example in EXAMPLES[command]:
        program, *words = shlex.split(example)
        assert (program, parse(words)[0]) == ("bulkhooks", command)


def test_the_programs_help_lists_the_commands_in_the_order_of_their_use():
    """The first that anybody needs is the first."""
    text = _help()
    assert [line.split()[0] for line in text.split("Commands:\n")[1].split("\n\n")[0].splitlines()] == COMMANDS
    assert COMMANDS[0] == "run"
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([command, "--help"] for command in COMMANDS)])
def test_help_loads_nothing_that_it_does_not_need(words):
    """Neither frames nor HTTP nor a journal: help answers at once."""
    code = (
        "import sys\nfrom bulkhooks.cli.app import app\n"
        f"try:\n    app.main({words!r}, prog_name='bulkhooks')\nexcept SystemExit:\n    pass\n"
        f"sys.exit(', '.join(name for name in {HEAVY!r} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# Completion


def _completed(line, instruction="bash_complete"):
    """What the program answers bash when TAB is pressed at the end of a line."""
    words = line.split(" ")
    answered = subprocess.run(
        PROGRAM,
        env={
            **os.environ,
            "_BULKHOOKS_COMPLETE": instruction,
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return answered.stdout.split()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("bulkhooks ru", ["plain,run", "plain,runs"]),
        ("bulkhooks run --if-exists ", ["plain,skip", "plain,update", "plain,fail"]),
        ("bulkhooks run --if-exists u", ["plain,update"]),
        ("bulkhooks run --auth b", ["plain,bearer", "plain,basic"]),
        ("bulkhooks check --log-format j", ["plain,json"]),
        ("bulkhooks health --only di", ["plain,disabled"]),
        ("bulkhooks sandbox --role c", ["plain,create-only"]),
        ("bulkhooks results --run l", ["plain,last"]),
        ("bulkhooks run --max-d", ["plain,--max-deletes"]),
        ("bulkhooks run ho", ["file,ho"]),
        ("bulkhooks run --journal jo", ["file,jo"]),
        ("bulkhooks plan --locations li", ["plain,live"]),
        ("bulkhooks plan --locations ta", ["file,ta"]),
    ],
)
def test_a_shell_is_told_what_may_follow(line, found):
    """Commands, flags, choices and words; where a file may stand, the shell completes its name."""
    assert _completed(line) == found


def test_a_script_of_an_earlier_version_goes_on_working():
    """It takes bare values, and completes file names by itself where there is none."""
    assert _completed("bulkhooks run --if-exists ", "complete_bash") == ["skip", "update", "fail"]
    assert _completed("bulkhooks run ho", "complete_bash") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(shell, tmp_path):
    """It asks the program by its variable."""
    done = bulkhooks("--show-completion", shell, cwd=tmp_path)
    assert done.returncode == 0
    assert f"_BULKHOOKS_COMPLETE={shell}_complete" in done.stdout


def test_every_option_with_a_value_says_what_stands_for_it():
    """A metavar beside the flag; a switch has none."""
    for command in app.commands.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.is_flag and not parameter.count:
                assert parameter.metavar
