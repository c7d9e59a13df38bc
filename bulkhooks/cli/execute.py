"""Does what a command line asks for: options, work, answer, exit code. No traceback reaches a user."""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

import click

from bulkhooks.cli import text
from bulkhooks.cli.changes import coloured
from bulkhooks.cli.logs import logging_for
from bulkhooks.cli.quiet import in_one_line
from bulkhooks.cli.terminal import printable, remark, say
from bulkhooks.config.job import Job
from bulkhooks.config.options import of_command
from bulkhooks.config.sources import given_values, resolve
from bulkhooks.errors import BulkhooksError, Stopped
from bulkhooks.report import Report, Summary
from bulkhooks.times import new_run_id

_log = logging.getLogger("bulkhooks")

_RUNS = frozenset({"run", "undo"})
"""Commands whose log says when they started and how they finished."""

_BEFORE_ANYTHING = "stopped before anything was sent; run the same command again"

_VOICE = ("json", "quiet", "verbose", "log_format", "log_file")
"""Options that say how a command speaks."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command as the parser read it. ``flags`` holds what was given, as text; None stands for what was not.

    ``run_id`` is what the command is called in logs, and its run in the journal if it makes one.
    """

    command: str
    inputs: Sequence[str]
    flags: Mapping[str, object]
    started_at: float = field(default_factory=time.time)
    """Seconds since 1970."""
    run_id: str = field(default_factory=lambda: new_run_id(time.time()))

    @property
    def subject(self) -> Sequence[str]:
        """What the command is about, as far as it is known without reading: its inputs, or its job file."""
        return self.inputs or [str(job) for job in [self.flags.get("job")] if job]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers: ``text`` for stdout (nothing where it is empty), ``remarks`` for stderr."""

    text: str
    summary: Summary = field(default_factory=lambda: Summary(""))
    remarks: Iterable[str] = ()


class Unexpected(BulkhooksError):
    """A mistake of this program; what it holds is nobody's business."""

    exit_code = 4


def answer(job: Job, report: Report, words: Callable[[Report], str], *, as_checked: bool = False) -> Answer:
    """A report as an answer: its summary as JSON, or in the words of the command; a check tells every problem."""
    remarks = map(str, report.warnings) if as_checked else text.remarks(report)
    if job.json:
        return Answer(text.as_json(report, with_problems=as_checked), report.summary, remarks)
    return Answer(words(report), report.summary, remarks)


def execute(line: CommandLine, work: Callable[[Job], Answer]) -> NoReturn:
    """Resolve the options, do the work, print the answer and exit with its code."""
    job, doing = Job(), work
    try:
        job = resolve(line.command, line.flags, os.environ, tuple(line.inputs))
    except BulkhooksError as error:
        job, doing = _voice(line), _raising(error)
    except Exception as error:  # noqa: BLE001  # no traceback reaches a user
        job, doing = _voice(line), _raising(error)
    line = replace(line, run_id=job.run_id or line.run_id)
    try:
        with logging_for(job, line.run_id):
            summary = _do(line, job, doing, is_understood=doing is work)
    except BulkhooksError as error:  # there is no log, so it is told once and without it
        summary = _failed(line, replace(job, log_file=None, log_format="text"), error, is_understood=doing is work)
    raise click.exceptions.Exit(summary.exit_code)


def _voice(line: CommandLine) -> Job:
    """A job that knows how to speak and nothing else, for a command line that is none. Wrong options are left out."""
    values: dict[str, object] = {}
    for name in _VOICE:
        try:
            values |= given_values(line.command, {name: line.flags.get(name)}, _variable_of(name))
        except BulkhooksError:
            continue
    return Job(**values)  # type: ignore[arg-type]  # each was made to its option's kind


def _variable_of(name: str) -> Mapping[str, str]:
    variable = f"BULKHOOKS_{name.upper()}"
    return {variable: os.environ[variable]} if variable in os.environ else {}


def _raising(error: Exception) -> Callable[[Job], Answer]:
    def fail(_: Job) -> Answer:
        raise error

    return fail


def _do(line: CommandLine, job: Job, work: Callable[[Job], Answer], *, is_understood: bool) -> Summary:
    """The work between the first and the last record of its log; what went wrong is reported, too."""
    if line.command in _RUNS:
        _log.info("run started", extra={"is_event": True})
    found: Answer | None = None
    try:
        found = work(job)
        summary = _print_answer(line, job, found)
    except BulkhooksError as error:
        summary = _failed(line, job, error, is_understood=is_understood)
    except KeyboardInterrupt:
        # Where the work was done and only the telling was stopped, the exit code is the work's own.
        summary = found.summary if found else _stopped(line, job)
    except Exception as error:  # noqa: BLE001  # no traceback reaches a user
        summary = _failed(line, job, _unexpected(error), is_understood=is_understood)
        if job.verbose >= 2 and not job.quiet:
            for each in "".join(traceback.format_exception(error)).splitlines():
                remark(each)
    if line.command in _RUNS:
        end = {"counts": summary.counts, "exit_code": summary.exit_code, "outputs": summary.outputs}
        _log.info("run finished", extra={"is_event": True, **end})
    return summary


def _print_answer(line: CommandLine, job: Job, found: Answer) -> Summary:
    for warning in found.remarks:
        _log.warning("%s", warning)
    if found.text and (job.json or not job.quiet):
        say(found.text if job.json else coloured(printable(found.text)))
    if job.quiet and found.summary.exit_code:
        remark(in_one_line(line.command, found.summary, line.subject))
    return found.summary


def _stopped(line: CommandLine, job: Job) -> Summary:
    """A signal outside of the work's own watch: before it began, or when it had ended and was not told yet."""
    from bulkhooks.commands.history import finished

    known = finished(job, line.run_id) if line.command in _RUNS else None
    if known is None:
        return _failed(line, job, Stopped(_BEFORE_ANYTHING))
    return _print_answer(line, job, answer(job, Report(known), text.closing))


def _unexpected(error: Exception) -> Unexpected:
    return Unexpected(
        f"this should not have happened ({type(error).__name__}: {error}). What was sent is in the journal, and the"
        " same command goes on from there; -vv shows where it was"
    )


def _failed(line: CommandLine, job: Job, error: BulkhooksError, *, is_understood: bool = True) -> Summary:
    """Report the error: one sentence on stderr, unless it is in a JSON log there already, and the summary as JSON.

    ``is_understood``: ``job`` has all options of the command line, and not only those of how to speak.
    """
    summary = text.failed(error, job.inputs or line.subject, line.started_at)
    if is_understood and any(option.name == "base_url" for option in of_command(line.command)):
        from bulkhooks.commands.context import sign

        sign(summary, job)
    if line.command in _RUNS:
        summary.run_id = line.run_id
    is_logged = job.log_format == "json" or job.log_file is not None
    if is_logged:
        _log.error("%s", error)
    if job.quiet:
        remark(in_one_line(line.command, summary, line.subject))
    elif not is_logged or job.log_file is not None:
        remark(f"bulkhooks: {error}")
    if job.json:
        say(text.as_json(Report(summary)))
    return summary
