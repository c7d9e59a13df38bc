"""Files that are their owner's alone: the journal and logs, which name endpoints and their secrets."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def make_private(path: Path) -> None:
    """Make an empty file, and the folders that are missing, for their owner alone; one that is there is tightened.

    Raises ``OSError`` where that cannot be.
    """
    make_folders(path.parent)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        tighten(path)


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, as far as they are missing, for their owner alone."""
    if not folder.exists():
        make_folders(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def tighten(path: Path) -> None:
    """Take a file of ours away from everybody else; somebody else's is left as it is, and so is a device."""
    if os.name != "posix":
        return
    with suppress(OSError):
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & 0o077:
            path.chmod(stat.S_IMODE(found.st_mode) & 0o700)


def is_database(path: Path) -> bool:
    """Whether there is a database of SQLite, such as a journal. Raises ``OSError`` where it cannot be read."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(15) == b"SQLite format 3"
