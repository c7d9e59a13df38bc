"""The tables of the first edition: those of its files of version 8, which ``old_files.py`` makes of all older ones.

A new journal is made at the newest revision at once (``upgrade.py``), so nothing is ever made at this one.
"""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing: the tables are there."""
