"""What several machines need: parts of a run, a request to stop it, leases; calls are numbered by who sends them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them."""
    op.add_column("runs", sa.Column("part_of", sa.Text()))
    op.add_column("runs", sa.Column("stop_requested_at", sa.Double()))
    op.add_column("runs", sa.Column("seen_at", sa.Double()))
    op.create_index("runs_of_whole", "runs", ["part_of"])
    op.create_table(
        "leases",
        sa.Column("account", _BIG, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("token", _BIG, nullable=False),
        sa.Column("run", _BIG, sa.ForeignKey("runs.id", ondelete="SET NULL")),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("certificate", _BIG, nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.rename_table("calls", "earlier_calls")
    op.drop_index("calls_of_account", "earlier_calls")
    op.create_table(
        "calls",
        sa.Column("account", _BIG, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("id", _BIG, primary_key=True, autoincrement=False),
        sa.Column("write", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("calls_of_account", "calls", ["account", "write", "at"])
    op.execute('INSERT INTO calls (account, id, "write", at) SELECT account, id, "write", at FROM earlier_calls')
    op.drop_table("earlier_calls")
