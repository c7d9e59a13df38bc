"""Flags beat the environment, which beats the job file, which beats the defaults: together they are a ``Job``."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from bulkhooks.config.accounts import read_accounts
from bulkhooks.config.job import Job
from bulkhooks.config.job_file import JobFile, read_job_file, rehearse
from bulkhooks.config.option import COUNT, did_you_mean
from bulkhooks.config.options import BY_NAME, SERVE_OPTIONS, of_command
from bulkhooks.config.places import refuse_the_journal
from bulkhooks.errors import UsageError

_ALSO = {"base_url": "NEXUDUS_BASE_URL"}
_READING = frozenset({"run", "check", "plan"})
_BY_INPUT = frozenset({"run", "plan"})
"""Commands that can write results for each input apart."""

_PLACED: Mapping[str, Callable[[Job], Job]] = {"run": Job.with_results, "undo": Job.with_undone}
"""Commands whose results always have a place."""


def resolve(
    command: str, flags: Mapping[str, object], environment: Mapping[str, str], inputs: Sequence[str] = ()
) -> Job:
    """The job that a command is to do. ``flags`` holds None (or nothing) where a flag was not given.

    Raises ``UsageError``, which names the flag, the variable or the key.
    """
    values = given_values(command, flags, environment)
    path = values.pop("job", None)
    file = read_job_file(Path(str(path))) if path else None
    if file is not None:
        values |= file.options(_names(command, file), values)
        if not inputs and command in _READING:
            inputs = file.inputs()
    if command in _READING and not inputs and (file is None or file.input is None):
        raise UsageError("name at least one input, or a job file with --job")
    accounts = dict(file.accounts) if file is not None else {}
    if values.get("accounts"):
        accounts |= read_accounts(Path(str(values["accounts"])))
    job = Job(
        **{  # type: ignore[arg-type]  # each was made to its option's kind
            **values,
            "accounts": accounts,
            "input": tuple(inputs),
            "name": file.name if file is not None else "",
            "notify": file.notify if file is not None else None,
        }
    )
    if file is not None and command == "check":
        rehearse(file, job, environment)
        _check_outputs(file, job)
    job = replace(job, output=_outputs(command, job))
    refuse_the_journal(job)
    return job


def resolve_page(flags: Mapping[str, object], environment: Mapping[str, str]) -> tuple[Job, dict[str, object]]:
    """The job that the page's commands begin with, and the values of the options that are about the page itself.

    What is not among the page's own options comes from the environment and from the job file, as for ``run``. Raises
    ``UsageError``.
    """
    values = given_values("serve", flags, environment)
    own = {option.name: option.initial for option in SERVE_OPTIONS}
    own |= {name: values.pop(name) for name in list(values) if name in own}
    elsewhere = {name: text for name, text in flags.items() if name in BY_NAME or name == "job"}
    job = resolve("run", {**elsewhere, **values}, environment, ("page.xlsx",))
    return replace(job, input=(), output=(), run_id=None), own


def given_values(command: str, flags: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, object]:
    """The values that flags and environment give, each of its option's kind. Raises ``UsageError``."""
    values: dict[str, object] = {}
    for option in of_command(command):
        flag = flags.get(option.name)
        if flag is not None and flag not in ([], ()) and not (option.kind == COUNT and not flag):
            values[option.name] = option.value(flag, option.flag)
            continue
        for variable in filter(None, (option.variable, _ALSO.get(option.name))):
            text = environment.get(variable)
            if text is not None and text.strip():
                lines = [line.strip() for line in text.splitlines() if line.strip()]
                values[option.name] = option.value(lines if option.repeatable else text.strip(), variable)
                break
    return values


def _names(command: str, file: JobFile) -> frozenset[str]:
    """The options of a job file that a command takes; a job file serves several commands.

    Where it has an ``input``, its ``output`` is for the results of a run: a plan or an undo, asked for beside it, must
    not write over them.
    """
    names = {option.name for option in of_command(command)} & BY_NAME.keys()
    return frozenset(names if command == "run" or file.input is None else names - {"output"})


def _check_outputs(file: JobFile, job: Job) -> None:
    """Raise ``UsageError`` where a run of the job file would find a word in braces that it does not know."""
    outputs = cast("tuple[str, ...]", file.values.get("output", ()))
    try:
        for output in outputs:
            _filled(output, "run", job)
    except UsageError as error:
        raise UsageError(f"{file.path}: [job] {error}") from None


def _outputs(command: str, job: Job) -> tuple[str, ...]:
    """Where the results go; those of a run and of an undo always have a place. Raises ``UsageError``."""
    if not job.outputs and command in _PLACED:
        return _PLACED[command](job).outputs
    return tuple(_filled(output, command, job) for output in job.outputs)


def _filled(output: str, command: str, job: Job) -> str:
    """An output with the words in braces replaced; ``{input}`` is left to whoever writes for each input."""
    now = time.localtime()
    words = {
        "date": time.strftime("%Y-%m-%d", now),
        "time": time.strftime("%H%M%S", now),
        "job": re.sub(r"[/\\:]", "-", job.name) or "bulkhooks",
    }

    def fill(found: re.Match[str]) -> str:
        word = found[1]
        if word not in words and not (word == "input" and command in _BY_INPUT):
            known = [*words, "input"] if command in _BY_INPUT else [*words]
            raise UsageError(
                f"output {output}: {found[0]} is none of {', '.join(f'{{{name}}}' for name in known)}"
                f"{did_you_mean(word, known)}"
            )
        return words.get(word, found[0])

    return re.sub(r"\{(\w*)\}", fill, output)
