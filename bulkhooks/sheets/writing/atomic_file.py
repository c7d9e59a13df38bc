"""A place for a file: tried early, filled beside it, and moved there whole at the end."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO

from bulkhooks.errors import OutputError
from bulkhooks.temporary import remove_left_over, temporary_name

_MOST_NAMES = 1_000
"""Other names that are tried where the place is locked."""


class Place:
    """Where one file is going to be.

    Missing folders are made, and it is tried whether a file can be written there: raises ``OutputError`` where not.
    Nothing stays open after that; ``file`` is opened when it is first asked for, under another name in the same folder.
    ``move`` puts the file into its place, ``discard`` removes it; until ``move`` an older file there stays as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # A link stays a link: what it points at is replaced.
        self._target = Path(os.path.realpath(path))
        self._temporary = self._target.with_name(temporary_name(".part"))
        self._file: IO[bytes] | None = None
        try:
            if self._target.is_dir():
                raise IsADirectoryError("there is a folder of that name")
            self._target.parent.mkdir(parents=True, exist_ok=True)
            remove_left_over(str(self._target.parent))
            self._temporary.open("xb").close()
            self._temporary.unlink()
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {reason(error)}; choose another place") from error

    @property
    def file(self) -> IO[bytes]:
        """The file, open for writing. Raises ``OSError`` where it cannot be made any more."""
        if self._file is None:
            self._file = self._temporary.open("x+b")
            with suppress(OSError):
                shutil.copymode(self._target, self._temporary)
        return self._file

    def move(self) -> Path:
        """Put the file where it belongs, and return where that is.

        Where the place is locked (open in Excel) it is ``<name>.1.xlsx`` or the first such number that is free. Raises
        ``OutputError`` where nothing can be moved; the file then stays under the name that the sentence gives.
        """
        # On the disk before it has its name: after a power cut the place holds the old file or the new one, whole.
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        try:
            self._temporary.replace(self._target)
        except OSError as error:
            moved = self._move_aside(error)
        else:
            moved = self.path
        _sync_folder(self._target.parent)
        return moved

    def discard(self) -> None:
        """Remove the file, if it has not been moved."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self._temporary.unlink(missing_ok=True)
            self._file = None

    def _move_aside(self, locked: OSError) -> Path:
        for number in range(1, _MOST_NAMES):
            name = f"{self._target.stem}.{number}{self._target.suffix}"
            beside = self._target.with_name(name)
            if os.path.lexists(beside):
                continue
            try:
                self._temporary.replace(beside)
            except OSError:
                break
            return self.path.with_name(name) if self._target.parent.samefile(self.path.parent) else beside
        kept = self._target.with_name(f"{self._target.stem}.{secrets.token_hex(4)}{self._target.suffix}")
        try:
            self._temporary.replace(kept)
        except OSError:
            kept = self._temporary
        self._file = None  # so that it stays
        raise OutputError(f"{self.path} cannot be written: {reason(locked)}; what was meant for it is in {kept}")


def reason(error: OSError) -> str:
    """Why the system refused, in its own words, without numbers and names."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def _sync_folder(folder: Path) -> None:
    """Let the new name survive a power cut, on systems where a folder can be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
