"""The commands: parse, call, print, exit code; nothing else."""

from __future__ import annotations

import inspect
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bulkhooks.config.option import COUNT, FLAG, Option
from bulkhooks.config.options import of_command
from bulkhooks.version import VERSION

if TYPE_CHECKING:
    from bulkhooks.config.job import Job
    from bulkhooks.errors import BulkhooksError
    from bulkhooks.report import Question, Report

_log = logging.getLogger("bulkhooks")

app = typer.Typer(
    help="Creates Nexudus webhooks from a spreadsheet: never twice, never lost, and a sheet that says what happened.",
    epilog="Every long option can also be set as BULKHOOKS_<OPTION>, or in a job file (--job).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Inputs = Annotated[
    list[str] | None, typer.Argument(metavar="INPUT...", help="Workbooks or delimited text; - is stdin.")
]
Flags = dict[str, Any]


def _parameter(option: Option) -> inspect.Parameter:
    """An option of the table as typer wants it: as text, for its value is made in one place."""
    declarations = [option.flag]
    kind: Any = list[str] if option.repeatable else str
    if option.kind == FLAG:
        kind = bool
        if not option.name.startswith("no_"):
            declarations = [f"{option.flag}/--no-{option.flag[2:]}"]
    elif option.kind == COUNT:
        kind = int
    declarations += [option.short] if option.short else []
    said = typer.Option(
        *declarations,
        help=option.help,
        metavar=option.metavar or None,
        show_default=False,
        count=option.kind == COUNT,
    )
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, said]
    )


def command(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command with its own parameters and every option that the table has for it."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(function, eval_str=True)
        kept = [parameter for parameter in own.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
        parameters = [*kept, *map(_parameter, of_command(name))]
        function.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name)(function)
        return function

    return register


def main() -> None:
    """The program."""
    app(prog_name="bulkhooks")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bulkhooks {VERSION}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool | None, typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version and end.")
    ] = None,
) -> None:
    pass


# The commands


@command("run")
def _run(inputs: Inputs = None, **flags: Any) -> None:
    """Read, check, plan, send, write results."""
    from bulkhooks.cli.progress import watching
    from bulkhooks.commands.run import run

    def work(job: Job) -> Report:
        with watching(job) as watcher:
            return run(job, watcher=watcher, ask=_ask_on_a_terminal())

    _carry_out("run", inputs, flags, work, "closing")


@command("check")
def _check(inputs: Inputs = None, **flags: Any) -> None:
    """Read and check the input; sends nothing."""
    from bulkhooks.commands.check import check

    _carry_out("check", inputs, flags, check, "checked")


@command("plan")
def _plan(inputs: Inputs = None, **flags: Any) -> None:
    """Tell what `run` would do now."""
    from bulkhooks.commands.plan import plan

    _carry_out("plan", inputs, flags, plan, "planned")


@command("undo")
def _undo(
    results: Annotated[str | None, typer.Argument(metavar="RESULTS", help="The results file of a run.")] = None,
    **flags: Any,
) -> None:
    """Delete what a run created."""
    from bulkhooks.cli.progress import watching
    from bulkhooks.commands.undo import undo

    def work(job: Job) -> Report:
        with watching(job) as watcher:
            return undo(job, watcher=watcher, ask=_ask_on_a_terminal())

    _carry_out("undo", [results] if results else None, flags, work, "closing")


@command("health")
def _health(**flags: Any) -> None:
    """Tell every webhook's delivery health."""
    from bulkhooks.commands.health import health

    _carry_out("health", None, flags, lambda job: health(job, ask=_ask_on_a_terminal()), "delivered")


@command("results")
def _results(**flags: Any) -> None:
    """Write the results of an earlier run again, from the journal."""
    from bulkhooks.commands.history import results_again

    _carry_out("results", None, flags, results_again, "closing")


@command("runs")
def _runs(**flags: Any) -> None:
    """List the runs in the journal, newest first."""
    from bulkhooks.cli.text import runs_as_json, runs_as_text
    from bulkhooks.commands.history import runs

    def work(job: Job) -> None:
        found = runs(job)
        typer.echo(runs_as_json(found) if job.json else runs_as_text(found))

    _carry_out("runs", None, flags, work)


@command("template")
def _template(
    output: Annotated[str, typer.Argument(metavar="OUT.xlsx", help="Where the workbook goes.")], **flags: Any
) -> None:
    """Write an empty input workbook with drop-downs."""
    from bulkhooks.cli.text import as_json
    from bulkhooks.commands.template import template
    from bulkhooks.report import Report, Summary

    def work(job: Job) -> None:
        path = template(job, output)
        typer.echo(as_json(Report(Summary("", outputs=[path]))) if job.json else f"Template: {path}")

    _carry_out("template", None, flags, work)


@command("actions")
def _actions(**flags: Any) -> None:
    """List the 90 events: number and name."""
    import json

    from bulkhooks.actions import all_actions

    def work(job: Job) -> None:
        if job.json:
            typer.echo(json.dumps([{"number": number, "name": name} for number, name in all_actions()], indent=2))
        else:
            typer.echo("\n".join(f"{number:>2}  {name}" for number, name in all_actions()))

    _carry_out("actions", None, flags, work)


# What all of them share


def _carry_out(
    name: str, inputs: list[str] | None, flags: Flags, work: Callable[[Job], Report | None], words: str = ""
) -> None:
    """Settle the options, do the work, say what came of it, and end with its exit code."""
    from bulkhooks.cli import text as say
    from bulkhooks.cli.logs import logging_as_told
    from bulkhooks.config.sources import resolve
    from bulkhooks.errors import BulkhooksError, Stopped

    wants_json, is_logged = bool(flags.get("json")), False
    try:
        job = resolve(name, flags, os.environ, tuple(inputs or ()))
        wants_json, is_logged = job.json, job.log_format == "json" and not job.log_file
        with logging_as_told(job):
            report = _attended(name, job, work)
            if report is not None:
                for line in report.warnings if name == "check" else say.remarks(report):
                    _log.warning(line)
                if job.json:
                    typer.echo(say.as_json(report, with_problems=name == "check"))
                elif not job.quiet:
                    typer.echo(getattr(say, words)(report))
                raise typer.Exit(report.exit_code)
    except BulkhooksError as error:
        _fail(error, inputs, wants_json, is_logged)
    except KeyboardInterrupt:
        _fail(Stopped("stopped before anything was sent; run the same command again"), inputs, wants_json, False)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            _unexpected(error)
        # Whoever read our output has gone; what is still buffered would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except typer.Exit:
        raise
    except Exception as error:  # noqa: BLE001  # no traceback reaches a user
        _unexpected(error)


def _unexpected(error: Exception) -> NoReturn:
    """A mistake of this program: one sentence, and the traceback for those who ask for it with -vv."""
    from bulkhooks.cli.logs import without_secrets

    kind = type(error).__name__
    typer.echo(without_secrets(f"bulkhooks: this should not have happened ({kind}: {error})."), err=True)
    typer.echo(
        "What was sent is in the journal, and the same command goes on from there; -vv shows where it was.", err=True
    )
    if "-vv" in sys.argv:
        import traceback

        typer.echo(without_secrets("".join(traceback.format_exception(error))), err=True)
    raise typer.Exit(4) from None


def _attended(name: str, job: Job, work: Callable[[Job], Report | None]) -> Report | None:
    """Do the work, and tell those whom the job wants told; they wait for the run, not for a look between two."""
    if name != "run":
        return work(job)
    from bulkhooks.cli.notify import attended

    return attended(job, lambda: work(job))


def _fail(error: BulkhooksError, inputs: list[str] | None, wants_json: bool, is_logged: bool) -> None:
    from bulkhooks.cli import text as say
    from bulkhooks.cli.logs import without_secrets
    from bulkhooks.report import Report

    if not is_logged:
        typer.echo(f"bulkhooks: {without_secrets(str(error))}", err=True)
    if wants_json:
        typer.echo(say.as_json(Report(say.failed(error, inputs or ()))))
    raise typer.Exit(error.exit_code) from None


def _ask_on_a_terminal() -> Callable[[Question], bool] | None:
    """Someone to ask, where there is a person before the screen."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: Question) -> bool:
        from bulkhooks.cli.text import forecast_lines

        if question.forecast is not None:
            typer.echo("\n".join(forecast_lines(question.forecast)), err=True)
        # The run listens to signals by itself; before this question they mean what they mean elsewhere.
        listening = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return typer.confirm(question.sentence, err=True)
        except (typer.Abort, KeyboardInterrupt, EOFError):
            return False
        finally:
            signal.signal(signal.SIGINT, listening)

    return ask


# The sandbox


@command("sandbox")
def _sandbox(**flags: Any) -> None:
    """Run a local server that behaves like Nexudus. Without --rate it sets no limits."""
    from bulkhooks.config.sources import given_values
    from bulkhooks.errors import BulkhooksError
    from bulkhooks.sandbox.options import options_from
    from bulkhooks.sandbox.server import SandboxError, serve

    try:
        told = given_values("sandbox", flags, os.environ)
        host, port = str(told.pop("host", "127.0.0.1")), int(str(told.pop("port", 8899)))
        if port > 65_535:
            raise ValueError(f"--port {port}: there is no such port; the highest is 65535")
        serve(options_from(told), host=host, port=port, announce=typer.echo)
    except (BulkhooksError, SandboxError, ValueError) as error:
        typer.echo(f"bulkhooks: {error}", err=True)
        raise typer.Exit(2) from None
