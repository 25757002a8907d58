"""The table that says which chats of a number go to Planfix.

Like `tables.py` it has no `from __future__ import annotations`: SQLModel evaluates the annotations.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Final

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from supervisor.database.tables import number_key


class ChatChoice(SQLModel, table=True):
    """The chats of a number that go to Planfix, and since when; without a row, all from now on."""

    __tablename__: ClassVar[Any] = "chat_choice"

    number: str = Field(sa_column=number_key())
    selection: bytes = Field(sa_type=LargeBinary)
    history_since: date | None = None


chat_choice: Final = ChatChoice.metadata.tables["chat_choice"]
