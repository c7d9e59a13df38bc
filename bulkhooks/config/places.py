"""Where a job's memory is, and that nothing else is written there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from bulkhooks.config.job import Job
from bulkhooks.errors import UsageError

_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite adds to the journal's name for files that belong to it."""


def journal_place(job: Job) -> Path | str:
    """The job's memory: ``--journal`` (a file, or the address of a database), or ``journal.db`` in the user's state
    directory.

    Raises ``UsageError`` where the user has no home folder.
    """
    path = job.journal or _at_home()
    if path is None:
        raise UsageError("this user has no home folder for the journal; name a place for it with --journal")
    return path


def existing_journal(job: Job) -> Path | str:
    """Likewise, for who only asks it. Raises ``UsageError`` where there is no such file."""
    path = journal_place(job)
    if isinstance(path, Path) and not path.exists():
        raise UsageError(f"{path}: there is no journal here; name another place with --journal")
    return path


def refuse_the_journal(job: Job, more: Iterable[tuple[str, Path]] = ()) -> None:
    """Raise ``UsageError`` where something would be written over the job's own journal, also by way of a link.

    ``more``: places besides those of the job's options, each with the word for it.
    """
    named = [("--log-file", job.log_file), ("--metrics-file", job.metrics_file)]
    places = [("-o", Path(output)) for output in job.outputs] + [(word, path) for word, path in named if path]
    places += more
    journal = job.journal or (_at_home() if places else None)
    if not isinstance(journal, Path):
        return
    kept = [Path(f"{os.path.realpath(journal)}{suffix}") for suffix in _BESIDE]
    for word, place in places:
        if any(_is_same(place, each) for each in kept):
            raise UsageError(f"{word} {place}: this is the journal itself; name another place")


def _at_home() -> Path | None:
    import platformdirs

    try:
        folder = platformdirs.user_state_path("bulkhooks")
    except RuntimeError:  # neither HOME nor an entry in the system's list of users; earlier versions leave the ~ there
        return None
    return folder / "journal.db" if folder.is_absolute() else None


def _is_same(place: Path, kept: Path) -> bool:
    try:
        return os.path.realpath(place) == str(kept) or place.samefile(kept)
    except (OSError, ValueError):
        return False
