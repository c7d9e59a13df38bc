"""``runs``: what is in the journal. It loads little, for a person who looks waits for it."""

from __future__ import annotations

from typing import Any

from bulkhooks.config.job import Job
from bulkhooks.config.places import existing_journal
from bulkhooks.provision.journal import listed


def runs(job: Job) -> list[dict[str, Any]]:
    """The runs in the journal, the newest first: ``run_id``, ``command``, ``status``, ``counts``, ``inputs`` and more.

    Raises ``UsageError`` where there is no journal, ``JournalError`` where it cannot be read.
    """
    return listed.runs_in(existing_journal(job))
