"""Stores which chats a number has and what Planfix knows about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, union_all

from supervisor.database import tables
from supervisor.database.statements import upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection

    from session_worker.protocol.messages import ChatMemory
    from supervisor.journal.body_cipher import BodyCipher

_chat = tables.chat.c
_entity = tables.entity.c


def write_memories(
    connection: Connection, cipher: BodyCipher, memories: Iterable[ChatMemory]
) -> None:
    rows = [
        {
            "number": cipher.number,
            "peer_id": each.peer_id,
            "memory": cipher.seal_memory(each),
            "read_up_to": 0,
        }
        for each in memories
    ]
    upsert(connection, tables.chat, rows, keep=["read_up_to"])


def read_memories(
    connection: Connection, cipher: BodyCipher, peers: Collection[int]
) -> dict[int, ChatMemory]:
    query = select(_chat.peer_id, _chat.memory).where(
        _chat.number == cipher.number, _chat.peer_id.in_(sorted(peers))
    )
    rows = connection.execute(query)
    return {row.peer_id: cipher.open_memory(row.peer_id, row.memory) for row in rows}


def is_known(connection: Connection, number: str, peer_id: int) -> bool:
    """Whether the number has a chat with this peer or at least its access hash."""
    known = union_all(
        select(_chat.peer_id).where(_chat.number == number, _chat.peer_id == peer_id),
        select(_entity.peer_id).where(_entity.number == number, _entity.peer_id == peer_id),
    )
    return connection.execute(known.limit(1)).first() is not None
