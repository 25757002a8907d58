"""Adds what Planfix's incoming webhook needs, and which events wait for a look-up in Planfix."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_look_ups"
down_revision = "0011_nodes"

_NEEDS_LOOK_UP = sa.text("needs_look_up")


def upgrade() -> None:
    op.add_column("bot", sa.Column("planfix_webhook_url", sa.LargeBinary, nullable=True))
    op.add_column("notification", sa.Column("needs_look_up", sa.Boolean, nullable=True))
    op.create_index(
        "notification_look_up",
        "notification",
        ["number", "created"],
        sqlite_where=_NEEDS_LOOK_UP,
        postgresql_where=_NEEDS_LOOK_UP,
    )


def downgrade() -> None:
    op.drop_index("notification_look_up", "notification")
    op.drop_column("notification", "needs_look_up")
    op.drop_column("bot", "planfix_webhook_url")
