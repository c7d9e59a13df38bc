"""``export``: what the server has, as a sheet that ``run`` takes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

from bulkhooks import actions
from bulkhooks.commands.context import Accounts, begin_summary, open_accounts, open_context
from bulkhooks.commands.outputs import Destinations
from bulkhooks.config.job import Job
from bulkhooks.errors import (
    CredentialsError,
    Forbidden,
    InputError,
    NotFound,
    Refused,
    Unauthorized,
    UsageError,
    WarningCode,
)
from bulkhooks.nexudus.models import Record
from bulkhooks.provision.account import Account
from bulkhooks.provision.listing.listing import everything, names_of_locations
from bulkhooks.provision.stopping import NotRead
from bulkhooks.provision.tasks import each, run_sync, task_group
from bulkhooks.report import Problem, Progress, Remark, Report, Summary, Watcher, counted, many
from bulkhooks.sheets.reading.reader import read
from bulkhooks.sheets.strings import AROUND
from bulkhooks.sheets.values import ResultRow
from bulkhooks.sheets.writing.outputs import INPUT_WRITERS
from bulkhooks.webhook import Status

EXPORT_COLUMNS = ("BusinessId", "Location", "Action", "URL", "Name", "Description", "Active", "Account")
"""The columns of the sheet, in order."""

_LIKE_A_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_NOTHING_IN_FRONT = "\N{NO-BREAK SPACE}"
"""What a reader of the input drops around a value, and what keeps a spreadsheet from calculating it."""


def export(job: Job, output: str, *, watcher: Watcher | None = None) -> Report:
    """Write every webhook of the accounts to ``output`` (.xlsx, .csv, .jsonl), a row each, as an input.

    The accounts are the one that ``account`` names, else all of ``accounts``, else the default one. Of twins the lowest
    id is written, with a warning. Raises ``UsageError`` where ``output`` is somebody's own file or has another suffix,
    ``OutputError`` where it cannot be written, ``CredentialsError`` where listing is not permitted, ``Stopped`` on a
    first signal or where the limits end it; nothing is written then.
    """
    return run_sync(lambda: _export(job, output, watcher))


async def _export(job: Job, output: str, watcher: Watcher | None) -> Report:
    started_at = time.time()
    path = Path(output)
    if path.suffix.lower() not in INPUT_WRITERS:
        raise UsageError(f"{output}: the suffix says the format, one of {', '.join(INPUT_WRITERS)}")
    _refuse_to_overwrite(path)
    async with open_context(job) as context:
        with Destinations([output], writers=INPUT_WRITERS) as destinations:
            with context.session.stoppable():
                accounts = await open_accounts(context, _names(job), lock=False)
                reader = _Reader(accounts, watcher)
                rows = await reader.rows()
            summary = begin_summary(context.job, accounts.opened, started_at)
            if path.suffix.lower() == ".csv":
                rows = [ResultRow([_harmless(value) for value in row.cells]) for row in rows]
            destinations.write_rows(EXPORT_COLUMNS, rows, summary, {})
            _fill(summary, len(rows), accounts, reader.warnings)
            summary.requests = context.session.traffic.requests
            summary.throttled = context.session.traffic.throttled
            if reader.has_failed:
                summary.status = "failures"
            summary.close(time.time())
            return Report(summary, warnings=[*accounts.reasons, *reader.warnings, *destinations.warnings])


def _names(job: Job) -> list[str]:
    if job.accounts and job.account == "default":
        return sorted(job.accounts)
    return [job.account]


def _fill(summary: Summary, count: int, accounts: Accounts, warnings: Sequence[Remark]) -> None:
    summary.counts = {str(Status.EXISTS): count} if count else {}
    summary.total = count
    summary.warnings = counted(warning for warning in warnings if isinstance(warning, Problem))
    summary.settle(refused=accounts.is_refused)


def _refuse_to_overwrite(path: Path) -> None:
    """An earlier export is replaced; what has other columns is somebody's own."""
    if not path.is_file() or not path.stat().st_size:
        return
    try:
        if path.suffix.lower() == ".jsonl":
            with path.open(encoding="utf-8") as file:
                is_ours = set(json.loads(file.readline())) == set(EXPORT_COLUMNS)
        else:
            is_ours = _has_our_columns(path)
    except (InputError, ValueError, TypeError):
        is_ours = False
    if not is_ours:
        raise UsageError(f"{path} is there already and is no earlier export; name another place, or move it away")


def _has_our_columns(path: Path) -> bool:
    table = read([str(path)])
    return not len(table.extras.columns) and all(
        set(source.headers.values()) == set(EXPORT_COLUMNS) for source in table.sources
    )


class _Reader:
    """Reads the webhooks of all accounts, side by side. ``has_failed``: some could not be read."""

    def __init__(self, accounts: Accounts, watcher: Watcher | None) -> None:
        self._accounts = accounts.opened
        self._watcher = watcher
        self._total = self._done = 0
        self.has_failed = False
        self.warnings: list[Remark] = []

    async def rows(self) -> list[ResultRow]:
        """The rows, by account, location, event and id."""
        found: dict[str, list[ResultRow]] = {}

        async def take(name: str, account: Account) -> None:
            found[name] = await self._of(name, account)

        async with task_group() as group:
            for name, account in self._accounts.items():
                group.start_soon(take, name, account)
        return [row for name in self._accounts for row in found[name]]

    async def _of(self, name: str, account: Account) -> list[ResultRow]:
        try:
            records = await everything(account)
        except (Unauthorized, Forbidden) as error:
            raise CredentialsError(f"account {name!r}: the webhooks may not be listed: {error}") from error
        places = await names_of_locations(account)
        kept = list(self._without_twins(records))
        self._total += len(kept)
        full: dict[int, Mapping[str, object]] = {}
        await each(kept, partial(self._read, account, full), account.terms.concurrency)
        texts = [str(one.get(field) or "") for one in full.values() for field in ("URL", "Name", "Description")]
        if padded := sum(text != text.strip(AROUND) for text in texts):
            those = many(padded, "text begins or ends", "texts begin or end")
            self.warnings.append(f"account {name!r}: {those} with spaces, which do not count in an input")
        return [_row(full[record.id], places, name) for record in kept if record.id in full]

    async def _read(self, account: Account, full: dict[int, Mapping[str, object]], record: Record) -> None:
        """The full record: a search leaves the description out."""
        try:
            full[record.id] = await account.read(record.id)
        except NotFound:
            pass  # deleted since it was listed
        except (Refused, NotRead) as error:
            self.has_failed = True
            self.warnings.append(f"webhook {record.id} could not be read and is left out: {error}")
        self._done += 1
        if self._watcher is not None:
            left = account.seconds_for(writes=0, reads=self._total - self._done)
            self._watcher.moved(Progress(self._total, self._done, {"read": self._done}, left))

    def _without_twins(self, records: Sequence[Record]) -> Iterator[Record]:
        def key(record: Record) -> tuple[int, int, str]:
            return record.identity

        for _, same in groupby(sorted(records, key=lambda record: (record.identity, record.id)), key):
            first, *others = same
            if others:
                ids = ", ".join(str(record.id) for record in (first, *others))
                sentence = (
                    f"the server has {actions.name_of(first.action) if _is_known(first.action) else first.action} at"
                    f" {first.business_id} to {first.url} {many(1 + len(others), 'time', 'times')}: ids {ids}; the"
                    " sheet has it once"
                )
                self.warnings.append(Problem.of_whole(WarningCode.TWIN, "", sentence))
            yield first


def _row(record: Mapping[str, object], places: Mapping[int, str], account: str) -> ResultRow:
    business_id, action = record.get("BusinessId"), record.get("Action")
    return ResultRow(
        [
            business_id,
            places.get(business_id) if isinstance(business_id, int) else None,
            actions.name_of(action) if isinstance(action, int) and _is_known(action) else action,
            *(_literal(record.get(name)) for name in ("URL", "Name", "Description")),
            "yes" if record.get("Active") else "no",
            account,
        ]
    )


def _is_known(action: int) -> bool:
    return 1 <= action <= len(actions.NAMES)


def _literal(value: object) -> str | None:
    """A text of the server, written so that it is no template."""
    return None if value in (None, "") else str(value).replace("{", "{{").replace("}", "}}")


def _harmless(value: object) -> object:
    """A text of a delimited file that no spreadsheet calculates, and that is read as it was."""
    return _NOTHING_IN_FRONT + value if isinstance(value, str) and _LIKE_A_FORMULA.match(value) else value
