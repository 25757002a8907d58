"""The newest messages of each chat and those we sent, for replies, edits and deletions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.formatting.rendering import render
from session_worker.recollection import Line, snippet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.protocol.messages import Part
    from session_worker.recollection import Recollection
    from session_worker.telegram.reading.message_index import Whereabouts


class Traces:
    """Notes what Telegram does not tell whoever sent it.

    The places are kept apart from those of what was heard: the newest of these says up to where
    everything was heard.
    """

    def __init__(self, recollection: Recollection, places: Whereabouts) -> None:
        self._recollection = recollection
        self._places = places

    async def note(self, peer_id: int, part: Part, sent: Sequence[int | None]) -> None:
        """Remember which messages a part has become."""
        found = [message_id for message_id in dict.fromkeys(sent) if message_id and message_id > 0]
        for message_id in found:
            self._places.note(message_id, peer_id, is_out=True)
        if part.text and sent[-1] in found:
            self._remember(peer_id, sent[-1], part.text)
        await self._places.save()

    def _remember(self, peer_id: int, message_id: int | None, text: str) -> None:
        if message_id is not None and self._recollection.find(message_id) is None:
            line = Line(peer_id, is_out=True, snippet=snippet(render(text).text))
            self._recollection.remember(message_id, line)
