"""Asks the person at the terminal, where there is one."""

from __future__ import annotations

import signal
import sys

import click

from bulkhooks.cli.terminal import printable
from bulkhooks.cli.text import forecast_lines
from bulkhooks.report import Ask, Question


def on_a_terminal() -> Ask | None:
    """Puts questions to the person at the terminal; None where stdin or stderr is none, so that nothing asks."""
    return _ask if sys.stdin.isatty() and sys.stderr.isatty() else None


def _ask(question: Question) -> bool:
    if question.forecast is not None:
        click.echo(printable("\n".join(forecast_lines(question.forecast))), err=True)
    # A run listens to signals by itself; during the question Ctrl-C has to end the question.
    listening = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return click.confirm(printable(question.sentence), err=True)
    except (click.Abort, KeyboardInterrupt, EOFError):
        return False
    finally:
        signal.signal(signal.SIGINT, listening)
