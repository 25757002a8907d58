"""What only bots do in Telegram: they receive commands, phones, presses and blocks, and edit, delete and answer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from session_worker.protocol.bots import (
    NOT_IN_CHAT,
    AnswerPress,
    ButtonPress,
    DeleteMessages,
    Done,
    EditMessage,
    HeardMessage,
    PresentBot,
    Speaker,
    Stopped,
)
from session_worker.protocol.messages import IncomingKind
from session_worker.telegram.errors import FloodWait, Refused, TelegramError
from session_worker.telegram.reading.message_parser import ParsedMessage, marked_id
from session_worker.telegram.reading.update_parser import UpdateParser
from session_worker.telegram.sending.requests import (
    UNNAMED_HASH,
    cause_of,
    entities,
    input_peer,
    reply_markup,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from session_worker.protocol.bots import BotRequest
    from session_worker.protocol.messages import Contact
    from session_worker.telegram.sending.uploads import Ask


# People register with the bot by these commands, which no employee has to answer.
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
    """Return the phone that a person shares in a private chat; the card of somebody else does not count."""
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
    """Return the pressed button or the block that an update reports, if there is one."""
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


class BotRequests:
    """Carries out the commands to a bot whose outcome is reported back."""

    def __init__(self, ask: Ask, access_hash: Callable[[int], int | None]) -> None:
        self._ask = ask
        self._access_hash = access_hash

    async def carry_out(self, command: BotRequest) -> Done:
        """Carry it out once, and report a refusal by Telegram's code for it."""
        try:
            await self._carry_out(command)
        except Refused as refusal:
            return Done(request_id=command.request_id, failure=refusal.text)
        except TelegramError as error:
            wait = error.seconds if isinstance(error, FloodWait) else None
            code = cause_of(error).code
            return Done(request_id=command.request_id, failure=code, retry_after=wait)
        return Done(request_id=command.request_id)

    async def _carry_out(self, command: BotRequest) -> None:
        match command:
            case EditMessage():
                await self._ask(_edit(command, self._peer(command.peer_id)))
            case DeleteMessages():
                await self._delete(command)
            case AnswerPress():
                await self._ask(_answer(command))
            case PresentBot():
                for request in _present(command):
                    await self._ask(request)

    async def _delete(self, command: DeleteMessages) -> None:
        """Delete what is in this chat; Telegram itself would delete messages of other chats as well."""
        peer = self._peer(command.peer_id)
        found = await self._ask(_get(command.message_ids, peer))
        here = [
            message.id
            for message in found.messages
            if not isinstance(message, types.MessageEmpty)
            and marked_id(message.peer_id) == command.peer_id
        ]
        if not here:
            raise Refused(400, NOT_IN_CHAT)
        await self._ask(_delete(here, peer))

    def _peer(self, peer_id: int) -> Any:
        known = self._access_hash(peer_id)
        return input_peer(peer_id, UNNAMED_HASH if known is None else known)


def _edit(command: EditMessage, peer: Any) -> Any:
    return functions.messages.EditMessageRequest(
        peer,
        command.message_id,
        message=command.text,
        no_webpage=command.without_preview or None,
        entities=entities(command.marks),
        reply_markup=reply_markup(command.keyboard),
    )


def _get(message_ids: Sequence[int], peer: Any) -> Any:
    named = [types.InputMessageID(message_id) for message_id in message_ids]
    if isinstance(peer, types.InputPeerChannel):
        return functions.channels.GetMessagesRequest(_channel(peer), named)
    return functions.messages.GetMessagesRequest(named)


def _delete(message_ids: list[int], peer: Any) -> Any:
    if isinstance(peer, types.InputPeerChannel):
        return functions.channels.DeleteMessagesRequest(_channel(peer), message_ids)
    return functions.messages.DeleteMessagesRequest(message_ids, revoke=True)


def _channel(peer: Any) -> Any:
    return types.InputChannel(peer.channel_id, peer.access_hash)


def _answer(command: AnswerPress) -> Any:
    return functions.messages.SetBotCallbackAnswerRequest(
        command.query_id,
        cache_time=0,
        alert=command.is_alert or None,
        message=command.text or None,
        url=command.url,
    )


def _present(command: PresentBot) -> list[Any]:
    commands = [types.BotCommand(each.name, each.description) for each in command.commands]
    shown = functions.bots.SetBotCommandsRequest(
        types.BotCommandScopeDefault(), command.language, commands
    )
    button = types.BotMenuButtonDefault()
    if command.menu_url is not None:
        button = types.BotMenuButton(command.menu_text, command.menu_url)
    menu = functions.bots.SetBotMenuButtonRequest(types.InputUserEmpty(), button)
    # The menu is the same in every language.
    return [shown] if command.language else [shown, menu]
