"""The peers a number has met, with their access hashes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import select

from supervisor.database import tables
from supervisor.database.epoch import require_fresh
from supervisor.database.upsert import upsert
from supervisor.store.values import Claim, Entity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from supervisor.database.database import Database

_entity = tables.entity.c
_chat = tables.chat.c
_peers = select(_entity.peer_id, _entity.access_hash, _entity.username, _entity.phone, _entity.name)
_in_chat = (_chat.number == _entity.number) & (_chat.peer_id == _entity.peer_id)
_most_needed = _peers.outerjoin(tables.chat, _in_chat).order_by(
    _chat.peer_id.is_(None), _entity.epoch.desc(), _entity.peer_id.desc()
)


class Entities:
    """Stored peers of all numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, number: str, epoch: int, entities: Iterable[Entity]) -> None:
        """Add new peers, overwrite known ones; of a peer named twice the last one stays."""
        by_peer = {entity.peer_id: entity for entity in entities}
        rows = [{"number": number, "epoch": epoch, **asdict(peer)} for peer in by_peer.values()]

        async def unit(connection: AsyncConnection) -> None:
            await require_fresh(connection, Claim(number, epoch))
            await upsert(connection, tables.entity, rows)

        await self._database.write(unit)

    async def list(self, number: str, most: int | None = None) -> tuple[Entity, ...]:
        """Return whom there is a chat with, then the others, the latest heard of first."""
        query = _most_needed.where(_entity.number == number).limit(most)
        async with self._database.read() as connection:
            return tuple(Entity(*row) for row in await connection.execute(query))

    async def find(self, number: str, peer_id: int) -> Entity | None:
        query = _peers.where(_entity.number == number, _entity.peer_id == peer_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return Entity(*row) if row else None
