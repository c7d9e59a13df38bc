"""Does what a command line asks for: options, work, answer, exit code. No traceback reaches a user."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import click

from bulkhooks.cli import text
from bulkhooks.cli.logs import logging_for
from bulkhooks.cli.terminal import printable
from bulkhooks.config.job import Job
from bulkhooks.config.sources import resolve
from bulkhooks.errors import BulkhooksError, Stopped
from bulkhooks.redact import without_secrets
from bulkhooks.report import Report

_log = logging.getLogger("bulkhooks")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command as the parser read it. ``flags`` holds what was given, as text; None stands for what was not."""

    command: str
    inputs: Sequence[str]
    flags: Mapping[str, object]

    @property
    def verbose(self) -> int:
        """How many -v there are."""
        return int(str(self.flags.get("verbose") or 0))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers: ``text`` for stdout (nothing where it is empty), ``remarks`` for stderr."""

    text: str
    exit_code: int = 0
    remarks: Iterable[str] = ()


def answer(job: Job, report: Report, words: Callable[[Report], str], *, as_checked: bool = False) -> Answer:
    """A report as an answer: its summary as JSON, or in the words of the command; a check tells every problem."""
    remarks = map(str, report.warnings) if as_checked else text.remarks(report)
    if job.json:
        return Answer(text.as_json(report, with_problems=as_checked), report.exit_code, remarks)
    return Answer("" if job.quiet else words(report), report.exit_code, remarks)


def execute(line: CommandLine, work: Callable[[Job], Answer]) -> NoReturn:
    """Resolve the options, do the work, print the answer and exit with its code."""
    wants_json, verbose, is_logged = bool(line.flags.get("json")), line.verbose, False
    try:
        job = resolve(line.command, line.flags, os.environ, tuple(line.inputs))
        wants_json, verbose = job.json, job.verbose
        is_logged = job.log_format == "json" and job.log_file is None
        with logging_for(job):
            found = work(job)
            for remark in found.remarks:
                _log.warning(remark)
            if found.text:
                click.echo(found.text if job.json else printable(found.text))
            raise click.exceptions.Exit(found.exit_code)
    except BulkhooksError as error:
        _fail(error, line, wants_json=wants_json, is_logged=is_logged)
    except KeyboardInterrupt:
        stopped = Stopped("stopped before anything was sent; run the same command again")
        _fail(stopped, line, wants_json=wants_json, is_logged=False)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            _unexpected(error, verbose)
        # Whoever read our output has gone; what is still buffered would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(1) from None
    except click.exceptions.Exit:
        raise
    except Exception as error:  # noqa: BLE001  # no traceback reaches a user
        _unexpected(error, verbose)


def _fail(error: BulkhooksError, line: CommandLine, *, wants_json: bool, is_logged: bool) -> NoReturn:
    """Tell the error: one sentence on stderr, unless it is in a JSON log there already, and the summary as JSON."""
    if not is_logged:
        click.echo(f"bulkhooks: {printable(without_secrets(str(error)))}", err=True)
    if wants_json:
        click.echo(text.as_json(Report(text.failed(error, line.inputs))))
    raise click.exceptions.Exit(error.exit_code) from None


def _unexpected(error: Exception, verbose: int) -> NoReturn:
    """A mistake of this program: one sentence, and the traceback for those who ask for it with -vv."""
    kind = type(error).__name__
    click.echo(printable(without_secrets(f"bulkhooks: this should not have happened ({kind}: {error}).")), err=True)
    click.echo(
        "What was sent is in the journal, and the same command goes on from there; -vv shows where it was.", err=True
    )
    if verbose >= 2:
        click.echo(printable(without_secrets("".join(traceback.format_exception(error)))), err=True)
    raise click.exceptions.Exit(4) from None
