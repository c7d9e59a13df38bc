"""What a run in shards needs: how many they are, which one a part is, and what all of them are asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add it."""
    op.add_column("runs", sa.Column("shards", _BIG))
    op.add_column("runs", sa.Column("shard", _BIG))
    op.add_column("runs", sa.Column("asks", sa.Text()))
