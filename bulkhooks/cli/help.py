"""The help of a command: its options by section with their defaults, then examples; plain text in 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

import click

from bulkhooks.cli.terminal import remark
from bulkhooks.config.option import Option
from bulkhooks.config.options import DELIVERY, GROUPS, OUTPUT, SANDBOX_GROUPS, SERVE_GROUPS, of_command
from bulkhooks.errors import Stopped

_OPTION_WIDTH = 30
"""Columns for an option and its value; a longer one has a line of its own."""

_WHERE_ELSE = (
    "Every long option can also be set as BULKHOOKS_<OPTION>, or in a job file (--job). Flags are off unless they are"
    " given; --no-<flag> takes one back."
)

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        "bulkhooks run hooks.xlsx --sandbox",
        "bulkhooks run hooks.xlsx",
        "bulkhooks run hooks.xlsx --if-exists update --canary 5 -o done.xlsx",
        "bulkhooks run --job jobs/nightly.toml",
    ),
    "check": (
        "bulkhooks check hooks.xlsx",
        "bulkhooks check hooks.xlsx -o problems.xlsx --write-back",
        "bulkhooks check hooks.xlsx --live --probe",
    ),
    "plan": (
        "bulkhooks plan hooks.xlsx",
        "bulkhooks plan hooks.xlsx --if-exists update -o plan.xlsx",
        "bulkhooks plan --job jobs/nightly.toml --expect-no-changes",
    ),
    "undo": (
        "bulkhooks undo hooks.results.xlsx",
        "bulkhooks undo hooks.results.xlsx --owned",
        "bulkhooks undo --run last --yes",
    ),
    "health": (
        "bulkhooks health -o health.xlsx",
        "bulkhooks health --only failing --only disabled",
        "bulkhooks health --reactivate",
    ),
    "export": ("bulkhooks export hooks.xlsx", "bulkhooks export all.csv --accounts accounts.toml"),
    "results": ("bulkhooks results --run last -o again.xlsx",),
    "runs": ("bulkhooks runs", "bulkhooks runs --json"),
    "journal": (
        "bulkhooks journal prune --keep 90d",
        "bulkhooks journal backup journal-copy.db",
        "bulkhooks journal copy journal.db postgresql://me@host/hooks",
        "bulkhooks journal check",
    ),
    "template": ("bulkhooks template hooks.xlsx", "bulkhooks template hooks.xlsx --locations live"),
    "serve": (
        "bulkhooks serve --sandbox",
        "bulkhooks serve",
        "bulkhooks serve --job jobs/nightly.toml --no-open",
    ),
    "actions": ("bulkhooks actions", "bulkhooks actions --json"),
    "sandbox": (
        "bulkhooks sandbox",
        "bulkhooks sandbox --rate 60/min --fault drop-after=0.1 --seed 1",
    ),
}
"""Command lines that work as they stand, by command."""

_FIRST_STEPS = (
    "bulkhooks template hooks.xlsx         an empty sheet to fill in",
    "bulkhooks check hooks.xlsx            what is wrong with it; sends nothing",
    "bulkhooks run hooks.xlsx --sandbox    a rehearsal on this machine",
    "bulkhooks plan hooks.xlsx             what a run would do now",
    "bulkhooks run hooks.xlsx              create the webhooks",
)


class Program(click.Group):
    """The program's own help: the commands in the order of their use, and the first steps."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands as they were registered."""
        del ctx
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # the parser's own signature
        """Write the first steps as they stand, and where else options may be set."""
        _write_examples(formatter, "First steps", _FIRST_STEPS)
        formatter.write_paragraph()
        formatter.write_text(_WHERE_ELSE)


class Command(click.Command):
    """A command whose options come from the table. A signal that comes while it is still loading ends it with 4."""

    argument_help: Sequence[str] = ()

    def invoke(self, ctx: click.Context) -> object:
        """Load and do the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            remark("bulkhooks: stopped before anything was sent; run the same command again")
            ctx.exit(Stopped.exit_code)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the arguments, then the options of each section, then --help."""
        own = (parameter for parameter in self.params if isinstance(parameter, click.Argument))
        arguments = [
            (parameter.make_metavar(ctx), text) for parameter, text in zip(own, self.argument_help, strict=True)
        ]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl(arguments, col_max=_OPTION_WIDTH)
        options = of_command(self.name or "")
        for group in (*SERVE_GROUPS, *GROUPS, *SANDBOX_GROUPS):
            records = [_record(option) for option in options if option.group == group]
            if group in {OUTPUT, DELIVERY} and records:
                records.append(("-h, --help", "Show this message and exit."))
            if records:
                with formatter.section(group):
                    formatter.write_dl(records, col_max=_OPTION_WIDTH)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # the parser's own signature
        """Write the examples as they stand."""
        _write_examples(formatter, "Examples", EXAMPLES[self.name or ""])
        if self.name != "actions":
            formatter.write_paragraph()
            formatter.write_text(_WHERE_ELSE)


def _record(option: Option) -> tuple[str, str]:
    """``-o, --output PATH`` and what it does, with its default."""
    flags = ", ".join(filter(None, (option.short, option.flag)))
    notes = []
    if option.repeatable:
        notes.append("repeatable")
    if option.shown_default:
        notes.append(f"default: {option.shown_default}")
    note = f" [{'; '.join(notes)}]" if notes else ""
    return f"{flags} {option.metavar}".rstrip(), option.help + note


def _write_examples(formatter: click.HelpFormatter, title: str, lines: tuple[str, ...]) -> None:
    with formatter.section(title):
        for line in lines:
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
