"""Adds bots, the people who registered with them, and what they hear."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_bots"
down_revision = "0009_chat_choice"


def _owner(*, is_key: bool = False) -> sa.Column[str]:
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    return sa.Column("number", sa.String(20), owner, primary_key=is_key, nullable=False)


def upgrade() -> None:
    op.create_table(
        "bot",
        _owner(is_key=True),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("token", sa.LargeBinary, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("planfix_rest_url", sa.Text, nullable=True),
        sa.Column("planfix_rest_token", sa.LargeBinary, nullable=True),
    )
    op.create_table(
        "bot_person",
        _owner(is_key=True),
        sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("username", sa.Text, nullable=True),
        sa.Column("phone", sa.Text, nullable=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("alias", sa.Text, nullable=True),
        sa.Column("is_muted", sa.Boolean, nullable=False),
        sa.Column("is_blocked", sa.Boolean, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("bot_person_phone", "bot_person", ["number", "phone"])
    op.create_table(
        "heard",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        _owner(),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("number", "key"),
    )
    is_open = sa.text("done IS NULL")
    op.create_index(
        "heard_open", "heard", ["number", "id"], sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index("heard_done", "heard", ["done"])


def downgrade() -> None:
    for table in ("heard", "bot_person", "bot"):
        op.drop_table(table)
