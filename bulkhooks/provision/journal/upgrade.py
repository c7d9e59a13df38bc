"""Makes the tables of a new journal, and brings those of an older one up to date."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bulkhooks.errors import JournalError
from bulkhooks.provision.journal import tables
from bulkhooks.provision.journal.revision import REVISION

_FOLDER = Path(__file__).parent / "migrations"


def make(connection: sa.Connection) -> None:
    """Make all tables where there is none, at the newest revision; in the transaction that is open.

    No chain of migrations is gone through: that takes Alembic, which a new journal need not load.
    """
    tables.METADATA.create_all(connection, checkfirst=False)
    revision = _revision_table(connection)
    revision.create(connection)
    connection.execute(revision.insert().values(version_num=REVISION))


def is_newest(connection: sa.Connection) -> bool:
    """Whether the tables that are there are those of this version."""
    return revision_of(connection) == REVISION


def revision_of(connection: sa.Connection) -> str:
    """The revision of the tables that are there."""
    return str(connection.execute(sa.select(_revision_table(connection).c.version_num)).scalar_one())


def stamp_first(connection: sa.Connection) -> None:
    """Say of a file of the first edition that it is at the first revision."""
    revision = _revision_table(connection)
    revision.create(connection)
    connection.execute(revision.insert().values(version_num="0001"))


def migrate(connection: sa.Connection, place: str) -> None:
    """Bring older tables up to date; in the transaction that is open.

    Raises ``JournalError`` where a newer bulkhooks made them.
    """
    found = revision_of(connection)
    if found > REVISION:
        raise newer(place, found)
    if found == REVISION:
        return
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    command.upgrade(config, REVISION)


def newer(place: str, version: str) -> JournalError:
    """The sentence for a journal that this version does not know."""
    return JournalError(
        f"{place}: a newer bulkhooks wrote this journal (version {version}); update bulkhooks to use it"
    )


def _revision_table(connection: sa.Connection) -> sa.Table:
    """Where Alembic keeps the revision."""
    schema = tables.SCHEMA if connection.dialect.name == "postgresql" else None
    return sa.Table(
        "alembic_version",
        sa.MetaData(),
        sa.Column("version_num", sa.String(32), primary_key=True),
        schema=schema,
    )
