"""Adds the index by which the newest messages of a number are found."""

from __future__ import annotations

from alembic import op

revision = "0015_newest"
down_revision = "0014_key_mark"


def upgrade() -> None:
    op.create_index("journal_newest", "journal", ["number", "id"])


def downgrade() -> None:
    op.drop_index("journal_newest", "journal")
