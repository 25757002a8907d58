"""Stores which chats of a number go to Planfix, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from session_worker.protocol.chats import ChatSelection
from supervisor.database import tables
from supervisor.database.number_tables import chat_choice
from supervisor.database.statements import upsert
from supervisor.encryption.vault import Cell
from supervisor.store.values import ChatChanges, ChatChoice

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supervisor.database.database import Database
    from supervisor.encryption.vault import Vault

_QUERY = select(chat_choice, tables.number.c.data_key).join(tables.number)


class ChatChoices:
    """The chosen chats of all numbers, sealed like everything that names people."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def get(self, number: str) -> ChatChoice:
        return await self._database.read(read, self._vault, number)


def read(connection: Connection, vault: Vault, number: str) -> ChatChoice:
    row = connection.execute(_QUERY.where(chat_choice.c.number == number)).first()
    if row is None:
        return ChatChoice()
    opened = vault.open_data_key(number, row.data_key).open(_cell(number), row.selection)
    return ChatChoice(ChatSelection.model_validate_json(opened), row.history_since)


def write(connection: Connection, vault: Vault, held: Any, choice: ChatChoice) -> None:
    """Store the choice of the number that has this row, in the transaction that changes the number."""
    key = vault.open_data_key(held.digits, held.data_key)
    sealed = key.seal(_cell(held.digits), choice.selection.model_dump_json().encode())
    row = {"number": held.digits, "selection": sealed, "history_since": choice.history_since}
    upsert(connection, chat_choice, [row])


def change(connection: Connection, vault: Vault, held: Any, changes: ChatChanges) -> None:
    if changes != ChatChanges():
        write(connection, vault, held, read(connection, vault, held.digits).after(changes))


def _cell(number: str) -> Cell:
    return Cell("chat_choice", number, "selection")
