"""Reads messages of the account by their ids, around those that our layer cannot decode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from session_worker.telegram.errors import PeerUnknown, Refused, Undecodable
from session_worker.telegram.reading.dialogs import entities_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from session_worker.telegram.reading.people import Ask

    UntilAnswered = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]

PAGE = 100


@dataclass(frozen=True, slots=True)
class Found:
    """One message, with all users and chats that it mentions."""

    message: Any
    entities: dict[int, Any]


@dataclass(frozen=True, slots=True)
class MessagesById:
    """Reads private chats and groups in the order in which everything was written."""

    ask: Ask
    until_answered: UntilAnswered
    unread: list[str]

    async def messages(self, first: int, before: int = 0) -> AsyncIterator[Found]:
        """Read from ``first`` up to ``before``, or, without it, until there are no more messages."""
        while not before or first < before:
            ids = range(first, min(first + PAGE, before) if before else first + PAGE)
            unread = len(self.unread)
            page = await self._page(ids)
            for found in page:
                yield found
            if not before and not page and len(self.unread) == unread:
                return
            first = ids.stop

    async def _page(self, ids: Sequence[int]) -> list[Found]:
        """Read the messages with these ids; in halves, if the whole cannot be decoded."""
        wanted = [types.InputMessageID(message_id) for message_id in ids]
        try:
            page = await answer_to(
                functions.messages.GetMessagesRequest(wanted), self.ask, self.until_answered
            )
        except Undecodable:
            if len(ids) == 1:
                self.unread.append(f"message {ids[0]}")
                return []
            half = len(ids) // 2
            return [*await self._page(ids[:half]), *await self._page(ids[half:])]
        entities = entities_of(page)
        there = (m for m in page.messages if not isinstance(m, types.MessageEmpty))
        return [Found(message, entities) for message in sorted(there, key=lambda m: m.id)]


async def answer_to(request: Any, ask: Ask, until_answered: UntilAnswered) -> Any:
    """Ask until there is an answer, even if it is a rejection."""

    async def attempt() -> Any:
        try:
            return await ask(request)
        except (PeerUnknown, Refused) as error:
            return error

    answer = await until_answered(attempt)
    if isinstance(answer, Exception):
        raise answer
    return answer
