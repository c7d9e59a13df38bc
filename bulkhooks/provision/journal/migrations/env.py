"""Run by Alembic: the connection comes from ``upgrade.py``, which has begun the transaction."""

from alembic import context

from bulkhooks.provision.journal import tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables.METADATA,
    version_table_schema=tables.SCHEMA if connection.dialect.name == "postgresql" else None,
    transactional_ddl=False,
)
context.run_migrations()
