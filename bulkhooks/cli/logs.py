"""Logging: one line for each fact, as text or as a JSON object, without secrets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bulkhooks.cli.terminal import one_line, printable
from bulkhooks.config.job import Job
from bulkhooks.errors import BulkhooksError, OutputError
from bulkhooks.private import is_database, make_private
from bulkhooks.redact import without_secrets
from bulkhooks.times import iso

OF_A_ROW = ("account", "row", "business_id", "action", "status", "attempt", "ms", "error_code", "error")
"""Keys of a record that is about a row; ``error_code`` and ``error`` where it failed."""

OF_THE_END = ("counts", "exit_code", "outputs")
"""Keys of the last record of a run."""

NEWS = 25
"""The level of facts that are shown without -v, between INFO (every row) and WARNING."""

_log = logging.getLogger("bulkhooks")


class TextFormatter(logging.Formatter):
    """``warning: …`` on one line of printable text; facts (INFO, NEWS) without a level."""

    def format(self, record: logging.LogRecord) -> str:
        text = printable(one_line(without_secrets(record.getMessage())))
        level = _level(record)
        return text if level == "info" else f"{level}: {text}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in ASCII: time, level, message, run_id, and what more the record has."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": iso(record.created),
            "level": _level(record),
            "message": without_secrets(record.getMessage()),
            "run_id": self._run_id,
        }
        for key in (*OF_A_ROW, *OF_THE_END):
            if hasattr(record, key):
                value = getattr(record, key)
                line[key] = without_secrets(value) if isinstance(value, str) else value
        return json.dumps(line)


def _level(record: logging.LogRecord) -> str:
    return "info" if record.levelno == NEWS else record.levelname.lower()


class _Threshold(logging.Filter):
    """What a log holds. Machines and files get each failed row too, and how a run began and ended (``is_event``)."""

    def __init__(self, level: int, *, with_events: bool) -> None:
        super().__init__()
        self._level = level
        self._with_events = with_events

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "is_event", False):
            return self._with_events
        return record.levelno >= self._level


class _File(logging.FileHandler):
    """A log file. A line that cannot be written (the disk is full) is dropped: it ends no run, shows no traceback."""

    def __init__(self, path: Path) -> None:
        make_private(path)
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass

    def close(self) -> None:
        with suppress(OSError):  # what could not be written before cannot be now
            super().close()


class _Stderr(logging.Handler):
    """Writes to the stderr of the moment, above the progress bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        tqdm = sys.modules.get("tqdm")
        if tqdm is not None:
            tqdm.tqdm.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)  # noqa: T201


def _handler(job: Job) -> logging.Handler:
    if path := job.log_file:
        try:
            # Asked of the file itself: a command line that is refused for this very reason has a log, too.
            if is_database(path):
                raise OutputError(f"--log-file {path}: this is the journal itself, or another; name another place")
            return _File(path)
        except OSError as error:
            raise OutputError(f"--log-file {path}: cannot be written: {error.strerror}") from error
    return logging.NullHandler() if job.quiet else _Stderr()


@contextmanager
def logging_for(job: Job, run_id: str = "") -> Iterator[None]:
    """Log as the job's options say while a command runs. An error that ends it is logged for a file or as JSON.

    ``run_id`` stands in every JSON record. Raises ``OutputError`` where the log file cannot be written.
    """
    handler = _handler(job)
    as_json = job.log_format == "json"
    handler.setFormatter(JsonFormatter(run_id) if as_json else TextFormatter())
    threshold = (NEWS, logging.INFO, logging.DEBUG)[min(job.verbose, 2)]
    with_events = as_json or job.log_file is not None
    handler.addFilter(_Threshold(threshold, with_events=with_events or job.verbose > 0))
    level, propagate = _log.level, _log.propagate
    # What nobody is told is not even made: a run of many rows asks for the level before each of them.
    _log.setLevel(min(threshold, logging.INFO) if with_events else threshold)
    _log.propagate = False
    _log.addHandler(handler)
    try:
        yield
    except BulkhooksError as error:
        if with_events:
            _log.error("%s", error)
        raise
    finally:
        _log.removeHandler(handler)
        _log.setLevel(level)
        _log.propagate = propagate
        handler.close()
