"""Reads what Telegram sends around objects that our layer cannot decode."""

from __future__ import annotations

import logging
import struct
from typing import TYPE_CHECKING, Any

from telethon.crypto import AES
from telethon.errors import BadRequestError, TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked, MessageContainer, TLMessage

from session_worker.telegram.connection.updates import Gap, Undecoded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    OnUndecodable = Callable[[TypeNotFoundError], None]

_HEAD = struct.Struct("<qqqii")  # salt, session, message id, sequence number, length
_PART = struct.Struct("<qii")  # message id, sequence number, length

logger = logging.getLogger(__name__)


def log_undecodable(error: TypeNotFoundError) -> None:
    """Only log the object, as is enough for connections that last a moment."""
    logger.warning("Telegram sent an object that this version cannot decode: %s", error)


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


WHOLE = 128  # steps of pts; Telegram sends no more at once
MOST_STEPS = 50  # steps skipped one by one before the rest is left to the history


class Differences:
    """Asks for ever smaller slices, then skips the one step that cannot be decoded.

    A skipped step is reported as a gap before the answer that follows it is handed over.
    """

    def __init__(self, send: Callable[[Any], Awaitable[Any]], skip: Callable[[Gap], None]) -> None:
        self._send = send
        self._skip = skip
        self._size = WHOLE

    async def read(self, request: Any) -> Any:
        """Answer the library's request with the next difference that can be decoded."""
        pts, end = request.pts, None
        while (answer := await self._ask(request, pts, self._size)) is None:
            if self._size > 1:
                self._size //= 2
                continue
            end = end or await self._send(functions.updates.GetStateRequest())
            pts += 1
            if pts >= end.pts or pts - request.pts >= MOST_STEPS:
                pts, answer = max(pts, end.pts), types.updates.DifferenceEmpty(end.date, end.seq)
                break
        self._size = min(2 * self._size, WHOLE)
        if pts > request.pts:
            ids = [message.id for message in getattr(answer, "new_messages", ())]
            self._skip(Gap(request.pts, pts, is_undecodable=True, before_id=min(ids, default=0)))
        return answer

    async def _ask(self, request: Any, pts: int, size: int) -> Any | None:
        """Ask for the next slice; returns None if it cannot be decoded."""
        is_whole = size == WHOLE
        slice_of = functions.updates.GetDifferenceRequest(
            pts, request.date, request.qts, pts_limit=None if is_whole else size
        )
        try:
            return await self._send(slice_of)
        except TypeNotFoundError:
            return None
        except BadRequestError:
            if is_whole:
                raise
            return await self._ask(request, pts, WHOLE)  # a server that does not support slices
