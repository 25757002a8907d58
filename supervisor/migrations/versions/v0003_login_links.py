"""Adds the one-time links with which clients log in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    op.create_table(
        "login_link",
        sa.Column("number", sa.String(20), owner, primary_key=True),
        sa.Column("link_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_used", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("login_link")
