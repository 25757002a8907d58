"""Decodes what Telegram sends, piece by piece if our layer does not know all of it."""

from __future__ import annotations

import logging
import struct
from typing import TYPE_CHECKING, Any

from telethon.crypto import AES
from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import types
from telethon.tl.core import GzipPacked, MessageContainer, TLMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    OnUndecodable = Callable[[TypeNotFoundError], None]

_HEAD = struct.Struct("<qqqii")  # salt, session, message id, sequence number, length
_PART = struct.Struct("<qii")  # message id, sequence number, length


logger = logging.getLogger(__name__)


def log_undecodable(error: TypeNotFoundError) -> None:
    """Only log the object, for connections that live for a moment."""
    logger.warning("Telegram sent an object that this version can not decode: %s", error)


class Undecoded(types.UpdatesTooLong):  # type: ignore[misc]  # telethon is untyped
    """Stands for an update that cannot be decoded, so that Telegram must be asked what it was."""


class PiecewiseState(MTProtoState):  # type: ignore[misc]  # telethon is untyped
    """Keeps the answers and updates that arrive in one packet with an object we cannot decode.

    The library drops such a packet without acknowledging it, so Telegram would send it again and
    again.
    """

    def __init__(self, auth_key: Any, loggers: Any, on_undecodable: OnUndecodable) -> None:
        super().__init__(auth_key, loggers)
        self._on_undecodable = on_undecodable

    def decrypt_message_data(self, body: bytes) -> Any:
        try:
            message = super().decrypt_message_data(body)
        except TypeNotFoundError:
            # The library checks key and session before it decodes anything.
            return self._message(body)
        if message is not None:
            message.obj = self._inflated(message.obj)
        return message

    def _message(self, body: bytes) -> Any:
        keys = self._calc_key(self.auth_key.key, body[8:24], False)
        plain = AES.decrypt_ige(body[24:], *keys)
        _, _, message_id, seq_no, length = _HEAD.unpack_from(plain)
        self._recent_remote_ids.append(message_id)
        self._highest_remote_id: int = max(message_id, self._highest_remote_id)
        content = plain[_HEAD.size : _HEAD.size + length]
        return TLMessage(message_id, seq_no, self._object(content))

    def _object(self, content: bytes) -> Any:
        if content[:4] == struct.pack("<I", MessageContainer.CONSTRUCTOR_ID):
            return MessageContainer(self._parts(content))
        try:
            return self._inflated(BinaryReader(content).tgread_object())
        except TypeNotFoundError as error:
            self._on_undecodable(error)
            return Undecoded()

    def _parts(self, container: bytes) -> list[Any]:
        (count,) = struct.unpack_from("<i", container, 4)
        parts, place = [], 8
        for _ in range(count):
            message_id, seq_no, length = _PART.unpack_from(container, place)
            place += _PART.size + length
            content = container[place - length : place]
            parts.append(TLMessage(message_id, seq_no, self._object(content)))
        return parts

    def _inflated(self, decoded: Any) -> Any:
        """Unpack compressed objects here, because the library would later stop at what it cannot decode."""
        if isinstance(decoded, MessageContainer):
            for part in decoded.messages:
                part.obj = self._inflated(part.obj)
        if isinstance(decoded, GzipPacked):
            return self._object(decoded.data)
        return decoded
