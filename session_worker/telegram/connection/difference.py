"""Reads the difference of an account's updates around objects that our layer cannot decode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.errors import BadRequestError, TypeNotFoundError
from telethon.tl import functions, types

from session_worker.telegram.connection.message_box import Gap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WHOLE = 128  # steps of pts; Telegram sends no more at once
MOST_STEPS = 50  # steps skipped one by one before the rest is left to the history


class Differences:
    """Asks for ever smaller slices, then skips the one step that cannot be decoded.

    A skipped step is reported as a gap before the answer that follows it is handed over.
    """

    def __init__(
        self, send: Callable[[Any], Awaitable[Any]], leave_out: Callable[[Gap], None]
    ) -> None:
        self._send = send
        self._skip = leave_out
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
