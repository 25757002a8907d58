"""The tables of what happened: audit, changes of state, failed tries of messages, alarms.

Like `tables.py`, this file has no `from __future__ import annotations`.
"""

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Text
from sqlmodel import Field, SQLModel

from supervisor.database.tables import Moment, RowState, now, partial_index


class Audit(SQLModel, table=True):
    """Who did what to which number; the entry stays when the number is purged."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(default_factory=now, sa_type=Moment)
    who: str = Field(sa_type=Text)
    number: str | None = Field(default=None, sa_type=String(20), index=True)
    action: str = Field(sa_type=Text)
    detail: str | None = Field(default=None, sa_type=Text)


class StateChange(SQLModel, table=True):
    """A state that a number came into, and the code of its cause."""

    __tablename__: ClassVar[Any] = "state_change"
    __table_args__ = (Index("state_change_number", "number", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    )
    number: str = Field(
        sa_column=Column(
            String(20), ForeignKey("number.digits", ondelete="CASCADE"), nullable=False
        )
    )
    at: datetime = Field(sa_type=Moment)
    state: str = Field(sa_type=String(16))
    code: str | None = Field(default=None, sa_type=Text)
    detail: str | None = Field(default=None, sa_type=Text)


class FailedTry(SQLModel, table=True):
    """How often, and when, a message failed for one reason since it was last replayed."""

    __tablename__: ClassVar[Any] = "failed_try"

    row: int = Field(
        sa_column=Column(
            BigInteger,
            ForeignKey("journal.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        )
    )
    replays: int = Field(primary_key=True)
    code: str = Field(sa_type=Text, primary_key=True)
    detail: str = Field(sa_type=Text)
    times: int = 1
    first: datetime = Field(default_factory=now, sa_type=Moment)
    last: datetime = Field(default_factory=now, sa_type=Moment)


class Alarm(SQLModel, table=True):
    """An alarm for ALERT_URL; `body` is the JSON that is sent, byte for byte."""

    __table_args__ = (partial_index("alarm_pending", "next_try", where="state = 'pending'"),)

    id: str = Field(sa_type=String(40), primary_key=True)
    at: datetime = Field(sa_type=Moment, index=True)
    body: str = Field(sa_type=Text)
    state: RowState = Field(default=RowState.PENDING, sa_type=String(10))
    attempts: int = 0
    next_try: float = 0.0
    error: str | None = Field(default=None, sa_type=Text)
    done: datetime | None = Field(default=None, sa_type=Moment)


_tables = Audit.metadata.tables

audit: Final = _tables["audit"]
state_change: Final = _tables["state_change"]
failed_try: Final = _tables["failed_try"]
alarm: Final = _tables["alarm"]
