"""A client of the bare protocol, for what a well-behaved library never does."""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from typing import TYPE_CHECKING, Any, Self

from telethon.extensions import BinaryReader
from telethon.tl.core import GzipPacked, MessageContainer

from sandbox.telegram.protocol.encryption import PacketContent, seal, unseal
from sandbox.telegram.protocol.framing import Intermediate
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from sandbox.telegram.addresses import Address
    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.protocol.client_keys import ClientKey


class RawClient:
    """One connection that sends what it is told to, byte for byte."""

    def __init__(
        self, streams: tuple[StreamReader, StreamWriter], key: ClientKey, session_id: int | None
    ) -> None:
        self._reader, self._writer = streams
        self.key = key
        self.session_id = session_id or secrets.randbits(62)
        self.received: list[tuple[int, Any]] = []
        self._transport = Intermediate()
        self._buffer = bytearray()
        self._last_id = 0

    @classmethod
    async def connect(
        cls,
        centre: DataCentre,
        key: ClientKey,
        session_id: int | None,
        address: Address | None = None,
    ) -> Self:
        place = centre.addresses.place_of(address) if address else (centre.host, centre.port)
        streams = await asyncio.open_connection(*place)
        client = cls(streams, key, session_id)
        client._writer.write(b"\xee" * 4)
        return client

    def hang_up(self) -> None:
        self._writer.close()

    def next_id(self, offset: float = 0) -> int:
        self._last_id = max(int((time.time() + offset) * 2**32) & ~3, self._last_id + 4)
        return self._last_id

    def send(self, message: Any, *, message_id: int = 0, salt: int | None = None) -> int:
        """Send a message; return its id."""
        return self.send_body(bytes(message), message_id=message_id, salt=salt)

    def send_body(self, body: bytes, *, message_id: int = 0, salt: int | None = None) -> int:
        message_id = message_id or self.next_id()
        salt = self.key.salt(time.time()) if salt is None else salt
        inner = PacketContent(salt, self.session_id, message_id, 1, body)
        self.send_packet(seal(self.key.auth, inner, from_client=True))
        return message_id

    def send_packet(self, packet: bytes) -> None:
        self._writer.write(self._transport.frame(packet))

    async def until(self, kind: type) -> Any:
        """Receive until there is a message of this type; return the first of them."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for _, message in self.received:
                    if isinstance(message, kind):
                        return message
                await self._receive()

    async def answer_to(self, message_id: int) -> Any:
        """Receive until the result of a request is there."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for _, message in self.received:
                    if getattr(message, "req_msg_id", None) == message_id:
                        return message
                await self._receive()

    async def is_hung_up_on(self) -> bool:
        """Tell whether the server closes the connection."""
        async with asyncio.timeout(PATIENCE):
            try:
                while await self._reader.read(4096):
                    pass
            except ConnectionError:
                return True
        return True

    async def _receive(self) -> None:
        chunk = await self._reader.read(65536)
        if not chunk:
            raise ConnectionResetError("the server hung up")
        self._buffer += chunk
        while (packet := self._transport.cut(self._buffer)) is not None:
            inner = unseal(self.key.auth, packet, from_client=False)
            self._keep(inner.message_id, BinaryReader(inner.body).tgread_object())

    def _keep(self, message_id: int, message: Any) -> None:
        if isinstance(message, MessageContainer):
            for part in message.messages:
                self._keep(part.msg_id, part.obj)
        elif isinstance(message, GzipPacked):
            self._keep(message_id, BinaryReader(message.data).tgread_object())
        else:
            self.received.append((message_id, message))


def container(*messages: tuple[int, bytes]) -> bytes:
    """Pack messages into one."""
    parts = (struct.pack("<qii", i, 1, len(body)) + body for i, body in messages)
    return struct.pack("<Ii", MessageContainer.CONSTRUCTOR_ID, len(messages)) + b"".join(parts)
