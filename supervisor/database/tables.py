"""The tables, as SQLModel classes and as SQLAlchemy tables.

Files with SQLModel classes have no `from __future__ import annotations`: SQLModel evaluates them.
"""

import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class Wanted(StrEnum):
    """Whether the client wants the number to run."""

    RUNNING = "running"
    STOPPED = "stopped"


class Login(StrEnum):
    """The stored state of the number's login at Telegram."""

    NEEDED = "needed"
    DONE = "done"
    BANNED = "banned"


class Direction(StrEnum):
    """Where a message goes: `in` comes from Telegram, `out` comes from Planfix."""

    IN = "in"
    OUT = "out"


class RowState(StrEnum):
    """Whether a message still has to be delivered."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


UNREAD: Final = "last_id IS NOT NULL AND read IS NULL AND connector IS NULL"
DEAD: Final = "state = 'dead' AND dismissed IS NULL"
"""The dead letters that somebody still has to look at."""


class Moment(TypeDecorator[datetime]):
    """A point in time that keeps its time zone, on SQLite too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def first_epoch() -> int:
    # Random, so that a worker of a purged number never has the epoch of a number created again.
    return secrets.randbits(48)


def number_key() -> "Column[Any]":
    return _number_column(primary_key=True)


def _number_column(**options: Any) -> "Column[Any]":
    return Column(String(20), ForeignKey("number.digits", ondelete="CASCADE"), **options)


def _row_key() -> "Column[Any]":
    owner = ForeignKey("journal.id", ondelete="CASCADE")
    return Column(BigInteger, owner, primary_key=True, autoincrement=False)


def partial_index(name: str, *columns: str, where: str) -> Index:
    """Index only the rows that the condition selects."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class Gateway(SQLModel, table=True):
    """The only row, which proves with which SECRET_KEY the database was written."""

    id: int = Field(default=1, primary_key=True)
    key_check: bytes = Field(sa_type=LargeBinary)


class Client(SQLModel, table=True):
    """A customer company."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_type=Text, unique=True)


class Number(SQLModel, table=True):
    """One Telegram account of a client."""

    digits: str = Field(sa_type=String(20), primary_key=True)
    client_id: int = Field(foreign_key="client.id", index=True)
    url_planfix: str = Field(sa_type=Text)
    token_planfix: bytes = Field(sa_type=LargeBinary)
    provider_id: str = Field(sa_type=Text)
    user_email: str | None = Field(default=None, sa_type=Text)
    proxy: bytes | None = Field(default=None, sa_type=LargeBinary)
    proxy_place: str | None = Field(default=None, sa_type=Text)
    token_hash: bytes | None = Field(default=None, sa_type=LargeBinary, unique=True)
    data_key: bytes = Field(sa_type=LargeBinary)
    wanted: Wanted = Field(default=Wanted.RUNNING, sa_type=String(10))
    login: Login = Field(default=Login.NEEDED, sa_type=String(10))
    parked: str | None = Field(default=None, sa_type=Text)
    error_code: str | None = Field(default=None, sa_type=Text)
    error_message: str | None = Field(default=None, sa_type=Text)
    error_action: str | None = Field(default=None, sa_type=Text)
    error_detail: str | None = Field(default=None, sa_type=Text)
    heard: float | None = None
    restarts: int = 0
    epoch: int = Field(default_factory=first_epoch, sa_type=BigInteger)
    created: datetime = Field(default_factory=now, sa_type=Moment)
    changed: datetime = Field(default_factory=now, sa_type=Moment)


class StoredSession(SQLModel, table=True):
    """A number's login at Telegram, and the position up to which it has read its updates."""

    __tablename__: ClassVar[Any] = "session"

    number: str = Field(sa_column=number_key())
    epoch: int = Field(sa_type=BigInteger)
    dc_id: int
    server_address: str = Field(sa_type=Text)
    port: int
    auth_key: bytes = Field(sa_type=LargeBinary)
    key_mark: bytes | None = Field(default=None, sa_type=LargeBinary)
    user_id: int | None = Field(default=None, sa_type=BigInteger)
    pts: int | None = None
    qts: int | None = None
    date: int | None = Field(default=None, sa_type=BigInteger)
    seq: int | None = None


class Entity(SQLModel, table=True):
    """A peer known to the number, with the access hash that the number needs to write to it."""

    number: str = Field(sa_column=number_key())
    peer_id: int = Field(sa_type=BigInteger, primary_key=True)
    epoch: int = Field(sa_type=BigInteger)
    access_hash: int = Field(sa_type=BigInteger)
    username: str | None = Field(default=None, sa_type=Text)
    phone: str | None = Field(default=None, sa_type=Text)
    name: str | None = Field(default=None, sa_type=Text)


class LoginLink(SQLModel, table=True):
    """The newest one-time link with which the number's owner may log in."""

    __tablename__: ClassVar[Any] = "login_link"

    number: str = Field(sa_column=number_key())
    link_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    expires: datetime = Field(sa_type=Moment)
    is_used: bool = False


class JournalRow(SQLModel, table=True):
    """A message in either direction, with the state of its delivery."""

    __tablename__: ClassVar[Any] = "journal"
    __table_args__ = (
        UniqueConstraint("number", "direction", "key"),
        Index("journal_chat", "number", "peer_id"),
        Index("journal_newest", "number", "id"),
        partial_index("journal_pending", "number", "direction", "id", where="state = 'pending'"),
        partial_index("journal_dead", "number", "direction", "id", where=DEAD),
        partial_index("journal_owed", "number", "id", where="status_due IS NOT NULL"),
        partial_index("journal_unread", "number", "peer_id", "last_id", where=UNREAD),
        partial_index("journal_bodies", "done", where="body IS NOT NULL"),
        Index("journal_done", "done"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    )
    number: str = Field(sa_column=_number_column(nullable=False))
    direction: Direction = Field(sa_type=String(3))
    peer_id: int = Field(sa_type=BigInteger)
    connector: str | None = Field(default=None, sa_type=String(10))
    key: str = Field(sa_type=Text)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    is_echo: bool = False
    parts: int = 0
    state: RowState = Field(default=RowState.PENDING, sa_type=String(10))
    attempts: int = 0
    next_try: float | None = None
    is_trying: bool = False
    is_uncertain: bool = False
    error_code: str | None = Field(default=None, sa_type=Text)
    error_detail: str | None = Field(default=None, sa_type=Text)
    last_id: int | None = Field(default=None, sa_type=BigInteger)
    status_due: str | None = Field(default=None, sa_type=String(5))
    status_told: str | None = Field(default=None, sa_type=String(5))
    created: datetime = Field(default_factory=now, sa_type=Moment)
    done: datetime | None = Field(default=None, sa_type=Moment)
    tried: datetime | None = Field(default=None, sa_type=Moment)
    read: datetime | None = Field(default=None, sa_type=Moment)
    replays: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    replayed: datetime | None = Field(default=None, sa_type=Moment)
    dismissed: datetime | None = Field(default=None, sa_type=Moment)


class TelegramMessage(SQLModel, table=True):
    """The journal row to which a Telegram message, an edit or a deletion belongs."""

    __tablename__: ClassVar[Any] = "telegram_message"

    number: str = Field(sa_column=number_key())
    message_id: int = Field(sa_type=BigInteger, primary_key=True)
    change: int = Field(sa_type=BigInteger, primary_key=True)
    row: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("journal.id", ondelete="CASCADE"), nullable=False, index=True
        )
    )


class SentPart(SQLModel, table=True):
    """A sent part of an outgoing message, with the ids of its messages in Telegram."""

    __tablename__: ClassVar[Any] = "sent_part"

    row: int = Field(sa_column=_row_key())
    part: int = Field(primary_key=True)
    message_ids: str = Field(sa_type=Text)


class Chat(SQLModel, table=True):
    """A chat of a number: what Planfix knows about it, and how far the contact has read."""

    number: str = Field(sa_column=number_key())
    peer_id: int = Field(sa_type=BigInteger, primary_key=True)
    read_up_to: int = Field(default=0, sa_type=BigInteger)
    memory: bytes | None = Field(default=None, sa_type=LargeBinary)


class GapReceipt(SQLModel, table=True):
    """What was found after a time without connection; the rows of a receipt are consecutive."""

    __tablename__: ClassVar[Any] = "gap_receipt"

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(sa_column=_number_column(nullable=False, index=True))
    pts_from: int
    pts_to: int
    began: datetime = Field(sa_type=Moment)
    created: datetime = Field(default_factory=now, sa_type=Moment)
    found: int
    missing: int
    detail: str = Field(sa_type=Text)
    first_row: int | None = Field(default=None, sa_type=BigInteger)
    last_row: int | None = Field(default=None, sa_type=BigInteger)


_tables = Number.metadata.tables

gateway: Final = _tables["gateway"]
client: Final = _tables["client"]
number: Final = _tables["number"]
session: Final = _tables["session"]
entity: Final = _tables["entity"]
login_link: Final = _tables["login_link"]
journal: Final = _tables["journal"]
telegram_message: Final = _tables["telegram_message"]
sent_part: Final = _tables["sent_part"]
chat: Final = _tables["chat"]
gap_receipt: Final = _tables["gap_receipt"]
