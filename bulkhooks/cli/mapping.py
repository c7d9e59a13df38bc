"""Where no header of an input is known: asks the person at the terminal whether the proposed mapping is right."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from bulkhooks.cli.ask import on_a_terminal
from bulkhooks.cli.terminal import printable
from bulkhooks.config.job import Job
from bulkhooks.errors import Unmapped
from bulkhooks.report import Ask, Question, Report
from bulkhooks.sheets.reading.files import STDIN
from bulkhooks.sheets.strings import folded


def with_mapping(job: Job, work: Callable[[Job], Report]) -> Report:
    """The report of ``work``; where an input has no known header, a person may take the mapping that is proposed.

    They are asked once an input, and offered to keep the answer in a job file. Without a terminal, with ``--yes`` or
    without a yes, raises ``Unmapped`` as ``work`` did.
    """
    while True:
        try:
            return work(job)
        except Unmapped as error:
            ask = on_a_terminal()
            mapped = _merged(job.map, error)
            if ask is None or job.yes or mapped == list(job.map):
                raise
            columns = "\n".join(f"  {theirs!r} is the {ours}" for theirs, ours in error.columns.items())
            if not ask(
                Question(
                    f"{Path(error.path).name}: no header is known. By what stands in the columns,\n{columns}\nUse that?"
                )
            ):
                raise
            job = dataclasses.replace(job, map=mapped)
            _keep(job, error.path, ask)


def _merged(given: Sequence[str], error: Unmapped) -> list[str]:
    """What ``--map`` said already, and what is proposed."""
    proposed = {folded(theirs) for theirs in error.columns}
    kept = [pair for pair in given if folded(pair.rpartition("=")[0]) not in proposed]
    return kept + [f"{' '.join(theirs.split())}={ours}" for theirs, ours in error.columns.items()]


def _keep(job: Job, path: str, ask: Ask) -> None:
    """Write the mapping into a new job file beside the input, or tell the line where there is one."""
    line = f"map = [{', '.join(json.dumps(pair, ensure_ascii=False) for pair in job.map)}]"
    place = Path(path).with_suffix(".toml")
    if job.name or path == STDIN or place.exists():
        click.echo(printable(f"To keep that, write this into [job] of your job file:\n{line}"), err=True)
        return
    if not ask(Question(f"Keep that in {place}, for `bulkhooks run --job {place}`?")):
        return
    inputs = ", ".join(
        json.dumps(os.path.relpath(name, place.parent), ensure_ascii=False) for name in job.inputs if name != STDIN
    )
    try:
        with place.open("x", encoding="utf-8") as file:
            file.write(f"[job]\ninput = [{inputs}]\n{line}\n")
    except OSError as error:
        click.echo(printable(f"{place} cannot be written ({error.strerror}); the line is:\n{line}"), err=True)
