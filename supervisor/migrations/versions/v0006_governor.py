"""Adds what each number has used of its budgets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_governor"
down_revision = "0005_notifications"


def upgrade() -> None:
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    op.create_table(
        "governor",
        sa.Column("number", sa.String(20), owner, primary_key=True),
        sa.Column("settings", sa.Text, nullable=True),
        sa.Column("suspected_for", sa.Text, nullable=True),
        sa.Column("suspected_until", sa.Float, nullable=True),
        sa.Column("suspected_times", sa.Integer, nullable=False),
    )
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    row = sa.ForeignKey("journal.id", ondelete="CASCADE")
    op.create_table(
        "first_contact",
        sa.Column("number", sa.String(20), owner, primary_key=True),
        sa.Column("peer_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("row", sa.BigInteger, row, nullable=False),
        sa.Column("granted", sa.Float, nullable=True),
    )
    op.create_index("ix_first_contact_row", "first_contact", ["row"])
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    op.create_table(
        "phone_look_up",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.String(20), owner, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("ix_phone_look_up_number", "phone_look_up", ["number"])


def downgrade() -> None:
    op.drop_table("phone_look_up")
    op.drop_table("first_contact")
    op.drop_table("governor")
