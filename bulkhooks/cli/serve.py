"""``serve``: starts the page, and says where it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import click

from bulkhooks.cli.logs import logging_for
from bulkhooks.cli.terminal import remark, say
from bulkhooks.config.sources import resolve_page
from bulkhooks.errors import BulkhooksError


def serve_page(flags: Mapping[str, object]) -> None:
    """Serve until it is stopped; ``flags`` are those of the command line. Ends the program with an exit code where it
    cannot be."""
    try:
        from bulkhooks.web.serve import serve

        job, options = resolve_page(flags, os.environ)
        with logging_for(job):
            serve(job, options, say=_at_once, remark=remark)
    except ModuleNotFoundError as error:
        remark(f"bulkhooks: the page needs the package {error.name}: pip install 'bulkhooks[web]'")
        raise click.exceptions.Exit(2) from None
    except BulkhooksError as error:
        remark(f"bulkhooks: {error}")
        raise click.exceptions.Exit(error.exit_code) from None


def _at_once(text: str) -> None:
    say(text)
    sys.stdout.flush()
