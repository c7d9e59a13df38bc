"""Temporary files and folders with names that say whose they are, so that what a killed process left can be removed."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from bulkhooks.errors import OutputError

_OURS = re.compile(r"\.?bulkhooks-(?P<machine>[0-9a-f]{8})-(?P<process>\d{1,10})-.+")
_A_DAY = 86_400.0
"""Seconds after which a file of another machine is left over: none is written for so long."""


def temporary_name(suffix: str) -> str:
    """The name of a hidden file that nobody else has."""
    return f".{_prefix()}{secrets.token_hex(8)}{suffix}"


def check_temporary_folder() -> None:
    """Raise ``OutputError`` where temporary files have no place, before anything is done that needs one at its end."""
    try:
        tempfile.gettempdir()
    except OSError as error:
        raise OutputError("no folder for temporary files can be written to; name one in TMPDIR") from error


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed when the block is left; those of killed processes are removed before.

    Raises ``OutputError`` where it has no place.
    """
    check_temporary_folder()
    remove_left_over(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(prefix=_prefix()) as folder:
        yield Path(folder)


@cache
def remove_left_over(folder: str) -> None:
    """Remove what processes that are no more have left in ``folder``; once is enough for a process."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            with suppress(OSError):
                if (name := _OURS.fullmatch(entry.name)) and _is_left_over(name, entry.stat(follow_symlinks=False)):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        Path(entry.path).unlink()


def _is_left_over(name: re.Match[str], found: os.stat_result) -> bool:
    if os.name != "posix" or name["machine"] != _machine():
        return time.time() - found.st_mtime > _A_DAY
    try:
        os.kill(int(name["process"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False  # it lives, as somebody else's
    return False


def _prefix() -> str:
    return f"bulkhooks-{_machine()}-{os.getpid()}-"


@cache
def _machine() -> str:
    """What numbers of processes are good for: this machine, and on Linux this container."""
    names = [platform.node()]
    with suppress(OSError):
        names.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(names).encode("utf-8", "replace")).hexdigest()[:8]
