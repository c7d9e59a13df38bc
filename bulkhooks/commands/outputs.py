"""Where the results go: one place for all inputs together, or with ``{input}`` one for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from bulkhooks.errors import UsageError
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.report import Summary
from bulkhooks.sheets.reading.table import Table
from bulkhooks.sheets.values import ResultRow
from bulkhooks.sheets.writing.outputs import Outputs
from bulkhooks.webhook import RESULT_COLUMNS, Status

_EACH = "{input}"


class Destinations:
    """Places that are open for writing, from before the first request until the results are in them.

    Use as a context. Raises ``OutputError`` or ``UsageError`` on entering, while nothing has been sent.
    """

    def __init__(self, outputs: Sequence[str], inputs: Sequence[str] = ()) -> None:
        self._stack = ExitStack()
        together = [Path(output) for output in outputs if _EACH not in output]
        apart = [output for output in outputs if _EACH in output]
        self._places: list[tuple[int | None, Outputs]] = [(None, Outputs(together))] if together else []
        if apart:
            self._places += [
                (number, Outputs([Path(output.replace(_EACH, word)) for output in apart]))
                for number, word in enumerate(words_for(inputs))
            ]
        self.said: list[str] = []
        """What a person has to know of the places in the end."""

    def __enter__(self) -> Destinations:
        with ExitStack() as stack:
            for _, outputs in self._places:
                stack.enter_context(outputs)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(
        self,
        journal: Journal,
        run: int,
        summary: Summary,
        table: Table | None = None,
        waiting: Status = Status.PENDING,
    ) -> None:
        """Write a run's results from the journal to every place; where they came to stand goes into the summary."""
        columns = [*RESULT_COLUMNS, *history.own_columns(journal, run)]
        facts, locations = history.facts(journal, run), history.locations(journal, run)
        for number, outputs in self._places:
            kept = None if number is None or table is None else table.rows_of(number)
            rows = history.results(journal, run, waiting, kept)
            self._wrote(outputs, outputs.write(columns, rows, summary, facts, locations), summary)

    def write_rows(
        self, columns: Sequence[str], rows: Sequence[ResultRow], summary: Summary, facts: Mapping[str, str]
    ) -> None:
        """Write rows that are no run's results (``health``)."""
        for _, outputs in self._places:
            self._wrote(outputs, outputs.write(columns, rows, summary, facts), summary)

    def _wrote(self, outputs: Outputs, places: Sequence[Path], summary: Summary) -> None:
        summary.outputs += map(str, places)
        self.said += outputs.said


def words_for(inputs: Sequence[str]) -> list[str]:
    """What ``{input}`` is for each input: its stem, or where several have that stem, as much as tells them apart."""
    stems = [Path(name).stem if name != "-" else "stdin" for name in inputs]
    alike, so_far = Counter(stems), Counter[str]()
    words = []
    for name, stem in zip(inputs, stems, strict=True):
        word = stem if alike[stem] == 1 else Path(name).name
        so_far[word] += 1
        words.append(word if so_far[word] == 1 else f"{word}-{so_far[word]}")
    return words


def refuse_to_overwrite(outputs: Sequence[str], table: Table, inputs: Sequence[str]) -> None:
    """An input may be written over only where it is itself a results file; anything else is somebody's own sheet."""
    words = words_for(inputs)
    for number, name in enumerate(inputs):
        sources = [source for source in table.sources if source.input == number]
        if name == "-" or (sources and all(source.has_results for source in sources)):
            continue
        for output in outputs:
            if _same_file(Path(output.replace(_EACH, words[number])), Path(name)):
                raise UsageError(f"{output}: this is the input itself; name another place for the results with -o")


def _same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:
        return False
