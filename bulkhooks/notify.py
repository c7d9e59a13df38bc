"""Tells others how a run went: a message with the summary, a dead man's switch, figures for Prometheus.

None of this changes how the run ends: what cannot be told is a warning.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bulkhooks.errors import BulkhooksError
from bulkhooks.findings import Report
from bulkhooks.settings import Job, Notify
from bulkhooks.summary import Summary

_log = logging.getLogger("bulkhooks")

_CHANGES = ("created", "updated", "deleted")


def attended(job: Job, work: Callable[[], Report | None]) -> Report | None:
    """Do the work; say when it starts and how it ends to those whom the job names. Errors pass through."""
    from bulkhooks.report import failed

    notify = job.notify or Notify()
    environment = job.environment or os.environ
    _ping(notify, environment, "/start")
    try:
        report = work()
    except BulkhooksError as error:
        _told(job, notify, environment, Report(failed(error, job.inputs)))
        raise
    except BaseException:
        _ping(notify, environment, "/fail")
        raise
    if report is not None:
        _told(job, notify, environment, report)
    return report


def _told(job: Job, notify: Notify, environment: Mapping[str, str], report: Report) -> None:
    summary = report.summary
    _ping(notify, environment, "/fail" if summary.exit_code else "")
    if _is_worth_telling(notify.on, summary):
        _post(notify.url_env, environment, {**summary.as_dict(), "job": job.name, "text": _sentence(job, summary)})
    if job.metrics_file:
        _write_metrics(Path(job.metrics_file), job, report)


def _is_worth_telling(on: str, summary: Summary) -> bool:
    if on == "always" or summary.exit_code:
        return True
    return on == "change" and any(summary.counts.get(status) for status in _CHANGES)


def _sentence(job: Job, summary: Summary) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in summary.counts.items()) or "no rows"
    example = f": {summary.errors[0].example}" if summary.errors else ""
    return f"bulkhooks {job.name or summary.run_id}: {summary.status} (exit {summary.exit_code}), {counts}{example}"


def _post(variable: str | None, environment: Mapping[str, str], message: Mapping[str, object]) -> None:
    _send(variable, environment, "", message)


def _ping(notify: Notify, environment: Mapping[str, str], signal: str) -> None:
    _send(notify.ping_env, environment, signal, None)


def _send(
    variable: str | None, environment: Mapping[str, str], suffix: str, message: Mapping[str, object] | None
) -> None:
    if variable is None:
        return
    from bulkhooks.nexudus.endpoints import post

    address = environment.get(variable, "").strip()
    if not address:
        _log.warning("[notify]: the variable %s is not set, so nobody is told", variable)
        return
    problem = post(address.rstrip("/") + suffix if suffix else address, message)
    if problem:
        _log.warning("[notify]: the address in %s could not be told: %s", variable, problem)


def _write_metrics(path: Path, job: Job, report: Report) -> None:
    """Write the file whole beside its place and move it there, for the collector reads it at any moment."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text("utf-8") if path.exists() else ""
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=".bulkhooks-", encoding="utf-8", delete=False
        ) as file:
            file.write(metrics(job, report, before))
        temporary = Path(file.name)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        _log.warning("--metrics-file %s: cannot be written: %s", path, error.strerror)


def metrics(job: Job, report: Report, before: str = "") -> str:
    """The figures of a run in Prometheus' text format; the time of the last success is kept from ``before``."""
    summary = report.summary
    label = _escaped(job.name or "bulkhooks")
    last = f"{time.time():.0f}" if summary.exit_code == 0 else _kept(before, "bulkhooks_last_success_timestamp_seconds")
    figures = [
        ("bulkhooks_last_success_timestamp_seconds", "When a run last ended with exit code 0.", last),
        ("bulkhooks_exit_code", "Exit code of the last run.", str(summary.exit_code)),
        ("bulkhooks_duration_seconds", "How long the last run took.", f"{summary.seconds:g}"),
        ("bulkhooks_remaining", "Rows that the last run left pending.", str(summary.remaining)),
        ("bulkhooks_writes", "Writes of the last run.", str(summary.writes)),
        ("bulkhooks_throttled", "Requests of the last run that were throttled.", str(summary.throttled)),
    ]
    if report.cap_left is not None:
        figures.append(("bulkhooks_cap_left", "Writes that the daily cap still allows.", str(report.cap_left)))
    lines = []
    for name, text, value in figures:
        if value:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f'{name}{{job="{label}"}} {value}']
    lines += ["# HELP bulkhooks_rows Rows of the last run by status.", "# TYPE bulkhooks_rows gauge"]
    lines += [
        f'bulkhooks_rows{{job="{label}",status="{_escaped(status)}"}} {count}'
        for status, count in summary.counts.items()
    ]
    return "\n".join(lines) + "\n"


def _kept(before: str, name: str) -> str:
    found = [line.rpartition(" ")[2] for line in before.splitlines() if line.startswith(name + "{")]
    return found[0] if found else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
