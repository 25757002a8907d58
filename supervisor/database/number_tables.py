"""The tables of what a number may do: which chats it serves, and its budgets.

Like `tables.py`, this file has no `from __future__ import annotations`.
"""

from datetime import date
from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, String, Text
from sqlmodel import Field, SQLModel

from supervisor.database.tables import number_key


class ChatChoice(SQLModel, table=True):
    """The chats of a number that go to Planfix, and since when; without a row, all from now on."""

    __tablename__: ClassVar[Any] = "chat_choice"

    number: str = Field(sa_column=number_key())
    selection: bytes = Field(sa_type=LargeBinary)
    history_since: date | None = None


class Governor(SQLModel, table=True):
    """The settings of a number's budgets, and until when Telegram suspects it of sending spam."""

    number: str = Field(sa_column=number_key())
    settings: str | None = Field(default=None, sa_type=Text)
    suspected_for: str | None = Field(default=None, sa_type=Text)
    suspected_until: float | None = None
    suspected_times: int = 0


class FirstContact(SQLModel, table=True):
    """Somebody to whom a number wrote first; without a time, their messages still wait.

    The time is 0 if they wrote before their turn came, so that it was an answer after all.
    """

    __tablename__: ClassVar[Any] = "first_contact"

    number: str = Field(sa_column=number_key())
    peer_id: int = Field(
        sa_column=Column(BigInteger, primary_key=True, autoincrement=False, nullable=False)
    )
    row: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("journal.id", ondelete="CASCADE"), nullable=False, index=True
        )
    )
    granted: float | None = None


class PhoneLookUp(SQLModel, table=True):
    """When a number asked Telegram whose a phone is."""

    __tablename__: ClassVar[Any] = "phone_look_up"

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(
        sa_column=Column(
            String(20), ForeignKey("number.digits", ondelete="CASCADE"), nullable=False, index=True
        )
    )
    at: float


_tables = SQLModel.metadata.tables

chat_choice: Final = _tables["chat_choice"]
governor: Final = _tables["governor"]
first_contact: Final = _tables["first_contact"]
phone_look_up: Final = _tables["phone_look_up"]
