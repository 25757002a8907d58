"""Messages of the past, asked for by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from session_worker.recollection import snippet
from session_worker.telegram.reading.message_parser import written
from session_worker.telegram.reading.people import contact_of, names_of

if TYPE_CHECKING:
    from session_worker.recollection import Recollection
    from session_worker.telegram.reading.people import Ask
    from session_worker.texts.chat_texts import Words

NOBODY = types.User(0)


class History:
    """Finds single messages again."""

    def __init__(self, ask: Ask, recollection: Recollection, words: Words) -> None:
        self._ask = ask
        self._recollection = recollection
        self._words = words

    async def message(self, message_id: int) -> Any | None:
        """Fetch a message as it is now; None when it is gone."""
        found = await self._ask(
            functions.messages.GetMessagesRequest([types.InputMessageID(message_id)])
        )
        message = found.messages[0] if found.messages else None
        return None if isinstance(message, types.MessageEmpty) else message

    async def snippet(self, message_id: int) -> str:
        """Say in short what a message says; empty when it is gone."""
        line = self._recollection.find(message_id)
        if line is not None:
            return line.snippet
        message = await self.message(message_id)
        if message is None or not isinstance(message.peer_id, types.PeerUser):
            return ""
        heard = written(message, contact_of(NOBODY), names_of({}), self._words)
        return snippet(heard.incoming.text or heard.label)
