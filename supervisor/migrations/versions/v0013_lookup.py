"""Adds what Planfix's incoming webhook needs, and which events wait for a look-up in Planfix."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_lookup"
down_revision = "0012_own_actions"

_NEEDS_LOOKUP = sa.text("needs_lookup")


def upgrade() -> None:
    op.add_column("bot", sa.Column("planfix_webhook_url", sa.LargeBinary, nullable=True))
    op.add_column("notification", sa.Column("needs_lookup", sa.Boolean, nullable=True))
    op.create_index(
        "notification_lookup",
        "notification",
        ["number", "created"],
        sqlite_where=_NEEDS_LOOKUP,
        postgresql_where=_NEEDS_LOOKUP,
    )


def downgrade() -> None:
    op.drop_index("notification_lookup", "notification")
    op.drop_column("notification", "needs_lookup")
    op.drop_column("bot", "planfix_webhook_url")
