"""Asks the person at the terminal, where there is one."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from bulkhooks.cli.terminal import printable
from bulkhooks.cli.text import forecast_lines
from bulkhooks.provision.signals import STOPPING
from bulkhooks.report import Ask, Question


def on_a_terminal() -> Ask | None:
    """Puts questions to the person at the terminal; None where stdin or stderr is none, so that nothing asks."""
    return _ask if sys.stdin.isatty() and sys.stderr.isatty() else None


def _ask(question: Question) -> bool:
    if question.forecast is not None:
        click.echo(printable("\n".join(forecast_lines(question.forecast))), err=True)
    try:
        with _ended_by_signals():
            return click.confirm(printable(question.sentence), err=True)
    except (click.Abort, KeyboardInterrupt, EOFError):
        return False


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A run listens to signals by itself; what waits for a person inside is ended by each of them."""
    before = {number: handler for number in STOPPING if (handler := signal.getsignal(number)) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
