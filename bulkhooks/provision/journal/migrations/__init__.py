"""How the tables of an older journal become those of ``tables.py``: revisions of Alembic."""
