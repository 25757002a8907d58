"""Turns Telegram's updates into messages and read marks."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.protocol.messages import Incoming, IncomingKind
from session_worker.telegram.reading.message_memory import RecentMessage, snippet
from session_worker.telegram.reading.message_parser import (
    ParsedMessage,
    ParsedUpdate,
    ReadMark,
    edited,
    file_key,
    is_rewritten,
    is_silent,
    reaction_line,
    short_message,
    written,
)
from session_worker.telegram.reading.people import is_ignored, names_of
from session_worker.telegram.reading.reactions import RECENT, ReactionMemory, reactions_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from session_worker.protocol.messages import Contact
    from session_worker.telegram.reading.chosen_chats import ChosenChats
    from session_worker.telegram.reading.message_memory import (
        IndexedMessage,
        MessageIndex,
        RecentMessages,
    )
    from session_worker.telegram.reading.people import People
    from session_worker.texts.chat_texts import ChatTexts

MOST_DELETIONS = 100  # messages in one report to Planfix; a whole chat may be deleted at once


class UpdateParser:
    """Parses one update after another and remembers what later ones refer to.

    The first of the two indexes contains the messages it has received, the second those that we
    have sent.
    """

    def __init__(
        self,
        people: People,
        recent_messages: RecentMessages,
        indexes: tuple[MessageIndex, MessageIndex],
        texts: ChatTexts,
        chosen: ChosenChats,
    ) -> None:
        self._people = people
        self._chosen = chosen
        self._recent_messages = recent_messages
        self._message_index, self._sent = indexes
        self._texts = texts
        self._reactions = ReactionMemory()

    async def parse(self, update: Any) -> Sequence[ParsedUpdate]:
        """Return what an update means for Planfix, which often is nothing."""
        entities = getattr(update, "_entities", {})
        self._remember_people(update, entities)
        match update:
            case types.UpdateNewMessage(message=message):
                return await self.parse_message(message, entities)
            case types.UpdateShortMessage():
                return await self.parse_message(short_message(update), entities)
            case types.UpdateEditMessage(message=message):
                return await self._parse_edit(message, entities)
            case types.UpdateDeleteMessages(messages=message_ids):
                return await self._parse_deletion(message_ids)
            case types.UpdateReadHistoryOutbox() | types.UpdateMessageReactions():
                return await self._parse_response(update)
            case types.UpdateUser() | types.UpdateUserName() | types.UpdateUserPhone():
                self._people.forget(update.user_id)
            case _:
                pass
        return ()

    async def _parse_response(self, update: Any) -> Sequence[ParsedUpdate]:
        """Parse what somebody did with earlier messages: read them or reacted to one."""
        contact = await self._contact_of(update.peer)
        if contact is None:
            return ()
        if isinstance(update, types.UpdateMessageReactions):
            return self._reacted(contact, update.msg_id, update.reactions)
        return (ReadMark(contact.peer_id, update.max_id),)

    async def parse_message(
        self, message: Any, entities: Mapping[int, Any]
    ) -> Sequence[ParsedMessage]:
        """Parse a new message."""
        return await self._parse_written(message, entities, self._message_index)

    async def parse_history(
        self, message: Any, entities: Mapping[int, Any]
    ) -> Sequence[ParsedMessage]:
        """Parse a message from before the number was connected.

        It is indexed like the messages that we sent, because the newest id in the index of received
        messages says up to where everything was received.
        """
        return await self._parse_written(message, entities, self._sent)

    async def _parse_written(
        self, message: Any, entities: Mapping[int, Any], index: MessageIndex
    ) -> Sequence[ParsedMessage]:
        self._remember_people(message, entities)
        contact = await self._contact_in(message)
        if contact is None or is_silent(message, self._texts):
            return ()
        parsed = written(message, contact, names_of(entities), self._texts)
        self._remember(message, parsed)
        index.add(message.id, contact.peer_id, is_out=bool(message.out))
        return (parsed,)

    async def _parse_edit(
        self, message: Any, entities: Mapping[int, Any]
    ) -> Sequence[ParsedMessage]:
        contact = await self._contact_in(message)
        if contact is None or isinstance(message, types.MessageService):
            return ()
        reacted = self._reacted(
            contact, message.id, message.reactions, may_be_old=not message.edit_hide
        )
        if not is_rewritten(message):
            return reacted
        known = self._recent_messages.find(message.id)
        now = written(message, contact, names_of(entities), self._texts)
        has_new_file = known is None or known.file != file_key(message)
        self._remember(message, now)
        return (*reacted, edited(message, now, self._texts, has_new_file=has_new_file))

    def _reacted(
        self, contact: Contact, message_id: int, shown: Any, *, may_be_old: bool = False
    ) -> Sequence[ParsedMessage]:
        """Return a line for each new reaction; an edit of the text also lists old ones."""
        now = int(time.time())
        found = reactions_of(shown, self._texts)
        return [
            reaction_line(reaction, message_id, contact, self._texts)
            for reaction in self._reactions.changes(message_id, found, now)
            if not may_be_old or reaction.date > now - RECENT
        ]

    def _remember_people(self, what: Any, entities: Mapping[int, Any]) -> None:
        self._people.learn(entities.values())
        self._chosen.remember(what, entities.values())

    def _remember(self, message: Any, parsed: ParsedMessage) -> None:
        text = snippet(parsed.incoming.text or parsed.label)
        recent = RecentMessage(
            parsed.incoming.peer_id, parsed.incoming.is_echo, text, file_key(message)
        )
        self._recent_messages.add(message.id, recent)

    async def _contact_in(self, message: Any) -> Contact | None:
        """Return the contact of a message; None if the chat is not private, ignored or left out."""
        if isinstance(message, types.MessageEmpty):
            return None
        return await self._contact_of(message.peer_id)

    async def _contact_of(self, peer: Any) -> Contact | None:
        if not isinstance(peer, types.PeerUser):
            return None
        # Without names it cannot be decided whether a chosen chat is meant.
        people, is_urgent = self._people, self._chosen.are_all
        contact = await (people.contact_at_once if is_urgent else people.contact)(peer.user_id)
        if is_ignored(contact, await self._people.me()):
            return None
        return contact if await self._chosen.include_contact(contact) else None

    async def _parse_deletion(self, message_ids: Sequence[int]) -> Sequence[ParsedUpdate]:
        gone: dict[tuple[int, bool], list[int]] = defaultdict(list)
        for message_id in sorted(message_ids):
            recent = self._recent_messages.find(message_id)
            place = recent or await self._find(message_id)
            if place is not None and await self._chosen.include(place.peer_id):
                gone[place.peer_id, place.is_out].append(message_id)
        return [
            await self._deletion_of(*chat, ids[start : start + MOST_DELETIONS])
            for chat, ids in gone.items()
            for start in range(0, len(ids), MOST_DELETIONS)
        ]

    async def _find(self, message_id: int) -> IndexedMessage | None:
        return await self._message_index.find(message_id) or await self._sent.find(message_id)

    async def _deletion_of(
        self, peer_id: int, is_out: bool, message_ids: list[int]
    ) -> ParsedMessage:
        incoming = Incoming(
            what=IncomingKind.DELETION,
            peer_id=peer_id,
            message_ids=tuple(message_ids),
            date=int(time.time()),
            is_echo=is_out,
            text="\n".join(dict.fromkeys(map(self._deletion_line, message_ids))),
            contact=await self._people.contact_at_once(peer_id),
        )
        return ParsedMessage(incoming)

    def _deletion_line(self, message_id: int) -> str:
        recent = self._recent_messages.find(message_id)
        if recent is None or not recent.snippet:
            return self._texts.deleted
        return self._texts.deleted_text.format(text=recent.snippet)
