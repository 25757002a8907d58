"""The calls below `/telegram` with which people use bots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quart import Blueprint
from telethon.tl import types

from sandbox.control.errors import ControlError
from sandbox.control.request_body import read_body
from sandbox.control.telegram.bodies import Blocking, ContactSharing, MiniAppLaunch, Press
from sandbox.control.telegram.calls import data_centre
from sandbox.telegram.chats.bot_actions import menu_button
from sandbox.telegram.chats.buttons import button_at
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.errors import RpcError

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.records.mailbox import Message

Json = dict[str, Any]

blueprint = Blueprint("bots", __name__, url_prefix="/telegram")
_NOTHING: Json = {"answer": None, "alert": False, "url": None}


@blueprint.post("/press")
async def post_press() -> Json:
    """Press a button as the app does; a bot that does not answer in time leaves the answer empty."""
    order = await read_body(Press)
    person, bot = data_centre().account_of(order.by), _bot(order.chat_with)
    message = person.box.get(order.message_id)
    if message is None or message.peer != bot.id:
        detail = f"{order.by} has no message {order.message_id} in that chat"
        raise ControlError(404, "not_found", detail)
    button = button_at(message.content.reply_markup, *order.button)
    return _NOTHING | await _press(person, bot, message, button)


async def _press(person: Account, bot: Account, message: Message, button: Any) -> Json:
    centre = data_centre()
    match button.type:
        case types.InlineButtonTypeCallback(data=data):
            return await _ask(person, message, data)
        case types.InlineButtonTypeUrl(url=url):
            return {"url": url}
        case types.InlineButtonTypeWebView(url=url):
            return {"url": centre.bots.open_mini_app(person, bot, url=url).url}
        case types.ButtonTypeSimpleWebView(url=url):
            return {"url": url}
        case types.ButtonTypeRequestPhone():
            centre.bots.share_contact(person, bot, message.content)
        case _:
            centre.message_actions.send(person, bot, Draft(button.text))
    return {}


async def _ask(person: Account, message: Message, data: bytes) -> Json:
    try:
        answer = await data_centre().bots.press(person, message, data)
    except RpcError as error:
        if error.message != "BOT_RESPONSE_TIMEOUT":
            raise
        return {}
    return {"answer": answer.message, "alert": bool(answer.alert), "url": answer.url}


@blueprint.post("/share_contact")
async def post_share_contact() -> tuple[Json, int]:
    order = await read_body(ContactSharing)
    person, bot = data_centre().account_of(order.by), _bot(order.chat_with)
    return {"ids": [data_centre().bots.share_contact(person, bot).message.id]}, 201


@blueprint.post("/block")
async def post_block() -> Json:
    order = await read_body(Blocking)
    person, other = (data_centre().account_of(each) for each in (order.by, order.who))
    data_centre().bots.block(person, other, is_blocked=order.blocked)
    return {}


@blueprint.get("/bots/<username>")
async def get_bot(username: str) -> Json:
    bot = _bot(username)
    profile = bot.bot_profile
    commands = (
        profile.commands.get((bytes(types.BotCommandScopeDefault()), ""), []) if profile else []
    )
    return {
        "user_id": bot.id,
        "username": bot.username,
        "commands": [{"command": c.command, "description": c.description} for c in commands],
        "menu_button": _describe_menu(menu_button(bot, 0)),
    }


@blueprint.post("/web_app")
async def post_web_app() -> Json:
    order = await read_body(MiniAppLaunch)
    person, bot = data_centre().account_of(order.by), _bot(order.chat_with)
    launch = data_centre().bots.open_mini_app(person, bot, order.start_param)
    return {"init_data": launch.init_data, "url": launch.url or None}


def _bot(name: str) -> Account:
    bot = data_centre().accounts.find(name)
    if bot is None or not bot.bot:
        raise ControlError(404, "not_found", f"there is no bot {name}")
    return bot


def _describe_menu(button: Any) -> Json:
    if isinstance(button, types.BotMenuButton):
        return {"type": "web_app", "text": button.text, "url": button.url}
    return {"type": "commands"}
