"""Starting a bot, pressing its buttons, answering a press, and opening its Mini App."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats.peer_lookup import find_channel, find_user
from sandbox.telegram.errors import RpcError
from sandbox.telegram.methods.messages.messages import peer, sent, sent_before, updates_with
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.records.mailbox import Message
    from sandbox.telegram.rpc import Call

LONGEST_ANSWER = 200  # characters
_PARAMETER = re.compile(r"[\w-]{0,64}", re.ASCII)


@method(functions.messages.StartBotRequest)
def start_bot(call: Call, request: Any) -> Any:
    bot = _bot(call, request.bot)
    if not _PARAMETER.fullmatch(request.start_param):
        raise RpcError("START_PARAM_INVALID")
    if earlier := sent_before(call, request.random_id):
        return sent(call, earlier)
    posted = call.services.bots.start(call.account, bot, request.start_param, origin=call.session)
    return updates_with(call, posted)


@method(functions.messages.GetBotCallbackAnswerRequest)
async def get_bot_callback_answer(call: Call, request: Any) -> Any:
    message = _message(call, request)
    return await call.services.bots.press(call.account, message, request.data or b"")


@method(functions.messages.SetBotCallbackAnswerRequest)
def set_bot_callback_answer(call: Call, request: Any) -> bool:
    if len(request.message or "") > LONGEST_ANSWER:
        raise RpcError("MESSAGE_TOO_LONG")
    answer = types.messages.BotCallbackAnswer(
        request.cache_time,
        alert=request.alert or None,
        has_url=bool(request.url) or None,
        message=request.message or None,
        url=request.url or None,
    )
    call.services.bots.answer(call.account, request.query_id, answer)
    return True


@method(functions.messages.RequestWebViewRequest)
def request_web_view(call: Call, request: Any) -> Any:
    bot = _bot(call, request.bot)
    launch = call.services.bots.open_mini_app(call.account, bot, request.start_param, request.url)
    if not launch.url:
        raise RpcError("BOT_WEBVIEW_DISABLED")
    return types.WebViewResultUrl(launch.url, query_id=launch.query_id)


def _bot(call: Call, named: Any) -> Account:
    bot = find_user(call.services.accounts, call.viewer, named)
    if not bot.bot:
        raise RpcError("BOT_INVALID")
    return bot


def _message(call: Call, request: Any) -> Message:
    """Return the message whose button is pressed, which a bot must have written."""
    if isinstance(request.peer, types.InputPeerChannel):
        box = find_channel(call.services.accounts, call.viewer, request.peer).box
    else:
        peer(call, request.peer)
        box = call.account.box
    message = box.get(request.msg_id)
    author = call.services.accounts.get(message.content.sender_id) if message else None
    if message is None or author is None or not author.bot:
        raise RpcError("MESSAGE_ID_INVALID")
    return message
