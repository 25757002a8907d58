"""What a bot hears beside what Planfix is told: commands, shared phones, pressed buttons, blocks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.protocol.bots import ButtonPress, HeardMessage, Speaker, Stopped
from session_worker.protocol.messages import IncomingKind
from session_worker.telegram.reading.message_parser import ParsedMessage, marked_id
from session_worker.telegram.reading.update_parser import UpdateParser

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from session_worker.protocol.messages import Contact

# What people write to a bot to be known to it is nothing that an employee has to answer.
_REGISTRATION = re.compile(r"/(start|stop|language)\b", re.IGNORECASE)


class BotUpdateParser(UpdateParser):
    """Parses messages as for a number, and adds what the bot itself has to react to."""

    is_for_planfix = True
    keep_phone: Callable[[int, str], None]

    async def parse_message(
        self, message: Any, entities: Mapping[int, Any]
    ) -> Sequence[ParsedMessage]:
        phone = own_phone(message)
        if phone is not None:
            self._people.learn(entities.values())
            self.keep_phone(message.peer_id.user_id, phone)
        parsed = await super().parse_message(message, entities)
        return [self._with_heard(message, each) for each in parsed]

    async def find_author(self, message: Any, update: Any) -> Contact:
        """Return who wrote a message in a group."""
        self._people.learn(getattr(update, "_entities", {}).values())
        return await self._people.contact(message.from_id.user_id)

    def _with_heard(self, message: Any, parsed: ParsedMessage) -> ParsedMessage:
        incoming = parsed.incoming
        if incoming.is_echo or incoming.what is not IncomingKind.MESSAGE:
            return replace(parsed, is_for_planfix=self.is_for_planfix)
        heard = heard_message(message, incoming.contact)
        is_registration = _REGISTRATION.match(heard.text) is not None
        return replace(
            parsed, heard=heard, is_for_planfix=self.is_for_planfix and not is_registration
        )


def heard_message(message: Any, contact: Contact) -> HeardMessage:
    """Make a value from what a person wrote, in a private chat or in a group."""
    return HeardMessage(
        chat_id=marked_id(message.peer_id),
        message_id=message.id,
        date=int(message.date.timestamp()),
        speaker=Speaker(
            user_id=contact.peer_id,
            first_name=contact.first_name,
            last_name=contact.last_name,
            username=contact.username,
        ),
        text=getattr(message, "message", None) or "",
        phone=own_phone(message),
        reply_to=getattr(message.reply_to, "reply_to_msg_id", None),
    )


def own_phone(message: Any) -> str | None:
    """Return the phone of the person who shows it in a private chat; a card of somebody else's is none."""
    media, peer = getattr(message, "media", None), message.peer_id
    if not isinstance(media, types.MessageMediaContact) or not isinstance(peer, types.PeerUser):
        return None
    is_own = media.user_id == peer.user_id and not message.out
    return "".join(filter(str.isdigit, media.phone_number)) or None if is_own else None


def group_command(update: Any) -> Any:
    """Return the message of a command that somebody writes in a group, if the update is one."""
    match update:
        case types.UpdateNewChannelMessage(message=types.Message() as message):
            pass
        case types.UpdateNewMessage(message=types.Message(peer_id=types.PeerChat()) as message):
            pass
        case _:
            return None
    is_command = message.message.startswith("/") and not message.out
    return message if is_command and isinstance(message.from_id, types.PeerUser) else None


def event_of(update: Any) -> ButtonPress | Stopped | None:
    """Return the pressed button or the block that an update tells of, if it does."""
    match update:
        case types.UpdateBotCallbackQuery():
            return ButtonPress(
                query_id=update.query_id,
                chat_id=marked_id(update.peer),
                message_id=update.msg_id,
                user_id=update.user_id,
                data=(update.data or b"").decode(errors="replace"),
            )
        case types.UpdateBotStopped():
            return Stopped(
                user_id=update.user_id,
                date=int(update.date.timestamp()) if update.date else 0,
                is_stopped=update.stopped,
            )
        case _:
            return None
