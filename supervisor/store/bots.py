"""What is stored for bots only: their user names, their tokens, and their keys for Planfix's REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select, update

from supervisor.database import bot_tables, tables
from supervisor.database.transactions import upsert
from supervisor.encryption.vault import Cell, hash_token
from supervisor.errors import NumberUnknown
from supervisor.store.values import Bot

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from supervisor.database.database import Database
    from supervisor.encryption.vault import DataKey, Vault
    from supervisor.store.values import BotDetails

_bot = bot_tables.bot.c
_NO_NAME = ""  # until the first login says what the bot is called


class BotSecrets(NamedTuple):
    """A bot's token at Telegram, its key for Planfix's REST API, and the secret address of a webhook."""

    token: str
    planfix_rest_token: str | None
    planfix_webhook_url: str | None

    def __repr__(self) -> str:
        return "BotSecrets(…)"


class Bots:
    """The bots among the numbers."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def get(self, bot: str) -> Bot:
        """Return a bot; raise NumberUnknown if there is none with this id."""
        return _as_value(await self._row(_bot.number == bot))

    async def find_by_token(self, token: str) -> Bot | None:
        """Return the bot that has this token at Telegram."""
        try:
            return _as_value(await self._row(_bot.token_hash == hash_token(token)))
        except NumberUnknown:
            return None

    async def list(self) -> dict[str, Bot]:
        rows = await self._database.fetch(select(bot_tables.bot))
        return {row.number: _as_value(row) for row in rows}

    async def secrets(self, bot: str) -> BotSecrets:
        row = await self._row(_bot.number == bot)
        key = self._vault.open_data_key(bot, row.data_key)

        def opened(column: str) -> str | None:
            sealed = getattr(row, column)
            return sealed and key.open(_cell(bot, column), sealed).decode()

        token = key.open(_cell(bot, "token"), row.token).decode()
        return BotSecrets(token, opened("planfix_rest_token"), opened("planfix_webhook_url"))

    async def save_username(self, bot: str, username: str) -> None:
        """Store the user name that the bot has in Telegram."""
        statement = update(bot_tables.bot).where(_bot.number == bot).values(username=username)

        def unit(connection: Connection) -> None:
            connection.execute(statement)

        await self._database.write(unit)

    async def _row(self, where: ColumnElement[bool]) -> Any:
        query = select(bot_tables.bot, tables.number.c.data_key).join(tables.number).where(where)
        rows = await self._database.fetch(query)
        if not rows:
            raise NumberUnknown
        return rows[0]


def keep_bot(connection: Connection, bot: str, details: BotDetails, key: DataKey) -> None:
    """Store what makes a number a bot, or replace it."""

    def sealed(column: str, secret: str | None) -> bytes | None:
        return key.seal(_cell(bot, column), secret.encode()) if secret else None

    values = {
        "number": bot,
        "username": _NO_NAME,
        "token": sealed("token", details.token),
        "token_hash": hash_token(details.token),
        "language": details.language,
        "planfix_rest_url": details.planfix_rest_url,
        "planfix_rest_token": sealed("planfix_rest_token", details.planfix_rest_token),
        "planfix_webhook_url": sealed("planfix_webhook_url", details.planfix_webhook_url),
    }
    upsert(connection, bot_tables.bot, [values])


def _as_value(row: Any) -> Bot:
    has_webhook = row.planfix_webhook_url is not None
    return Bot(row.number, row.username, row.language, row.planfix_rest_url, has_webhook)


def _cell(bot: str, column: str) -> Cell:
    return Cell("bot", bot, column)
