"""Adds clients, numbers, sessions, peers and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_gateway()
    _create_numbers()
    _create_sessions()
    _create_audit()


def downgrade() -> None:
    for table in ("audit", "entity", "session", "number", "client", "gateway"):
        op.drop_table(table)


def _create_gateway() -> None:
    op.create_table(
        "gateway",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key_check", sa.LargeBinary, nullable=False),
    )


def _create_numbers() -> None:
    op.create_table(
        "client",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "number",
        sa.Column("digits", sa.String(20), primary_key=True),
        sa.Column("client_id", sa.Integer, sa.ForeignKey("client.id"), nullable=False, index=True),
        sa.Column("url_planfix", sa.Text, nullable=False),
        sa.Column("token_planfix", sa.LargeBinary, nullable=False),
        sa.Column("provider_id", sa.Text, nullable=False),
        sa.Column("user_email", sa.Text),
        sa.Column("token_hash", sa.LargeBinary, unique=True),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column("wanted", sa.String(10), nullable=False),
        sa.Column("login", sa.String(10), nullable=False),
        sa.Column("parked", sa.Text),
        sa.Column("error_code", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("error_action", sa.Text),
        sa.Column("restarts", sa.Integer, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
    )


def _number_key() -> sa.Column[str]:
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    return sa.Column("number", sa.String(20), owner, primary_key=True)


def _create_sessions() -> None:
    op.create_table(
        "session",
        _number_key(),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("dc_id", sa.Integer, nullable=False),
        sa.Column("server_address", sa.Text, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("auth_key", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.BigInteger),
        sa.Column("pts", sa.Integer),
        sa.Column("qts", sa.Integer),
        sa.Column("date", sa.BigInteger),
        sa.Column("seq", sa.Integer),
    )
    op.create_table(
        "entity",
        _number_key(),
        sa.Column("peer_id", sa.BigInteger, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("access_hash", sa.BigInteger, nullable=False),
        sa.Column("username", sa.Text),
        sa.Column("phone", sa.Text),
        sa.Column("name", sa.Text),
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("number", sa.String(20), index=True),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("detail", sa.Text),
    )
