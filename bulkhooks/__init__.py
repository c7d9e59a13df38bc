"""bulkhooks: creates Nexudus webhooks from a spreadsheet, never twice, never lost.

As a library::

    from bulkhooks import Job, run

    report = run(Job(input="hooks.xlsx", output="hooks.results.xlsx"))
    report.counts, report.exit_code, report.results

The names are fetched when first asked for, so that ``bulkhooks --help`` does not pay for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from bulkhooks.version import VERSION

if TYPE_CHECKING:
    from bulkhooks.commands.check import check
    from bulkhooks.commands.plan import plan
    from bulkhooks.commands.run import run, run_async
    from bulkhooks.config.job import AccountSettings, Job
    from bulkhooks.errors import (
        BulkhooksError,
        CredentialsError,
        InputError,
        JournalError,
        LockedError,
        OutputError,
        UsageError,
    )
    from bulkhooks.report import Report, Summary

__version__ = VERSION

_ROOMS = {
    "bulkhooks.errors": (
        "BulkhooksError",
        "CredentialsError",
        "InputError",
        "JournalError",
        "LockedError",
        "OutputError",
        "UsageError",
    ),
    "bulkhooks.commands.check": ("check",),
    "bulkhooks.commands.plan": ("plan",),
    "bulkhooks.commands.run": ("run", "run_async"),
    "bulkhooks.config.job": ("AccountSettings", "Job"),
    "bulkhooks.report": ("Report", "Summary"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "AccountSettings",
    "BulkhooksError",
    "CredentialsError",
    "InputError",
    "Job",
    "JournalError",
    "LockedError",
    "OutputError",
    "Report",
    "Summary",
    "UsageError",
    "__version__",
    "check",
    "plan",
    "run",
    "run_async",
]


def __getattr__(name: str) -> object:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(room), name)
