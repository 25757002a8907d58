"""Adds the nodes, the placement of numbers on them, and the files that all of them can read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_nodes"
down_revision = "0010_bots"


def upgrade() -> None:
    op.create_table(
        "node",
        sa.Column("incarnation", sa.String(32), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("memory", sa.BigInteger, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "placement",
        sa.Column("number", sa.String(20), primary_key=True),
        sa.Column("incarnation", sa.String(32), nullable=True, index=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
    )
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    op.create_table(
        "stored_file",
        sa.Column("number", sa.String(20), owner, primary_key=True),
        sa.Column("path", sa.String(60), primary_key=True),
        sa.Column("piece", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False, index=True),
    )


def downgrade() -> None:
    for table in ("stored_file", "placement", "node"):
        op.drop_table(table)
