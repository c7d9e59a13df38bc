"""The files that people have dropped: private folders, kept until they are run to their end, removed or forgotten."""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bulkhooks.commands.correct import CorrectableSheet
from bulkhooks.commands.template import live_locations
from bulkhooks.config.job import Job
from bulkhooks.errors import InputError
from bulkhooks.private import make_folders
from bulkhooks.sheets.reading.locations import Locations
from bulkhooks.web.works import Work

MOST_ROWS = 100_000
"""Rows of a file at the page."""
SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".tsv", ".txt", ".jsonl")
_LONGEST_NAME = 120
_MOST_DRAFTS = 20
"""Files of one person that were not run; the oldest goes first."""
_MOST_OPEN = 4
"""Sheets that are held in memory; others are read again when they are looked at."""
_A_DAY = 86_400.0
_META = "draft.json"


@dataclass(slots=True)
class Draft:
    """One file that was dropped. ``owner`` is the id of who did; once it was run (``runs``), everybody may see it."""

    id: str
    owner: str
    name: str
    folder: Path
    map: list[str] = field(default_factory=list)
    corrections: dict[str, dict[str, str]] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    is_live: bool = False
    """Whether the server's own list of locations counts."""
    account: str = ""
    if_exists: str = ""
    used_at: float = field(default_factory=time.time)
    locations: Locations | None = None
    plan: Work | None = None
    version: int = 0
    """Counts the changes; a plan is of one version."""
    guard: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def path(self) -> Path:
        """The file as it was dropped."""
        return self.folder / self.name

    def save(self) -> None:
        """Keep what has to survive the server."""
        kept: dict[str, object] = {
            "owner": self.owner,
            "name": self.name,
            "map": self.map,
            "corrections": self.corrections,
        }
        kept |= {"runs": self.runs, "is_live": self.is_live, "account": self.account, "if_exists": self.if_exists}
        beside = self.folder / f"{_META}.new"
        beside.write_text(json.dumps(kept), encoding="utf-8")
        beside.replace(self.folder / _META)

    def changed(self) -> None:
        """What was planned is no longer what would be done."""
        self.version += 1
        self.plan = None
        self.save()

    def job(self, base: Job) -> Job:
        """The job of the file as it was dropped."""
        locations = "live" if self.is_live else base.locations
        job = dataclasses.replace(base, input=(str(self.path),), map=[*base.map, *self.map], locations=locations)
        if self.account:
            job = dataclasses.replace(job, account=self.account)
        return dataclasses.replace(job, if_exists=self.if_exists) if self.if_exists else job

    def corrected(self, sheet: CorrectableSheet) -> Path:
        """The file as it is to be sent: as it was dropped, or a copy with the corrections. Raises ``OutputError``."""
        if not self.corrections:
            return self.path
        make_folders(self.folder / "corrected")
        return sheet.write(self.folder / "corrected" / self.name)

    def sendable(self, base: Job, sheet: CorrectableSheet) -> Job:
        """The job of the corrected file. Raises ``OutputError``."""
        path = self.corrected(sheet)
        job = self.job(base)
        # Written anew it has our own headers.
        named = job.map if path.suffix == self.path.suffix else ()
        return dataclasses.replace(job, input=(str(path),), map=named)


class Drafts:
    """All files in one folder. For any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._drafts: dict[str, Draft] = {}
        self._open: dict[str, CorrectableSheet] = {}
        make_folders(folder)

    def load(self, is_finished: Callable[[str], bool]) -> None:
        """Take over what an earlier server left: files of runs that are not finished stay, all else goes."""
        for folder in self._folder.iterdir():
            if folder.name in self._drafts:
                continue
            try:
                kept = json.loads((folder / _META).read_text(encoding="utf-8"))
                if kept["runs"] and not is_finished(kept["runs"][-1]):
                    draft = Draft(folder.name, folder=folder, **kept)
                    draft.path.stat()
                    self._drafts[draft.id] = draft
                    continue
            except (OSError, ValueError, KeyError, TypeError):
                pass
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def is_empty(self) -> bool:
        """Whether there is no file."""
        return not self._drafts

    def add(self, owner: str, name: str, write: Callable[[Path], None]) -> Draft:
        """A new file; ``write`` puts it in its place."""
        self._forget(owner)
        draft = Draft(secrets.token_hex(8), owner, name, self._folder / secrets.token_hex(8))
        draft.folder = self._folder / draft.id
        make_folders(draft.folder)
        try:
            write(draft.path)
            draft.path.chmod(0o600)
            draft.save()
        except BaseException:
            shutil.rmtree(draft.folder, ignore_errors=True)
            raise
        with self._guard:
            self._drafts[draft.id] = draft
        return draft

    def get(self, name: str, person: str) -> Draft | None:
        """That file, where this person may see it."""
        with self._guard:
            draft = self._drafts.get(name)
        if draft is None or (draft.owner != person and not draft.runs):
            return None
        draft.used_at = time.time()
        return draft

    def of(self, person: str) -> list[Draft]:
        """What a person may see, the newest first."""
        with self._guard:
            return [draft for draft in reversed(self._drafts.values()) if draft.owner == person or draft.runs]

    def of_run(self, run_id: str) -> Draft | None:
        """The file of a run."""
        with self._guard:
            return next((draft for draft in self._drafts.values() if run_id in draft.runs), None)

    def sheet(self, draft: Draft, base: Job) -> CorrectableSheet:
        """The file's rows, checked. Raises what reading raises, and ``InputError`` where there are too many."""
        with draft.guard:
            with self._guard:
                known = self._open.pop(draft.id, None)
            if known is None:
                if draft.is_live and draft.locations is None:  # an earlier server had asked for them
                    draft.locations = live_locations(draft.job(base))
                known = CorrectableSheet(draft.job(base), draft.corrections, draft.locations)
                if len(known) > MOST_ROWS:
                    raise InputError(
                        f"{draft.name} has {len(known):,} rows; the page takes {MOST_ROWS:,}. Split the file, or use"
                        " the command line, which takes any number: `bulkhooks run FILE`"
                    )
            with self._guard:
                if draft.id in self._drafts:
                    self._open[draft.id] = known
                while len(self._open) > _MOST_OPEN:
                    del self._open[next(iter(self._open))]
            return known

    def read_again(self, draft: Draft) -> None:
        """The next look reads the file again, for its columns mean something else now."""
        with self._guard:
            self._open.pop(draft.id, None)

    def remove(self, draft: Draft) -> None:
        """Delete a file."""
        with self._guard:
            self._drafts.pop(draft.id, None)
            self._open.pop(draft.id, None)
        shutil.rmtree(draft.folder, ignore_errors=True)

    def close(self) -> None:
        """Delete what was not run."""
        for draft in list(self._drafts.values()):
            if not draft.runs:
                self.remove(draft)
        with suppress(OSError):
            self._folder.rmdir()

    def _forget(self, owner: str) -> None:
        for draft in self._left_over(owner):
            self.remove(draft)

    def _left_over(self, owner: str) -> Iterator[Draft]:
        with self._guard:
            waiting = [draft for draft in self._drafts.values() if not draft.runs]
        theirs = [draft for draft in waiting if draft.owner == owner]
        yield from (draft for draft in waiting if time.time() - draft.used_at > _A_DAY)
        yield from theirs[: max(0, len(theirs) - _MOST_DRAFTS + 1)]


def file_name(given: str) -> str:
    """The name of an uploaded file without anything that could be a path. Raises ``InputError``."""
    name = re.split(r"[/\\]", given)[-1]
    name = "".join(letter for letter in name if letter.isprintable() and letter not in '<>:"|?*').strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem or f".{suffix.lower()}" not in SUFFIXES:
        raise InputError(
            f"{name or 'a file without a name'}: the page takes workbooks and text files, one of {' '.join(SUFFIXES)}"
        )
    if name == _META:
        raise InputError(f"{name}: call the file something else")
    stem = stem.encode()[:_LONGEST_NAME].decode("utf-8", "ignore")
    return f"{stem}.{suffix}"
