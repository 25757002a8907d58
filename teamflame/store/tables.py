"""TeamFlame's tables, as SQLModel classes and as SQLAlchemy tables.

This file has no `from __future__ import annotations`: SQLModel evaluates the annotations.
"""

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, LargeBinary, String, Text
from sqlmodel import Field, SQLModel

from supervisor.database.tables import Moment, now


def _user_key() -> "Column[Any]":
    """Make the key of a row of one Telegram user, whose id may exceed 32 bits."""
    return Column(BigInteger, primary_key=True, autoincrement=False)


class TeamFlameAccount(SQLModel, table=True):
    """An account at TeamFlame with its sealed tokens; the password is stored nowhere."""

    __tablename__: ClassVar[Any] = "teamflame_account"

    id: str = Field(sa_type=String(100), primary_key=True)
    email: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    data_key: bytes = Field(sa_type=LargeBinary)
    access: bytes = Field(sa_type=LargeBinary)
    refresh: bytes = Field(sa_type=LargeBinary)
    renew_at: datetime = Field(sa_type=Moment)
    needs_sign_in: bool = Field(default=False, sa_type=Boolean)


class TeamFlameLink(SQLModel, table=True):
    """Which account a Telegram user has signed in to."""

    __tablename__: ClassVar[Any] = "teamflame_link"

    user_id: int = Field(sa_column=_user_key())
    account: str = Field(
        sa_column=Column(
            String(100),
            ForeignKey("teamflame_account.id", ondelete="CASCADE"),
            index=True,
            nullable=False,
        )
    )
    language: str = Field(default="", sa_type=String(10))
    since: datetime = Field(default_factory=now, sa_type=Moment)


class TeamFlameSelection(SQLModel, table=True):
    """The board that a Telegram user has chosen."""

    __tablename__: ClassVar[Any] = "teamflame_selection"

    user_id: int = Field(sa_column=_user_key())
    space_id: str = Field(sa_type=String(100))
    project_id: str = Field(sa_type=String(100))
    board_id: str = Field(sa_type=String(100))


class TeamFlameSubscription(SQLModel, table=True):
    """What a Telegram user is notified of on a board; the kinds are separated by spaces."""

    __tablename__: ClassVar[Any] = "teamflame_subscription"

    user_id: int = Field(sa_column=_user_key())
    board_id: str = Field(sa_type=String(100), primary_key=True, index=True)
    kinds: str = Field(sa_type=Text)


class TeamFlameSnapshot(SQLModel, table=True):
    """A watched board as it was last seen: ids and dates only, no texts."""

    __tablename__: ClassVar[Any] = "teamflame_snapshot"

    board_id: str = Field(sa_type=String(100), primary_key=True)
    taken: datetime = Field(sa_type=Moment)
    content: str = Field(sa_type=Text)


class TeamFlameDialog(SQLModel, table=True):
    """What the bot expects a Telegram user to write next."""

    __tablename__: ClassVar[Any] = "teamflame_dialog"

    user_id: int = Field(sa_column=_user_key())
    step: str = Field(sa_type=String(40))
    detail: str = Field(default="", sa_type=Text)
    changed: datetime = Field(default_factory=now, sa_type=Moment)


class TeamFlameButton(SQLModel, table=True):
    """What a button of the bot does, and for whom; the chat only has its opaque id."""

    __tablename__: ClassVar[Any] = "teamflame_button"

    id: str = Field(sa_type=String(40), primary_key=True)
    user_id: int = Field(sa_type=BigInteger, index=True)
    action: str = Field(sa_type=Text)
    made: datetime = Field(default_factory=now, sa_type=Moment, index=True)


class TeamFlameOwnAction(SQLModel, table=True):
    """A change that an account made through the gateway; `about` is its column, person or text."""

    __tablename__: ClassVar[Any] = "teamflame_own_action"

    task_id: str = Field(sa_type=String(100), primary_key=True)
    kind: str = Field(sa_type=String(20), primary_key=True)
    about: str = Field(sa_type=String(100), primary_key=True)
    account: str = Field(sa_type=String(100), primary_key=True, index=True)
    made: datetime = Field(default_factory=now, sa_type=Moment, index=True)


_tables = SQLModel.metadata.tables
account: Final = _tables["teamflame_account"]
link: Final = _tables["teamflame_link"]
selection: Final = _tables["teamflame_selection"]
subscription: Final = _tables["teamflame_subscription"]
snapshot: Final = _tables["teamflame_snapshot"]
dialog: Final = _tables["teamflame_dialog"]
button: Final = _tables["teamflame_button"]
own_action: Final = _tables["teamflame_own_action"]
