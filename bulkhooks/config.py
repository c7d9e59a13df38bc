"""Flags beat the environment, which beats the job file, which beats the defaults: together they are a ``Job``."""

from __future__ import annotations

import glob
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bulkhooks.errors import UsageError
from bulkhooks.options import BY_NAME, COUNT, Option, did_you_mean, of_command
from bulkhooks.settings import Job, Notify, accounts_from, read_accounts, read_toml

_ALSO = {"base_url": "NEXUDUS_BASE_URL"}
_LEFT_OUT_OF_GLOBS = (".results.", "~$")


@dataclass(frozen=True, slots=True)
class JobFile:
    """A job file as it stands, its values already of their kinds. ``input`` is None where it names none."""

    path: Path
    name: str
    input: tuple[str, ...] | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    notify: Notify | None = None


def settle(
    command: str, flags: Mapping[str, object], environment: Mapping[str, str], inputs: Sequence[str] = ()
) -> Job:
    """The job that a command is to do. ``flags`` holds None (or nothing) where a flag was not given.

    Raises ``UsageError``, which names the flag, the variable or the key.
    """
    given = said(command, flags, environment)
    path = given.pop("job", None)
    file = read_job_file(Path(str(path))) if path else None
    values = {**_relevant(file, command), **given} if file else given
    if "accounts" in values:
        values["accounts"] = _accounts(values["accounts"], file)
    if file and inputs == ():
        inputs = file.input or ()
    job = Job(
        input=tuple(inputs),
        name=file.name if file else "",
        notify=file.notify if file else None,
        **values,  # type: ignore[arg-type]  # each was made to its option's kind
    )
    return _with_outputs(command, job, bool(file and file.input is not None))


def read_job_file(path: Path) -> JobFile:
    """A job file (INTERFACE.md, section 9). Raises ``UsageError`` naming the file and the key."""
    content = read_toml(path)
    tables = {"job", "accounts", "notify"}
    for key in content:
        if key not in tables:
            raise UsageError(
                f"{path}: there is no [{key}]{did_you_mean(key, tables)}; it has [job], [accounts.*], [notify]"
            )
    table = _table(content, "job", path)
    name = table.pop("name", path.stem)
    if not isinstance(name, str) or not name:
        raise UsageError(f"{path}: [job] name: {name!r} is not text")
    patterns = table.pop("input", None)
    values = {key: _option(key, path).value(value, f"{path}: [job] {key}", path.parent) for key, value in table.items()}
    if "accounts" in content:
        values["[accounts]"] = accounts_from(content["accounts"], str(path))
    notify = _notify(_table(content, "notify", path), path) if "notify" in content else None
    return JobFile(path, name, None if patterns is None else _found(patterns, path), values, notify)


def said(command: str, flags: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, object]:
    """What the flags and the environment say, each as a value of its option's kind. Raises ``UsageError``."""
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


def _relevant(file: JobFile, command: str) -> dict[str, object]:
    """The file's values that the command takes; a job file serves several commands."""
    names = {option.name for option in of_command(command)}
    values = {name: value for name, value in file.values.items() if name in names}
    if "[accounts]" in file.values and "accounts" in names:
        values.setdefault("accounts", "")
    return values


def _accounts(path: object, file: JobFile | None) -> dict[str, object]:
    of_file = file.values.get("[accounts]", {}) if file else {}
    return {**dict(of_file), **(read_accounts(Path(str(path))) if path else {})}  # type: ignore[call-overload]


def _table(content: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{path}: {name} is not a table; write [{name}]")
    return dict(table)


def _option(key: str, path: Path) -> Option:
    known = [*(name for name in BY_NAME if name != "job"), "name", "input"]
    if key not in known:
        raise UsageError(f"{path}: [job] has no key {key!r}{did_you_mean(key, known)}")
    return BY_NAME[key]


def _found(patterns: object, path: Path) -> tuple[str, ...]:
    """The files that paths and globs name, each once, globs in the order of their names."""
    several = [patterns] if isinstance(patterns, str) else patterns
    if not isinstance(several, list) or not all(isinstance(pattern, str) for pattern in several):
        raise UsageError(f"{path}: [job] input: {patterns!r} is not a list of paths")
    found: dict[str, None] = {}
    for pattern in (str(Path(written).expanduser()) for written in several):
        whole = path.parent / pattern
        if not glob.has_magic(pattern) or whole.exists():
            found[str(whole)] = None
            continue
        # The folder's own name may hold brackets, which are no pattern.
        for name in sorted(glob.glob(pattern, root_dir=path.parent, recursive=True)):  # noqa: PTH207
            whole = path.parent / name
            if not any(mark in whole.name for mark in _LEFT_OUT_OF_GLOBS) and whole.is_file():
                found[str(whole)] = None
    return tuple(found)


def _notify(table: dict[str, Any], path: Path) -> Notify:
    known = {known.name for known in fields(Notify)}
    for key, value in table.items():
        if key not in known:
            raise UsageError(f"{path}: [notify] has no key {key!r}{did_you_mean(key, known)}")
        if not isinstance(value, str):
            raise UsageError(f"{path}: [notify] {key}: {value!r} is not text; put it in quotation marks")
    notify = Notify(**table)
    words = ("failure", "always", "change")
    if notify.on not in words:
        raise UsageError(
            f"{path}: [notify] on: {notify.on!r} is none of {', '.join(words)}{did_you_mean(notify.on, words)}"
        )
    return notify


_WITH_RESULTS = {"run": ".results.xlsx", "undo": ".undo.xlsx"}


def _with_outputs(command: str, job: Job, has_patterns: bool) -> Job:
    """Inputs there must be, and results always have a place."""
    from dataclasses import replace

    if command in {"run", "check", "plan"} and not job.inputs and not has_patterns:
        raise UsageError("name at least one input, or a job file with --job")
    outputs = job.outputs
    suffix = _WITH_RESULTS.get(command)
    if not outputs and suffix and job.inputs:
        if job.inputs[0] == "-":
            raise UsageError("with an input from stdin (-), say with -o where the results go")
        first = Path(job.inputs[0])
        outputs = (str(first.with_name(first.stem + suffix)),)
    elif not outputs and command == "undo" and job.run:
        outputs = (f"{job.run}{suffix}",)
    now = time.localtime()
    words = {
        "{date}": time.strftime("%Y-%m-%d", now),
        "{time}": time.strftime("%H%M%S", now),
        "{job}": job.name or "bulkhooks",
    }
    for word, text in words.items():
        outputs = tuple(output.replace(word, text) for output in outputs)
    return replace(job, output=outputs)
