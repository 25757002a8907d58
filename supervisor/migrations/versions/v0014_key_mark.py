"""Adds what tells whether two numbers hold one login."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_key_mark"
down_revision = "0013_lookup"


def upgrade() -> None:
    op.add_column("session", sa.Column("key_mark", sa.LargeBinary, nullable=True))


def downgrade() -> None:
    op.drop_column("session", "key_mark")
