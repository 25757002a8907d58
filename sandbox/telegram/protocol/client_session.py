"""The protocol session of one client under its authorization key, without any I/O."""

from __future__ import annotations

import struct
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types
from telethon.tl.core import MessageContainer

from sandbox.telegram.protocol import older_layers
from sandbox.telegram.protocol.encryption import PacketContent
from sandbox.telegram.protocol.tl_codec import compress, serialise

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Iterator

    from sandbox.telegram.protocol.client_keys import ClientKey
    from sandbox.telegram.protocol.connection import Connection

_RPC_RESULT = 0xF35C6D01
_MAX_PACKED = 100  # messages in one container
_MAX_PACKED_BYTES = 1 << 20
_MAX_UNACKNOWLEDGED_BYTES = 8 << 20
_REMEMBERED = 2000  # ids of the client
_OVERHEAD = 16


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to the client; lasting messages are updates that must not get lost."""

    message_id: int
    seq_no: int
    body: bytes
    lasting: bool = False

    def packed(self) -> bytes:
        return struct.pack("<qii", self.message_id, self.seq_no, len(self.body)) + self.body


class Session:
    """What both sides have sent to each other since the client chose this session's id."""

    def __init__(self, session_id: int, key: ClientKey) -> None:
        self.id = session_id
        self.key = key
        self.connection: Connection | None = None
        self.wants_updates = False
        self.is_announced = False
        # The connection broke; the client did not close it.
        self.was_lost = False
        self.layer: int | None = None
        self.running: dict[int, Task[None]] = {}
        self._last_id = 0
        self._content_sent = 0
        self._queue: list[Outgoing] = []
        self._unacknowledged: dict[int, Outgoing] = {}
        self._unacknowledged_bytes = 0
        self._seen: set[int] = set()
        self._seen_order: deque[int] = deque()
        self._seen_floor = 0
        self._unanswered: set[int] = set()

    def remember(self, message_id: int) -> bool:
        """Remember a message of the client; return whether it is new."""
        if message_id in self._seen or message_id <= self._seen_floor:
            return False
        self._seen.add(message_id)
        self._seen_order.append(message_id)
        if len(self._seen_order) > _REMEMBERED:
            oldest = self._seen_order.popleft()
            self._seen.discard(oldest)
            self._seen_floor = max(self._seen_floor, oldest)
        return True

    def has_seen(self, message_id: int) -> bool:
        return message_id in self._seen

    def acknowledge_later(self, message_id: int) -> None:
        """Acknowledge a message in the next packet, unless that packet contains its answer."""
        self._unanswered.add(message_id)
        self._wake()

    def answer(self, request_id: int, result: Any) -> None:
        """Send the result of a request."""
        body = struct.pack("<Iq", _RPC_RESULT, request_id) + compress(self.serialise(result))
        self._unanswered.discard(request_id)
        self._send(body, kind=1)

    def serialise(self, result: Any) -> bytes:
        """Serialise an object in the layer that the client speaks."""
        return serialise(older_layers.rewrite(result, self.layer or self.key.layer))

    def reply(self, message: Any, *, content: bool = True) -> None:
        """Send a service message."""
        self._send(bytes(message), kind=1, content=content)

    def push(self, body: bytes, *, lasting: bool = True) -> None:
        """Send an update; a lasting one outlives a broken connection."""
        self._send(compress(body), kind=3, lasting=lasting)

    def acknowledge(self, message_ids: list[int]) -> None:
        for message_id in message_ids:
            message = self._unacknowledged.pop(message_id, None)
            self._unacknowledged_bytes -= len(message.body) if message else 0

    def resend(self, message_ids: list[int] | None = None) -> None:
        """Send unacknowledged messages again: all of them, or the given ones."""
        wanted = self._unacknowledged if message_ids is None else message_ids
        queued = {message.message_id for message in self._queue}
        again = [self._unacknowledged[i] for i in wanted if i in self._unacknowledged]
        self._queue[:0] = [message for message in again if message.message_id not in queued]
        self._wake()

    def drain_unacknowledged(self) -> Iterator[bytes]:
        """Yield the updates that never arrived, and forget them; another session will send them."""
        for message in list(self._unacknowledged.values()):
            if message.lasting:
                self.acknowledge([message.message_id])
                yield message.body

    def attach(self, connection: Connection) -> None:
        """Use this connection from now on."""
        if self.connection is connection:
            return
        self.connection, self.was_lost = connection, False
        if self._unacknowledged:
            self.resend()

    def detach(self, connection: Connection, *, lost: bool) -> None:
        if self.connection is connection:
            self.connection, self.was_lost = None, lost
            # Messages with content stay unacknowledged; the rest is useless later.
            self._queue.clear()
            if not lost:
                self._unacknowledged.clear()
                self._unacknowledged_bytes = 0

    def drain(self, salt: int) -> Iterator[PacketContent]:
        """Yield what waits to be sent, packed into as few messages as possible."""
        queue, self._queue = self._queue, []
        if self._unanswered:
            acknowledgement = bytes(types.MsgsAck(list(self._unanswered)))
            queue.append(Outgoing(self._next_id(1), self._content_sent * 2, acknowledgement))
            self._unanswered.clear()
        for batch in _batches(queue):
            yield self._packet_content(salt, batch)

    def _packet_content(self, salt: int, batch: list[Outgoing]) -> PacketContent:
        first = batch[0]
        # A message that is sent again has an older id, which only a container may hold.
        if len(batch) == 1 and first.message_id == self._last_id:
            return PacketContent(salt, self.id, first.message_id, first.seq_no, first.body)
        head = struct.pack("<Ii", MessageContainer.CONSTRUCTOR_ID, len(batch))
        body = head + b"".join(message.packed() for message in batch)
        return PacketContent(salt, self.id, self._next_id(1), self._content_sent * 2, body)

    def _send(self, body: bytes, *, kind: int, content: bool = True, lasting: bool = False) -> None:
        seq_no = self._content_sent * 2 + content
        self._content_sent += content
        message = Outgoing(self._next_id(kind), seq_no, body, lasting)
        if content:
            self._store(message)
        if self.connection:
            self._queue.append(message)
            self._wake()

    def _store(self, message: Outgoing) -> None:
        self._unacknowledged[message.message_id] = message
        self._unacknowledged_bytes += len(message.body)
        while self._unacknowledged_bytes > _MAX_UNACKNOWLEDGED_BYTES:
            self.acknowledge([next(iter(self._unacknowledged))])

    def _next_id(self, kind: int) -> int:
        """Make a rising id; its last bits distinguish answers (1) from pushes (3)."""
        moment = int(time.time() * 2**32) & ~3
        self._last_id = max(moment, (self._last_id & ~3) + 4) | kind
        return self._last_id

    def _wake(self) -> None:
        if self.connection:
            self.connection.flush_soon(self)


def _batches(queue: list[Outgoing]) -> Iterator[list[Outgoing]]:
    batch: list[Outgoing] = []
    size = 0
    for message in queue:
        size += len(message.body) + _OVERHEAD
        if batch and (size > _MAX_PACKED_BYTES or len(batch) == _MAX_PACKED):
            yield batch
            batch, size = [], len(message.body) + _OVERHEAD
        batch.append(message)
    if batch:
        yield batch
