"""The tables that the nodes share: who they are, which numbers they run, and files for all of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, Text
from sqlmodel import SQLModel

from supervisor.database.tables import Moment

node: Final = Table(
    "node",
    SQLModel.metadata,
    Column("incarnation", String(32), primary_key=True),
    Column("url", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("since", Moment, nullable=False),
)
# Without a foreign key to the number, because a node claims a number before it registers it.
placement: Final = Table(
    "placement",
    SQLModel.metadata,
    Column("number", String(20), primary_key=True),
    Column("incarnation", String(32), nullable=True, index=True),
    Column("epoch", BigInteger, nullable=False),
)
stored_file: Final = Table(
    "stored_file",
    SQLModel.metadata,
    Column("number", String(20), ForeignKey("number.digits", ondelete="CASCADE"), primary_key=True),
    Column("path", String(60), primary_key=True),
    Column("piece", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
    Column("created", Moment, nullable=False, index=True),
)
