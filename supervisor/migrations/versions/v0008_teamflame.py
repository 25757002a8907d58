"""Adds what the TeamFlame bot stores: accounts, links, choices, snapshots, dialogs and buttons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_teamflame"
down_revision = "0007_history"

_TABLES = (
    "teamflame_button",
    "teamflame_dialog",
    "teamflame_snapshot",
    "teamflame_subscription",
    "teamflame_selection",
    "teamflame_link",
    "teamflame_account",
)


def upgrade() -> None:
    _add_accounts()
    _add_choices()
    op.create_table(
        "teamflame_snapshot",
        sa.Column("board_id", sa.String(100), primary_key=True),
        sa.Column("taken", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "teamflame_dialog",
        _user_key(),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "teamflame_button",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("user_id", sa.BigInteger, nullable=False, index=True),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False, index=True),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


def _add_accounts() -> None:
    op.create_table(
        "teamflame_account",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column("access", sa.LargeBinary, nullable=False),
        sa.Column("refresh", sa.LargeBinary, nullable=False),
        sa.Column("renew_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("needs_sign_in", sa.Boolean, nullable=False),
    )
    owner = sa.ForeignKey("teamflame_account.id", ondelete="CASCADE")
    op.create_table(
        "teamflame_link",
        _user_key(),
        sa.Column("account", sa.String(100), owner, nullable=False, index=True),
        sa.Column("language", sa.String(10), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )


def _add_choices() -> None:
    op.create_table(
        "teamflame_selection",
        _user_key(),
        sa.Column("space_id", sa.String(100), nullable=False),
        sa.Column("project_id", sa.String(100), nullable=False),
        sa.Column("board_id", sa.String(100), nullable=False),
    )
    op.create_table(
        "teamflame_subscription",
        _user_key(),
        sa.Column("board_id", sa.String(100), primary_key=True, index=True),
        sa.Column("kinds", sa.Text, nullable=False),
    )


def _user_key() -> sa.Column[int]:
    return sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False)
