"""Encrypts and decrypts the message bodies of one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from session_worker.protocol.messages import ChatMemory, Incoming
from session_worker.protocol.outgoing import Outgoing
from supervisor.database.tables import Direction
from supervisor.encryption.vault import Cell
from supervisor.errors import SealBroken

if TYPE_CHECKING:
    from supervisor.encryption.vault import DataKey

Body = Incoming | Outgoing


@dataclass(frozen=True, slots=True)
class BodyCipher:
    """Seals bodies, each for its own row; a body moved to another row cannot be opened."""

    number: str
    data_key: DataKey

    def seal(self, direction: Direction, key: str, body: Body) -> bytes:
        return self.data_key.seal(self._cell(direction, key), body.model_dump_json().encode())

    def open(self, direction: str, key: str, sealed: bytes) -> Body:
        plain = self.data_key.open(self._cell(direction, key), sealed)
        kind = Incoming if direction == Direction.IN else Outgoing
        try:
            return kind.model_validate_json(plain)
        except ValidationError as exc:  # stored before the bounds existed
            raise SealBroken("it is not a message") from exc

    def seal_memory(self, memory: ChatMemory) -> bytes:
        plain = memory.model_dump_json().encode()
        return self.data_key.seal(self._memory_cell(memory.peer_id), plain)

    def open_memory(self, peer_id: int, sealed: bytes | None) -> ChatMemory:
        if sealed is None:
            return ChatMemory(peer_id=peer_id)
        plain = self.data_key.open(self._memory_cell(peer_id), sealed)
        try:
            return ChatMemory.model_validate_json(plain)
        except ValidationError:
            # Stored before the bounds existed. Planfix is told everything again.
            return ChatMemory(peer_id=peer_id)

    def _cell(self, direction: str, key: str) -> Cell:
        return Cell("journal", f"{self.number}/{direction}/{key}", "body")

    def _memory_cell(self, peer_id: int) -> Cell:
        return Cell("chat", f"{self.number}/{peer_id}", "memory")
