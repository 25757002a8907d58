"""Adds the journal of messages, chats and receipts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _create_journal()
    _index_journal()
    _create_telegram_side()
    _create_chats()
    _create_receipts()


def downgrade() -> None:
    for table in ("gap_receipt", "chat", "sent_part", "telegram_message", "journal"):
        op.drop_table(table)


def _number(*, is_key: bool = False, index: bool = False) -> sa.Column[str]:
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    return sa.Column(
        "number", sa.String(20), owner, primary_key=is_key, nullable=False, index=index
    )


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        _number(),
        sa.Column("direction", sa.String(3), nullable=False),
        sa.Column("peer_id", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("is_echo", sa.Boolean, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try", sa.Float),
        sa.Column("is_trying", sa.Boolean, nullable=False),
        sa.Column("is_uncertain", sa.Boolean, nullable=False),
        sa.Column("error_code", sa.Text),
        sa.Column("error_detail", sa.Text),
        sa.Column("last_id", sa.BigInteger),
        sa.Column("status_due", sa.String(5)),
        sa.Column("status_told", sa.String(5)),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("number", "direction", "key"),
        sqlite_autoincrement=True,
    )


def _index_journal() -> None:
    op.create_index("journal_chat", "journal", ["number", "peer_id"])
    op.create_index("journal_done", "journal", ["done"])
    _create_partial_index(
        "journal_pending", ["number", "direction", "id"], where="state = 'pending'"
    )
    _create_partial_index("journal_owed", ["number", "id"], where="status_due IS NOT NULL")
    _create_partial_index("journal_bodies", ["done"], where="body IS NOT NULL")


def _create_partial_index(name: str, columns: list[str], *, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "journal", columns, sqlite_where=condition, postgresql_where=condition)


def _row(*, is_key: bool = False) -> sa.Column[int]:
    owner = sa.ForeignKey("journal.id", ondelete="CASCADE")
    return sa.Column(
        "row",
        sa.BigInteger,
        owner,
        primary_key=is_key,
        autoincrement=False,
        nullable=False,
        index=not is_key,
    )


def _create_telegram_side() -> None:
    op.create_table(
        "telegram_message",
        _number(is_key=True),
        sa.Column("message_id", sa.BigInteger, primary_key=True),
        sa.Column("change", sa.BigInteger, primary_key=True),
        _row(),
    )
    op.create_table(
        "sent_part",
        _row(is_key=True),
        sa.Column("part", sa.Integer, primary_key=True),
        sa.Column("message_ids", sa.Text, nullable=False),
    )


def _create_chats() -> None:
    op.create_table(
        "chat",
        _number(is_key=True),
        sa.Column("peer_id", sa.BigInteger, primary_key=True),
        sa.Column("read_up_to", sa.BigInteger, nullable=False),
        sa.Column("memory", sa.LargeBinary),
    )


def _create_receipts() -> None:
    op.create_table(
        "gap_receipt",
        sa.Column("id", sa.Integer, primary_key=True),
        _number(index=True),
        sa.Column("pts_from", sa.Integer, nullable=False),
        sa.Column("pts_to", sa.Integer, nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found", sa.Integer, nullable=False),
        sa.Column("missing", sa.Integer, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("first_row", sa.BigInteger),
        sa.Column("last_row", sa.BigInteger),
    )
