"""Plays Telegram during the warm-up of a worker: one account to which one friend writes once."""

from __future__ import annotations

import asyncio
import logging
import struct
import time
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from telethon.crypto import AES
from telethon.extensions import BinaryReader
from telethon.network.connection.tcpfull import FullPacketCodec
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import functions, types
from telethon.tl.core import MessageContainer, RpcResult

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

PHONE = "10000000000"
USER_ID = 1
PLACE = {"pts": 1, "qts": 0, "seq": 1}
_WRAPPERS = (functions.InvokeWithLayerRequest, functions.InitConnectionRequest)
_TRUE = struct.pack("<I", 0x997275B5)
_VECTOR_OF_ONE = struct.pack("<Ii", 0x1CB5C415, 1)


class WarmupServer:
    """Answers what a worker asks when it connects; it checks nothing and stores nothing."""

    def __init__(self, auth_key: bytes, *, has_news: bool = True) -> None:
        self._key = auth_key
        self._has_news = has_news
        self._last_id = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        codec = FullPacketCodec(None)
        try:
            while True:
                for answer in self._answers(await codec.read_packet(reader)):
                    writer.write(codec.encode_packet(answer))
        except asyncio.IncompleteReadError:
            writer.close()

    def _answers(self, packet: bytes) -> Iterator[bytes]:
        key_id, message_key, sealed = packet[:8], packet[8:24], packet[24:]
        plain = AES.decrypt_ige(sealed, *self._cipher(message_key, is_from_client=True))
        session, (message_id, _, size) = plain[8:16], struct.unpack_from("<qii", plain, 16)
        for part_id, request in _parts(message_id, plain[32 : 32 + size]):
            for body in _replies(part_id, request, has_news=self._has_news):
                yield key_id + self._seal(session, body)

    def _seal(self, session: bytes, body: bytes) -> bytes:
        self._last_id = max(self._last_id + 4, int(time.time()) << 32 | 1)
        plain = struct.pack("<q8sqii", 0, session, self._last_id, 1, len(body)) + body
        plain += bytes(16 - len(plain) % 16 + 16)
        message_key = sha256(self._key[96:128] + plain).digest()[8:24]
        cipher = self._cipher(message_key, is_from_client=False)
        return message_key + bytes(AES.encrypt_ige(plain, *cipher))

    def _cipher(self, message_key: bytes, *, is_from_client: bool) -> tuple[bytes, bytes]:
        cipher: tuple[bytes, bytes] = MTProtoState._calc_key(  # noqa: SLF001 - the calculation is the same on both sides
            self._key, message_key, is_from_client
        )
        return cipher


def _parts(message_id: int, body: bytes) -> list[tuple[int, Any]]:
    request = BinaryReader(body).tgread_object()
    if isinstance(request, MessageContainer):
        return [(part.msg_id, part.obj) for part in request.messages]
    return [(message_id, request)]


def _replies(message_id: int, request: Any, *, has_news: bool) -> list[bytes]:
    while isinstance(request, _WRAPPERS):
        request = request.query
    match request:
        case functions.help.GetConfigRequest():
            return [_result(message_id, _TRUE)]  # nobody reads it
        case functions.updates.GetStateRequest():
            state = types.updates.State(**PLACE, date=datetime.now(UTC), unread_count=0)
            return [_result(message_id, bytes(state))]
        case functions.users.GetUsersRequest():
            news = [bytes(_greeting())] if has_news else []
            return [_result(message_id, _VECTOR_OF_ONE + bytes(_me())), *news]
        case functions.users.GetFullUserRequest():
            return [_result(message_id, bytes(_profile()))]
        case types.MsgsAck():
            return []
        case _:  # the worker waits for an answer, and all workers for the warm-up
            logger.warning("the warm-up has no answer to %s", type(request).__name__)
            return []


def _result(message_id: int, body: bytes) -> bytes:
    return struct.pack("<Iq", RpcResult.CONSTRUCTOR_ID, message_id) + body


def _me() -> Any:
    return types.User(id=USER_ID, is_self=True, access_hash=1, phone=PHONE, first_name="Warm-up")


def _profile() -> Any:
    settings = types.PeerSettings(), types.PeerNotifySettings()
    full = types.UserFull(2, *settings, common_chats_count=0, about="Warm-up")
    return types.users.UserFull(full, [], [])


def _greeting() -> Any:
    now = datetime.now(UTC)
    friend = types.User(id=2, access_hash=2, first_name="Friend", last_name="One", username="one")
    message = types.Message(id=1, peer_id=types.PeerUser(friend.id), date=now, message="Hello")
    update = types.UpdateNewMessage(message, pts=PLACE["pts"] + 1, pts_count=1)
    return types.Updates([update], [friend, _me()], [], now, PLACE["seq"] + 1)
