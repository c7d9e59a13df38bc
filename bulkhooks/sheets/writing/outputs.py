"""The results of a run as files: tried before anything is sent, written in one pass, moved into place whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol

from bulkhooks.errors import OutputError, UsageError
from bulkhooks.report import Summary
from bulkhooks.sheets.values import ResultRow, RunFacts
from bulkhooks.sheets.writing.atomic_file import Place, reason
from bulkhooks.sheets.writing.input_workbook import InputWriter
from bulkhooks.sheets.writing.text_formats import CsvWriter, JsonlWriter
from bulkhooks.sheets.writing.workbook import WorkbookWriter
from bulkhooks.temporary import check_temporary_folder

_BATCH = 2_000
"""Rows that are handed on at a time."""


class Writer(Protocol):
    """One format. ``notes`` says, once the file is finished, what it could not hold."""

    notes: list[str]

    def begin(self, columns: Sequence[str]) -> None: ...
    def write(self, rows: Sequence[ResultRow]) -> None: ...
    def finish(self, summary: Summary, facts: RunFacts) -> None: ...
    def abandon(self) -> None: ...


Writers = Mapping[str, Callable[[IO[bytes]], Writer]]
"""The formats by suffix."""

RESULT_WRITERS: Writers = {".xlsx": WorkbookWriter, ".csv": CsvWriter, ".jsonl": JsonlWriter}
"""Of results and health, in which a workbook has further sheets."""
INPUT_WRITERS: Writers = {".xlsx": InputWriter, ".csv": CsvWriter, ".jsonl": JsonlWriter}
"""Of rows that are an input."""


class Outputs:
    """The places asked for with ``-o``, as a context.

    Entering tries every place, and leaves nothing open. Raises ``UsageError`` (a suffix that is none of .xlsx, .csv,
    .jsonl; the same place twice) and ``OutputError`` (a place that cannot be written). Leaving without ``write`` leaves
    no trace.
    ``said`` holds, after ``write``, sentences for the user: a place that was locked, text that no cell can hold.
    """

    def __init__(self, paths: Sequence[Path], writers: Writers = RESULT_WRITERS) -> None:
        self._writers = writers
        self._paths = list(paths)
        self._places: list[Place] = []
        self.warnings: list[str] = []

    def __enter__(self) -> Outputs:
        seen: set[Path] = set()
        for path in self._paths:
            if path.suffix.lower() not in self._writers:
                raise UsageError(f"-o {path}: the suffix says the format, one of .xlsx, .csv and .jsonl")
            if path.resolve() in seen:
                raise UsageError(f"-o {path}: the same place is given twice")
            seen.add(path.resolve())
        try:
            for path in self._paths:
                self._places.append(Place(path))
                if path.suffix.lower() == ".xlsx":
                    _check_temporary_folder(path)
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()

    def write(
        self,
        columns: Sequence[str],
        rows: Iterable[ResultRow],
        summary: Summary,
        facts: RunFacts,
    ) -> list[Path]:
        """Write ``rows`` to every place, and return where they are, in the order asked for.

        ``columns`` begin with ``RESULT_COLUMNS`` (verdict ``Status``) or are those of health (verdict ``Health``);
        ``rows`` are taken once, a few thousand at a time. Raises ``OutputError``, where rows cannot be written (it may
        then be called again) or a file cannot be moved.
        """
        writers: list[Writer] = []
        try:
            for place in self._places:
                writers.append(self._writers[place.path.suffix.lower()](_emptied(place)))
                writers[-1].begin(columns)
            for batch in _batches(rows):
                for writer in writers:
                    writer.write(batch)
            for writer in writers:
                writer.finish(summary, facts)
        except OSError as error:
            raise OutputError(
                f"the results cannot be written: {reason(error)}; make room, and write them again with"
                f" `bulkhooks results --run {summary.run_id or 'RUN_ID'} -o OUT`"
            ) from error
        finally:
            for writer in writers:
                writer.abandon()
        # Every file is complete before the first is moved, and one that cannot be moved does not keep back the others.
        written, failures = [], []
        for place, writer in zip(self._places, writers, strict=True):
            try:
                written.append(self._move(place, writer))
            except OutputError as error:
                failures.append(error)
        self._places = []
        if failures:
            raise failures[0]
        return written

    def _move(self, place: Place, writer: Writer) -> Path:
        path = place.move()
        if path != place.path:
            self.warnings.append(
                f"{place.path} is locked (open in another program?): the results are in {path}; close it, and use that"
            )
        self.warnings += [f"{path}: {note}" for note in writer.notes]
        return path

    def _discard(self) -> None:
        for place in self._places:
            place.discard()
        self._places = []


def _check_temporary_folder(path: Path) -> None:
    """A workbook is put together there, which is too late to find out that there is none."""
    try:
        check_temporary_folder()
    except OutputError as error:
        raise OutputError(f"{path} cannot be written: {error}") from error


def _emptied(place: Place) -> IO[bytes]:
    place.file.seek(0)
    place.file.truncate()
    return place.file


def _batches(rows: Iterable[ResultRow]) -> Iterator[list[ResultRow]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
