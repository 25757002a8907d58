"""Fills a gap in the updates from the history and reports how much was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.inbound.receiver import UpdateUnreadable
from session_worker.protocol.messages import GapFilled
from session_worker.telegram.errors import LAYER
from session_worker.telegram.reading.history import Backfill, Last, MessagesById

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from session_worker.inbound.receiver import UpdateReceiver
    from session_worker.session import Outbox
    from session_worker.telegram.connection.updates import Gap
    from session_worker.telegram.reading.chosen_chats import ChosenChats
    from session_worker.telegram.reading.history import Found
    from session_worker.telegram.reading.message_parser import ParsedMessage
    from session_worker.telegram.reading.people import Ask
    from session_worker.telegram.reading.update_parser import UpdateParser

LONGEST_DETAIL = 500  # characters
UNDECODABLE = f"Telegram sent what layer {LAYER} of this gateway does not have"


class GapFilling:
    """Reads the messages missed in a gap before newer updates are processed."""

    def __init__(
        self,
        ask: Ask,
        parser: UpdateParser,
        receiver: UpdateReceiver,
        outbox: Outbox,
        chosen: ChosenChats,
        *,
        is_bot: bool = False,
    ) -> None:
        """Let a bot read messages by their ids, because Telegram shows it no chats."""
        self._ask = ask
        self._parser = parser
        self._receiver = receiver
        self._outbox = outbox
        self._chosen = chosen
        self._is_bot = is_bot

    async def fill(self, position: int, gap: Gap, last: Last) -> None:
        """Report all messages after the last known one; the last of them acknowledges the gap."""
        if not gap.is_undecodable:
            await self._receiver.close_albums()
        unread: list[str] = []
        count = 0
        held: ParsedMessage | None = None
        async for found in self._messages(gap, last, unread):
            for parsed in await self._parsed(found, unread):
                count += 1
                held = await self._report_previous(held, parsed)
        if held is not None:
            await self._receiver.report((position,), held)
        else:
            self._receiver.acknowledge(position)
        if count or not gap.is_undecodable:
            await self._receiver.close_albums()
        self._outbox.put(_receipt(gap, last, count, unread))

    async def _parsed(self, found: Found, unread: list[str]) -> Sequence[ParsedMessage]:
        try:
            return await self._receiver.read(
                lambda: self._parser.parse_message(found.message, found.entities)
            )
        except UpdateUnreadable as error:
            unread.append(f"message {found.message.id}: {error}")
            return ()

    def _messages(self, gap: Gap, last: Last, unread: list[str]) -> AsyncIterator[Found]:
        first = first_of(gap, last.message_id)
        if first is None and self._is_bot:
            first = last.message_id + 1
        if first is None:
            until_answered = self._receiver.until_answered
            return Backfill(self._ask, until_answered, last, self._chosen, unread).messages()
        by_id = MessagesById(self._ask, self._receiver.until_answered, unread)
        return by_id.messages(first, gap.before_id)

    async def _report_previous(
        self, held: ParsedMessage | None, parsed: ParsedMessage
    ) -> ParsedMessage:
        """Report the previous message and hold the newest back, since it may be the last."""
        if held is not None:
            await self._receiver.report((), held)
            if held.incoming.peer_id != parsed.incoming.peer_id:
                await self._receiver.close_albums()
        return parsed


def first_of(gap: Gap, last_id: int) -> int | None:
    """Return the first id that may lie in the gap, or None if only the chats can tell what is new.

    Each new message takes one id and at least one step of pts, so no more ids than steps are
    missing.
    """
    if not gap.is_undecodable or not (gap.before_id or gap.after_id or last_id):
        return None
    return max(1, last_id + 1, gap.after_id + 1, gap.before_id - gap.steps)


def _receipt(gap: Gap, last: Last, found: int, unread: list[str]) -> GapFilled:
    missing = len(unread)
    if gap.is_undecodable:
        # Edits and deletions are not messages, so no history contains them.
        missing = max(missing, gap.steps - found)
        unread = [UNDECODABLE, *unread]
    return GapFilled(
        pts_from=gap.pts_from,
        pts_to=gap.pts_to,
        began=last.date,
        found=found,
        missing=missing,
        detail="; ".join(unread)[:LONGEST_DETAIL],
    )
