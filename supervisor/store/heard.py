"""What bots have heard, kept until a listener has dealt with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select, update

from session_worker.protocol.bots import ButtonPress, HeardByBot, HeardMessage, Stopped
from supervisor.database import bot_tables, tables
from supervisor.database.transactions import insert_missing_returning
from supervisor.database.writer import require_fresh
from supervisor.encryption.vault import Cell
from supervisor.errors import NumberUnknown, SealBroken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from supervisor.database.database import Database
    from supervisor.database.writer import Claim
    from supervisor.encryption.vault import DataKey, Vault

_heard = bot_tables.heard.c
_HEARD: Final[TypeAdapter[HeardByBot]] = TypeAdapter(HeardByBot)


@dataclass(frozen=True, slots=True)
class HeardRow:
    """Something that a bot has heard, under the row in which it is stored."""

    row: int
    bot: str
    what: HeardByBot

    @property
    def person(self) -> int:
        what = self.what
        return what.speaker.user_id if isinstance(what, HeardMessage) else what.user_id


class HeardRows:
    """Stores what bots hear, each event once."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def add(self, claim: Claim, heard: Sequence[HeardByBot]) -> list[HeardRow]:
        """Store what a worker has reported; return what was not known yet."""

        def unit(connection: Connection) -> list[HeardRow]:
            require_fresh(connection, claim)
            key = self._key(connection, claim.number)
            values = {key_of(what): what for what in heard}
            rows = [
                {
                    "number": claim.number,
                    "key": name,
                    "body": key.seal(_cell(claim.number, name), what.model_dump_json().encode()),
                    "created": tables.now(),
                }
                for name, what in values.items()
            ]
            columns = [_heard.id, _heard.key]
            new = insert_missing_returning(connection, bot_tables.heard, rows, columns)
            return [HeardRow(row.id, claim.number, values[row.key]) for row in new]

        return await self._database.write(unit)

    async def open(self, bot: str) -> list[HeardRow]:
        """Return what nobody has dealt with yet, the oldest first."""

        def unit(connection: Connection) -> list[HeardRow]:
            key = self._key(connection, bot)
            query = (
                select(_heard.id, _heard.key, _heard.body)
                .where(_heard.number == bot, _heard.done.is_(None))
                .order_by(_heard.id)
            )
            rows = [(row.id, _open(key, bot, row)) for row in connection.execute(query)]
            return [HeardRow(row, bot, what) for row, what in rows if what is not None]

        return await self._database.read(unit)

    async def close(self, row: int) -> None:
        """Erase what has been dealt with; the row stays, so that it is not taken for new again."""
        statement = update(bot_tables.heard).where(_heard.id == row)

        def unit(connection: Connection) -> None:
            connection.execute(statement.values(body=None, done=tables.now()))

        await self._database.write(unit)

    def _key(self, connection: Connection, bot: str) -> DataKey:
        query = select(tables.number.c.data_key).where(tables.number.c.digits == bot)
        wrapped = connection.execute(query).scalar()
        if wrapped is None:
            raise NumberUnknown
        return self._vault.open_data_key(bot, wrapped)


def key_of(what: HeardByBot) -> str:
    """Name an event, so that it is stored once however often it is reported."""
    match what:
        case HeardMessage():
            return f"message/{what.chat_id}/{what.message_id}"
        case ButtonPress():
            return f"press/{what.query_id}"
        case Stopped():
            return f"stopped/{what.user_id}/{what.date}/{what.is_stopped}"


def _open(key: DataKey, bot: str, row: Any) -> HeardByBot | None:
    try:
        return _HEARD.validate_json(key.open(_cell(bot, row.key), row.body))
    except (SealBroken, ValidationError):
        return None  # it was moved here, or is of another version


def _cell(bot: str, key: str) -> Cell:
    return Cell("heard", f"{bot}/{key}", "body")
