"""The rows of numbers with their clients and chosen chats: reading, changing and sealing them within a unit of work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, delete, exists, select, update

from session_worker.protocol.chats import ChatSelection
from session_worker.protocol.proxy import Proxy
from supervisor.database import bot_tables, tables
from supervisor.database.number_tables import chat_choice
from supervisor.database.tables import Login, Wanted
from supervisor.database.transactions import insert_missing, upsert
from supervisor.encryption.vault import Cell
from supervisor.errors import NumberUnknown
from supervisor.store.values import ChatChanges, ChatChoice, LastError, Number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Connection

    from supervisor.database.database import Database
    from supervisor.encryption.vault import DataKey, Vault

_number = tables.number.c
_client = tables.client.c
IS_TO_RUN: Final = (
    _number.wanted == Wanted.RUNNING,
    _number.parked.is_(None),
    _number.login != Login.BANNED,
)
_is_bot = bot_tables.bot.c.number.is_not(None).label("is_bot")
QUERY: Final = (
    select(tables.number, _client.name, _is_bot)
    .join(tables.client)
    .outerjoin(bot_tables.bot, bot_tables.bot.c.number == _number.digits)
)
IS_NUMBER: Final = bot_tables.bot.c.number.is_(None)

NO_ERROR: Final[Mapping[str, Any]] = dict.fromkeys(
    ("error_code", "error_message", "error_action", "error_detail")
)
AS_NEW: Final[Mapping[str, Any]] = {
    "wanted": Wanted.RUNNING,
    "login": case((_number.login == Login.BANNED, Login.NEEDED), else_=_number.login),
    "parked": None,
    "restarts": 0,
    **NO_ERROR,
}


def find(connection: Connection, where: ColumnElement[bool]) -> Any:
    return connection.execute(QUERY.where(where)).first()


def require(connection: Connection, number: str) -> Any:
    row = find(connection, _number.digits == number)
    if row is None:
        raise NumberUnknown
    return row


def read(connection: Connection, number: str) -> Number:
    return as_value(require(connection, number))


def change(connection: Connection, number: str, **values: Any) -> None:
    statement = (
        update(tables.number).where(_number.digits == number).values(changed=tables.now(), **values)
    )
    connection.execute(statement)


def client_id(connection: Connection, name: str) -> int:
    insert_missing(connection, tables.client, {"name": name})
    query = select(_client.id).where(_client.name == name)
    return int(connection.execute(query).scalar_one())


def drop_empty_clients(connection: Connection) -> None:
    used = exists().where(_number.client_id == _client.id)
    connection.execute(delete(tables.client).where(~used))


def as_value(row: Any) -> Number:
    return Number(
        number=row.digits,
        is_bot=bool(row.is_bot),
        client=row.name,
        url_planfix=row.url_planfix,
        provider_id=row.provider_id,
        user_email=row.user_email,
        proxy_place=row.proxy_place,
        wanted=Wanted(row.wanted),
        login=Login(row.login),
        parked=row.parked,
        last_error=_last_error(row),
        heard=row.heard,
        restarts=row.restarts,
        epoch=row.epoch,
        created=row.created,
        changed=row.changed,
    )


def error_values(error: LastError | None) -> Mapping[str, Any]:
    if error is None:
        return NO_ERROR
    return {
        "error_code": error.code,
        "error_message": error.message,
        "error_action": error.action,
        "error_detail": error.detail,
    }


def _last_error(row: Any) -> LastError | None:
    if row.error_code is None:
        return None
    return LastError(row.error_code, row.error_message, row.error_action, row.error_detail or "")


def proxy_values(number: str, proxy: Proxy | None, key: DataKey) -> dict[str, Any]:
    if proxy is None:
        return {"proxy": None, "proxy_place": None}
    sealed = key.seal(_proxy_cell(number), proxy.model_dump_json().encode())
    return {"proxy": sealed, "proxy_place": proxy.place}


def open_proxy(row: Any, key: DataKey) -> Proxy | None:
    if row.proxy is None:
        return None
    return Proxy.model_validate_json(key.open(_proxy_cell(row.digits), row.proxy))


def _proxy_cell(number: str) -> Cell:
    return Cell("number", number, "proxy")


_CHOSEN = select(chat_choice, tables.number.c.data_key).join(tables.number)


class ChatChoices:
    """The chosen chats of all numbers, sealed like everything that names people."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def get(self, number: str) -> ChatChoice:
        return await self._database.read(read_choice, self._vault, number)


def read_choice(connection: Connection, vault: Vault, number: str) -> ChatChoice:
    row = connection.execute(_CHOSEN.where(chat_choice.c.number == number)).first()
    if row is None:
        return ChatChoice()
    opened = vault.open_data_key(number, row.data_key).open(_choice_cell(number), row.selection)
    return ChatChoice(ChatSelection.model_validate_json(opened), row.history_since)


def write_choice(connection: Connection, vault: Vault, held: Any, choice: ChatChoice) -> None:
    """Store the choice of the number that has this row, in the transaction that changes the number."""
    key = vault.open_data_key(held.digits, held.data_key)
    sealed = key.seal(_choice_cell(held.digits), choice.selection.model_dump_json().encode())
    row = {"number": held.digits, "selection": sealed, "history_since": choice.history_since}
    upsert(connection, chat_choice, [row])


def change_choice(connection: Connection, vault: Vault, held: Any, changes: ChatChanges) -> None:
    if changes != ChatChanges():
        write_choice(
            connection, vault, held, read_choice(connection, vault, held.digits).after(changes)
        )


def _choice_cell(number: str) -> Cell:
    return Cell("chat_choice", number, "selection")
