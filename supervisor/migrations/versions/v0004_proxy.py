"""Adds the proxy of a number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_proxy"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("number", sa.Column("proxy", sa.LargeBinary, nullable=True))
    op.add_column("number", sa.Column("proxy_place", sa.Text, nullable=True))


def downgrade() -> None:
    op.drop_column("number", "proxy_place")
    op.drop_column("number", "proxy")
