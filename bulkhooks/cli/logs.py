"""Logging: one line for each fact, as text or as a JSON object, without secrets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bulkhooks.cli.terminal import printable, printable_json
from bulkhooks.config.job import Job
from bulkhooks.errors import BulkhooksError, OutputError
from bulkhooks.redact import without_secrets

KEYS = ("run_id", "account", "row", "business_id", "action", "status", "attempt", "ms")
"""Keys of a JSON line besides ``time``, ``level`` and ``message``; null where the line is not about a row."""

NEWS = 25
"""The level of facts that are shown without -v, between INFO (every row) and WARNING."""

_log = logging.getLogger("bulkhooks")


class TextFormatter(logging.Formatter):
    """``warning: …`` on one line of printable text; facts (INFO, NEWS) without a level."""

    def format(self, record: logging.LogRecord) -> str:
        text = printable(" ".join(without_secrets(record.getMessage()).splitlines()))
        level = _level(record)
        return text if level == "info" else f"{level}: {text}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line, always with the same keys."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": _level(record),
            "message": without_secrets(record.getMessage()),
            **{key: getattr(record, key, None) for key in KEYS},
        }
        return printable_json(json.dumps(line, ensure_ascii=False))


def _level(record: logging.LogRecord) -> str:
    return "info" if record.levelno == NEWS else record.levelname.lower()


class _File(logging.FileHandler):
    """A log file. A line that cannot be written (the disk is full) is dropped: it ends no run, shows no traceback."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass


class _Stderr(logging.Handler):
    """Writes to the stderr of the moment, above the progress bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        tqdm = sys.modules.get("tqdm")
        if tqdm is not None:
            tqdm.tqdm.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def logging_for(job: Job) -> Iterator[None]:
    """Log as the job's options say while a command runs. An error that ends it is logged for a file or as JSON.

    Raises ``OutputError`` where the log file cannot be written.
    """
    handler: logging.Handler = _Stderr()
    if path := job.log_file:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handler = _File(path)
        except OSError as error:
            raise OutputError(f"--log-file {path}: cannot be written: {error.strerror}") from error
    handler.setFormatter(JsonFormatter() if job.log_format == "json" else TextFormatter())
    level, propagate = _log.level, _log.propagate
    _log.setLevel(logging.ERROR if job.quiet else (NEWS, logging.INFO, logging.DEBUG)[min(job.verbose, 2)])
    _log.propagate = False
    _log.addHandler(handler)
    try:
        yield
    except BulkhooksError as error:
        if job.log_file or job.log_format == "json":
            _log.error("%s", error)
        raise
    finally:
        _log.removeHandler(handler)
        _log.setLevel(level)
        _log.propagate = propagate
        handler.close()
