"""Reads from the history of the chats what is missing after a gap, or what is older than the number."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from session_worker.telegram.errors import PeerUnknown, Refused, Undecodable
from session_worker.telegram.reading.dialogs import Dialogs, entities_of, with_newest_messages
from session_worker.telegram.reading.message_parser import marked_id
from session_worker.telegram.reading.people import contact_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from session_worker.telegram.reading.chosen_chats import ChosenChats
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


@dataclass(frozen=True, slots=True)
class Last:
    """The last known message: newer ones have a higher id or, if no id is known, a later date."""

    message_id: int
    date: int

    def is_before(self, message: Any) -> bool:
        if self.message_id:
            return bool(message.id > self.message_id)
        return bool(message.date.timestamp() >= self.date)


@dataclass(slots=True)
class Backfill:
    """Reads what is newer than the last known message, chat by chat, oldest first."""

    ask: Ask
    until_answered: UntilAnswered
    last: Last
    chosen: ChosenChats
    unread: list[str] = field(default_factory=list)

    async def messages(self) -> AsyncIterator[Found]:
        """Read chat by chat, and read by id those messages whose chats are not shown."""
        read: set[int] = set()
        try:
            async for found in self._chat_by_chat():
                read.add(found.message.id)
                yield found
        except (PeerUnknown, Refused) as error:
            if not self.last.message_id:
                self.unread.append(str(error))
                return
            rest = MessagesById(self.ask, self.until_answered, self.unread)
            async for found in rest.messages(self.last.message_id + 1):
                if found.message.id not in read:
                    yield found

    async def _chat_by_chat(self) -> AsyncIterator[Found]:
        async for dialog, entities in self.dialogs():
            try:
                async for found in self._history(dialog.peer, entities):
                    yield found
            except (PeerUnknown, Refused) as error:
                if isinstance(error, Undecodable) and self.last.message_id:
                    raise
                self.unread.append(f"{marked_id(dialog.peer)}: {error}")

    async def dialogs(self) -> AsyncIterator[tuple[Any, dict[int, Any]]]:
        """Page through the private chats that contain something new, the latest first."""
        dialogs = Dialogs(most_pages=inf)
        while (request := dialogs.next_request) is not None:
            page = await answer_to(request, self.ask, self.until_answered)
            entities = entities_of(page)
            found = with_newest_messages(page)
            newer = [d for d, top in found if top is not None and self.last.is_before(top)]
            for dialog in newer:
                if await self.is_wanted(dialog.peer, entities):
                    yield dialog, entities
            if not newer:
                return
            dialogs.take(page)

    async def is_wanted(self, peer: Any, entities: dict[int, Any]) -> bool:
        """Whether this is a private chat that is not left out, whose history may be read."""
        if not isinstance(peer, types.PeerUser):
            return False
        user = entities.get(peer.user_id)
        if not isinstance(user, types.User):
            self.unread.append(f"{peer.user_id}: Telegram does not show who this is")
            return False
        contact = contact_of(user)
        is_chosen: bool = await self.until_answered(lambda: self.chosen.include_contact(contact))
        return is_chosen

    async def _history(self, peer: Any, entities: dict[int, Any]) -> AsyncIterator[Found]:
        address = _address(entities[marked_id(peer)])
        reached = self.last.message_id
        while page := await self.page(address, reached):
            for found in page:
                if self.last.is_before(found.message):
                    yield found
            reached = page[-1].message.id

    async def page(self, address: Any, reached: int) -> Sequence[Found]:
        """Read the messages that follow ``reached``, oldest first; if it is 0, those since the date."""
        request = functions.messages.GetHistoryRequest(
            address,
            offset_id=reached and reached + 1,
            offset_date=None if reached else datetime.fromtimestamp(self.last.date, UTC),
            add_offset=-PAGE,
            limit=PAGE,
            max_id=0,
            min_id=reached,
            hash=0,
        )
        page = await answer_to(request, self.ask, self.until_answered)
        entities = entities_of(page)
        # Some ids stand for messages that are gone: they have neither a date nor a chat.
        there = [each for each in page.messages if not isinstance(each, types.MessageEmpty)]
        return [Found(message, entities) for message in reversed(there)]


def address_of(dialog: Any, entities: dict[int, Any]) -> Any:
    """Return the peer by which the history of a private chat is requested."""
    return _address(entities[marked_id(dialog.peer)])


def _address(user: Any) -> Any:
    return types.InputPeerUser(user.id, user.access_hash or 0)
