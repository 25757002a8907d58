"""Adds which chats of a number go to Planfix, and since when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_chat_choice"
down_revision = "0008_teamflame"


def upgrade() -> None:
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    op.create_table(
        "chat_choice",
        sa.Column("number", sa.String(20), owner, primary_key=True),
        sa.Column("selection", sa.LargeBinary, nullable=False),
        sa.Column("history_since", sa.Date, nullable=True),
    )


def downgrade() -> None:
    op.drop_table("chat_choice")
