"""Shell completion: the scripts for the shells, and the protocol of those that an earlier version installed."""

from __future__ import annotations

import os

import click
from click.shell_completion import BashComplete, CompletionItem, get_completion_class

VARIABLE = "_BULKHOOKS_COMPLETE"
"""Set by the shell's script when it asks what may follow."""

SHELLS = ("bash", "zsh", "fish")


class _ValuesOnly(BashComplete):
    """Version 0.1's script for bash takes the bare values, and completes file names where there is none."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        return [item for item in super().get_completions(args, incomplete) if item.type == "plain"]

    def format_completion(self, item: CompletionItem) -> str:
        return str(item.value)


def answer_an_earlier_script(program: click.Command, name: str) -> bool:
    """Answer a shell whose script is version 0.1's; False where no such script asks."""
    if os.environ.get(VARIABLE) != "complete_bash":
        return False
    click.echo(_ValuesOnly(program, {}, name, VARIABLE).complete())
    return True


def show_script(ctx: click.Context, param: click.Parameter, shell: str | None) -> None:
    """Print the script that makes a shell complete command lines of this program, and exit."""
    del param
    if shell is None or ctx.resilient_parsing:
        return
    script = get_completion_class(shell)
    assert script is not None  # noqa: S101  # the choices are those that click has
    click.echo(script(ctx.command, {}, "bulkhooks", VARIABLE).source())
    ctx.exit()
