"""Which tables this version knows."""

from __future__ import annotations

REVISION = "0003"
"""The newest of ``migrations/``, which the tables of ``tables.py`` are."""

FILE_VERSION = 9
"""``PRAGMA user_version`` of files whose revision Alembic keeps; those of ``old_files.py`` come before it."""
