"""Logs: one line a fact, for a person or for a machine, without a secret."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bulkhooks.config.job import Job
from bulkhooks.errors import BulkhooksError, OutputError

KEYS = ("run_id", "account", "row", "business_id", "action", "status", "attempt", "ms")
"""What a JSON line tells of a row besides ``time``, ``level`` and ``message``; null where it is about none."""

NEWS = 25
"""The level of facts that everyone is told, between those of every row and warnings."""

_log = logging.getLogger("bulkhooks")
# Quotation marks may be part of a URL, so a query ends at white space, or before what a sentence closes it with.
_URL = re.compile(r"(https?://)(?:[^\s/?#]*@)?([^\s?#]*)(?:[?#]\S*?(?=[\"'),.;:\]]*(?:\s|$)))?", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """``text`` with every URL in it cut before its query and without its user."""
    return _URL.sub(r"\1\2", text)


class TextFormatter(logging.Formatter):
    """``warning: …``; facts without a level."""

    def format(self, record: logging.LogRecord) -> str:
        text = " ".join(without_secrets(record.getMessage()).splitlines())
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
        return json.dumps(line, ensure_ascii=False)


def _level(record: logging.LogRecord) -> str:
    return "info" if record.levelno == NEWS else record.levelname.lower()


class _File(logging.FileHandler):
    """What cannot be written (a disk that is full, half a character) ends no run and shows no traceback."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass


class _Stderr(logging.Handler):
    """Writes to stderr as it is now, above a progress bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        tqdm = sys.modules.get("tqdm")
        if tqdm is not None:
            tqdm.tqdm.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def logging_as_told(job: Job) -> Iterator[None]:
    """Log as the options say for as long as a command runs; an error that ends it is logged for a file or a machine.

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
