"""Adds the index by which a read receipt finds the messages that were not read before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_receipt_index"
down_revision = "0015_index"

_IS_UNREAD = sa.text("last_id IS NOT NULL AND read IS NULL AND connector IS NULL")


def upgrade() -> None:
    op.create_index(
        "journal_unread",
        "journal",
        ["number", "peer_id", "last_id"],
        sqlite_where=_IS_UNREAD,
        postgresql_where=_IS_UNREAD,
    )


def downgrade() -> None:
    op.drop_index("journal_unread", "journal")
