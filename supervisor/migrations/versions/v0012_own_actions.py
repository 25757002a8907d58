"""Adds what people of the TeamFlame bot did through it, of which they need not be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_own_actions"
down_revision = "0011_nodes"


def upgrade() -> None:
    op.create_table(
        "teamflame_own_action",
        sa.Column("task_id", sa.String(100), primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("about", sa.String(100), primary_key=True),
        sa.Column("account", sa.String(100), primary_key=True, index=True),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False, index=True),
    )


def downgrade() -> None:
    op.drop_table("teamflame_own_action")
