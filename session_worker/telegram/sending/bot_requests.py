"""The requests of a bot that are no messages: edits, deletions, answers to pressed buttons, its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from session_worker.protocol.bots import AnswerPress, DeleteMessages, Done, EditMessage, PresentBot
from session_worker.telegram.errors import FloodWait, Refused, TelegramError
from session_worker.telegram.sending.requests import cause_of, entities, input_peer, reply_markup

if TYPE_CHECKING:
    from session_worker.protocol.bots import BotRequest
    from session_worker.telegram.sending.recipient_search import AccessHashes
    from session_worker.telegram.sending.uploads import Ask


class BotRequests:
    """Carries out the commands of programs that want an answer."""

    def __init__(self, ask: Ask, access_hashes: AccessHashes) -> None:
        self._ask = ask
        self._access_hashes = access_hashes

    async def carry_out(self, command: BotRequest) -> Done:
        """Do it once; what Telegram refuses is told by its code."""
        try:
            for request in await self._requests(command):
                await self._ask(request)
        except Refused as refusal:
            return Done(request_id=command.request_id, failure=refusal.text)
        except TelegramError as error:
            wait = error.seconds if isinstance(error, FloodWait) else None
            code = cause_of(error).code
            return Done(request_id=command.request_id, failure=code, retry_after=wait)
        return Done(request_id=command.request_id)

    async def _requests(self, command: BotRequest) -> list[Any]:
        match command:
            case EditMessage():
                return [_edit(command, await self._peer(command.peer_id))]
            case DeleteMessages(message_ids=ids):
                return [_delete(list(ids), await self._peer(command.peer_id))]
            case AnswerPress():
                return [_answer(command)]
            case PresentBot():
                return _present(command)

    async def _peer(self, peer_id: int) -> Any:
        return input_peer(peer_id, await self._access_hashes.get(peer_id))


def _edit(command: EditMessage, peer: Any) -> Any:
    return functions.messages.EditMessageRequest(
        peer,
        command.message_id,
        message=command.text,
        entities=entities(command.marks),
        reply_markup=reply_markup(command.keyboard),
    )


def _delete(message_ids: list[int], peer: Any) -> Any:
    if isinstance(peer, types.InputPeerChannel):
        channel = types.InputChannel(peer.channel_id, peer.access_hash)
        return functions.channels.DeleteMessagesRequest(channel, message_ids)
    return functions.messages.DeleteMessagesRequest(message_ids, revoke=True)


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
