"""Figures of the last run for Prometheus' textfile collector. A file that cannot be written is a warning."""

from __future__ import annotations

import logging
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from bulkhooks.config.job import Job
from bulkhooks.report import Report

_log = logging.getLogger("bulkhooks")

_SUCCESS = "bulkhooks_last_success_timestamp_seconds"


def write_metrics(path: Path, job: Job, report: Report) -> None:
    """Write the figures of a run beside ``path`` and move them there whole, for the collector reads at any moment."""
    beside: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text("utf-8", "replace") if path.exists() else ""
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=".bulkhooks-", encoding="utf-8", errors="replace", delete=False
        ) as file:
            beside = Path(file.name)
            file.write(metrics(job, report, before))
        beside.chmod(0o644)
        beside.replace(path)
    except OSError as error:
        _log.warning("--metrics-file %s: cannot be written: %s", path, error.strerror)
        if beside is not None:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def metrics(job: Job, report: Report, before: str = "", now: float | None = None) -> str:
    """The figures of a run in Prometheus' text format.

    The time of the last success is taken over from ``before``, the file of an earlier run, where this one failed; it is
    0 before the first success, so that an alert on its age fires then too. ``now``: seconds since 1970.
    """
    summary = report.summary
    label = _escaped(job.name or "bulkhooks")
    ended = f"{time.time() if now is None else now:.0f}"
    success = ended if summary.exit_code == 0 else _kept(before, f'{_SUCCESS}{{job="{label}"}}')
    figures = [
        (_SUCCESS, "When a run last ended with exit code 0; 0 before the first.", success),
        ("bulkhooks_last_run_timestamp_seconds", "When the last run ended.", ended),
        ("bulkhooks_exit_code", "Exit code of the last run.", str(summary.exit_code)),
        ("bulkhooks_duration_seconds", "How long the last run took.", str(summary.seconds)),
        ("bulkhooks_remaining", "Rows that the last run left pending.", str(summary.remaining)),
        ("bulkhooks_writes", "Writes of the last run.", str(summary.writes)),
        ("bulkhooks_throttled", "Requests of the last run that were throttled.", str(summary.throttled)),
    ]
    if report.cap_left is not None:
        figures.append(("bulkhooks_cap_left", "Writes that the daily cap still allows.", str(report.cap_left)))
    lines = []
    for name, text, value in figures:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f'{name}{{job="{label}"}} {value}']
    if summary.counts:
        lines += ["# HELP bulkhooks_rows Rows of the last run by status.", "# TYPE bulkhooks_rows gauge"]
    lines += [
        f'bulkhooks_rows{{job="{label}",status="{_escaped(status)}"}} {count}'
        for status, count in summary.counts.items()
    ]
    return "\n".join(lines) + "\n"


def _kept(before: str, series: str) -> str:
    """The value of a series in an earlier file; 0 where it has none."""
    found = [line.rpartition(" ")[2] for line in before.splitlines() if line.startswith(series + " ")]
    return found[0] if found and found[0].isascii() and found[0].isdigit() else "0"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
