"""The commands: what each of them takes, and the function that does it. What they import is loaded when they run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bulkhooks.cli.completion import SHELLS, answer_an_earlier_script, show_script
from bulkhooks.cli.help import Command, Program
from bulkhooks.cli.parameters import CARE, choice, files, parameters
from bulkhooks.cli.terminal import remark, say
from bulkhooks.version import VERSION

if TYPE_CHECKING:
    from bulkhooks.cli.execute import Answer
    from bulkhooks.config.job import Job
    from bulkhooks.report import Report

F = TypeVar("F", bound=Callable[..., None])

_INPUTS = "Workbooks or delimited text; - is stdin."


@click.group(
    "bulkhooks",
    cls=Program,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, message="bulkhooks %(version)s", help="Print the version and exit.")
@click.option(
    "--show-completion",
    type=click.Choice(SHELLS),
    metavar="SHELL",
    callback=show_script,
    expose_value=False,
    is_eager=True,
    help="Print the completion script for bash, zsh or fish.",
)
def app() -> None:
    """Creates Nexudus webhooks from a spreadsheet: never twice, never lost, and a sheet that says what happened."""


def command(name: str, *arguments: tuple[click.Argument, str]) -> Callable[[F], F]:
    """Register a command with its arguments, the help of each, and every option that the table has for it."""

    def register(function: F) -> F:
        own = [argument for argument, _ in arguments]
        made = Command(name, callback=function, params=[*own, *parameters(name)], help=function.__doc__)
        made.argument_help = [text for _, text in arguments]
        app.add_command(made)
        return function

    return register


def main() -> None:
    """The program."""
    if answer_an_earlier_script(app, "bulkhooks"):
        return
    try:
        code = app.main(prog_name="bulkhooks", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        code = _not_understood(error)
    except click.Abort:
        code = 4
    sys.exit(code if isinstance(code, int) else 0)


def _not_understood(error: click.ClickException) -> int:
    """A command line that the parser does not take: a sentence, and with --json the object that every command has."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    path = ctx.command_path if ctx is not None else "bulkhooks"
    sentence = f"{error.format_message().rstrip('.')}; see `{path} --help`"
    remark(f"bulkhooks: {sentence}")
    if "--json" in sys.argv:
        from bulkhooks.cli.text import as_json, failed
        from bulkhooks.errors import UsageError
        from bulkhooks.report import Report

        say(as_json(Report(failed(UsageError(sentence)))))
    return error.exit_code


@command("run", (files("inputs", "INPUT", several=True), _INPUTS))
def _run(inputs: tuple[str, ...], **flags: Any) -> None:
    """Read, check, plan, send, write results."""
    from bulkhooks.cli import ask, text
    from bulkhooks.cli.execute import CommandLine, answer, execute
    from bulkhooks.cli.mapping import with_mapping
    from bulkhooks.cli.notify import attended
    from bulkhooks.cli.progress import watching
    from bulkhooks.commands.run import run

    line = CommandLine("run", inputs, flags)

    def send(job: Job) -> Report:
        with watching(job) as watcher:
            asking = ask.on_a_terminal()
            return with_mapping(job, lambda job: run(job, watcher=watcher, ask=asking, run_id=line.run_id))

    # Whoever is told of the run waits for all of it, the question included.
    execute(line, lambda job: answer(job, attended(job, lambda: send(job), line.run_id), text.closing))


@command("check", (files("inputs", "INPUT", several=True), _INPUTS))
def _check(inputs: tuple[str, ...], **flags: Any) -> None:
    """Read and check the input; sends nothing."""
    from bulkhooks.cli import text
    from bulkhooks.cli.execute import CommandLine, answer, execute
    from bulkhooks.cli.mapping import with_mapping
    from bulkhooks.commands.check import check

    execute(
        CommandLine("check", inputs, flags),
        lambda job: answer(job, with_mapping(job, check), text.checked, as_checked=True),
    )


@command("plan", (files("inputs", "INPUT", several=True), _INPUTS))
def _plan(inputs: tuple[str, ...], **flags: Any) -> None:
    """Tell what `run` would do now."""
    from bulkhooks.cli import text
    from bulkhooks.cli.execute import CommandLine, answer, execute
    from bulkhooks.cli.mapping import with_mapping
    from bulkhooks.commands.plan import plan

    execute(CommandLine("plan", inputs, flags), lambda job: answer(job, with_mapping(job, plan), text.planned))


@command("undo", (files("results", "RESULTS"), "The results file of a run."))
def _undo(results: str | None, **flags: Any) -> None:
    """Take back what a run created or changed."""
    from bulkhooks.cli import ask, text
    from bulkhooks.cli.execute import CommandLine, answer, execute
    from bulkhooks.cli.progress import watching
    from bulkhooks.commands.undo import undo

    line = CommandLine("undo", (results,) if results else (), flags)

    def work(job: Job) -> Answer:
        with watching(job) as watcher:
            report = undo(job, watcher=watcher, ask=ask.on_a_terminal(), run_id=line.run_id)
        return answer(job, report, text.closing)

    execute(line, work)


@command("health")
def _health(**flags: Any) -> None:
    """Tell every webhook's delivery health."""
    from bulkhooks.cli import ask, text
    from bulkhooks.cli.execute import CommandLine, answer, execute
    from bulkhooks.commands.health import health

    execute(
        CommandLine("health", (), flags),
        lambda job: answer(job, health(job, ask=ask.on_a_terminal()), text.delivered),
    )


@command("results")
def _results(**flags: Any) -> None:
    """Write the results of an earlier run again, from the journal."""
    from bulkhooks.cli import text
    from bulkhooks.cli.execute import CommandLine, answer, execute
    from bulkhooks.commands.history import results_again

    execute(CommandLine("results", (), flags), lambda job: answer(job, results_again(job), text.closing))


@command("runs")
def _runs(**flags: Any) -> None:
    """List the runs in the journal, newest first."""
    from bulkhooks.cli.execute import Answer, CommandLine, execute
    from bulkhooks.cli.runs import runs_as_json, runs_as_text
    from bulkhooks.commands.runs import runs

    execute(
        CommandLine("runs", (), flags),
        lambda job: Answer(runs_as_json(runs(job)) if job.json else runs_as_text(runs(job))),
    )


@command(
    "journal",
    (
        choice("action", CARE),
        "prune removes runs older than --keep; backup and copy copy; check reads all; path tells.",
    ),
    (files("places", "FILE", several=True), "Where backup puts the copy; of copy from where and to where."),
)
def _journal(action: str, places: tuple[str, ...], **flags: Any) -> None:
    """Care for the journal: `prune --keep 90d`, `backup FILE`, `copy FROM TO`, `path`, `check`."""
    from bulkhooks.cli.execute import Answer, CommandLine, execute
    from bulkhooks.cli.runs import cared_for

    execute(CommandLine("journal", (), flags), lambda job: Answer(cared_for(job, action, places)))


@command("template", (files("output", "OUT.xlsx", required=True), "Where the workbook goes."))
def _template(output: str, **flags: Any) -> None:
    """Write an empty input workbook with drop-downs."""
    from bulkhooks.cli import text
    from bulkhooks.cli.execute import Answer, CommandLine, execute
    from bulkhooks.commands.template import template
    from bulkhooks.report import Report, Summary

    def work(job: Job) -> Answer:
        path = template(job, output)
        return Answer(text.as_json(Report(Summary("", outputs=[path]))) if job.json else f"Template: {path}")

    execute(CommandLine("template", (), flags), work)


@command("export", (files("output", "OUT", required=True), "Where the sheet goes: .xlsx, .csv or .jsonl."))
def _export(output: str, **flags: Any) -> None:
    """Write what the server has as a sheet that `run` takes."""
    from bulkhooks.cli import text
    from bulkhooks.cli.execute import CommandLine, answer, execute
    from bulkhooks.cli.progress import watching
    from bulkhooks.commands.export import export

    def work(job: Job) -> Answer:
        with watching(job) as watcher:
            report = export(job, output, watcher=watcher)
        return answer(job, report, text.exported)

    execute(CommandLine("export", (), flags), work)


@command("actions")
def _actions(**flags: Any) -> None:
    """List the 90 events: number, name, and the words of the admin panel."""
    from bulkhooks.actions import all_actions, label_of
    from bulkhooks.cli.execute import Answer, CommandLine, execute

    events = [{"number": number, "name": name, "panel": label_of(number)} for number, name in all_actions()]
    wide = max(len(name) for _, name in all_actions())

    def work(job: Job) -> Answer:
        if job.json:
            return Answer(json.dumps(events, indent=2))
        lines = (f"{event['number']:>2}  {event['name']:<{wide}}  {event['panel']}".rstrip() for event in events)
        return Answer("\n".join(lines))

    execute(CommandLine("actions", (), flags), work)


@command("serve")
def _serve(**flags: Any) -> None:
    """Open a page for those who have the spreadsheet and no terminal."""
    from bulkhooks.cli.serve import serve_page

    serve_page(flags)


@command("sandbox")
def _sandbox(**flags: Any) -> None:
    """Run a local server that behaves like Nexudus. Without --rate it sets no limits."""
    from bulkhooks.cli.logs import logging_for
    from bulkhooks.config.job import Job
    from bulkhooks.config.sources import given_values
    from bulkhooks.errors import BulkhooksError
    from bulkhooks.sandbox.options import options_from
    from bulkhooks.sandbox.server import SandboxError, serve

    def announce(address: str) -> None:
        say(address)
        sys.stdout.flush()

    try:
        given = given_values("sandbox", flags, os.environ)
        host, port = str(given.pop("host", "127.0.0.1")), int(str(given.pop("port", 8899)))
        if port > 65_535:
            raise ValueError(f"--port {port}: there is no such port; the highest is 65535")
        with logging_for(Job()):
            serve(options_from(given), host=host, port=port, announce=announce)
    except (BulkhooksError, SandboxError, ValueError) as error:
        remark(f"bulkhooks: {error}")
        raise click.exceptions.Exit(2) from None
