"""What happens between people and bots: blocking, starting, pressed buttons, shared contacts, Mini Apps."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from sandbox.telegram.accounts.web_app import Launch, sign_launch
from sandbox.telegram.chats.buttons import buttons_of, has_callback
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.chats.tl_views import peer_of
from sandbox.telegram.clock import now
from sandbox.telegram.errors import RpcError
from sandbox.telegram.records.event_log import BotStopped

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account, Accounts
    from sandbox.telegram.chats.message_actions import MessageActions, Posted
    from sandbox.telegram.chats.update_push import UpdatePush
    from sandbox.telegram.protocol.client_session import Session
    from sandbox.telegram.records.mailbox import Content, Message

PATIENCE = 15.0  # seconds that a bot has to answer when a button is pressed


class Bots:
    """Carries out what people do with bots; what they write is carried by MessageActions."""

    def __init__(
        self, accounts: Accounts, update_push: UpdatePush, message_actions: MessageActions
    ) -> None:
        self._accounts = accounts
        self._update_push = update_push
        self._message_actions = message_actions
        self._queries: dict[int, tuple[Account, asyncio.Future[Any]]] = {}

    def block(self, person: Account, other: Account, *, is_blocked: bool) -> None:
        """Block somebody, or no longer; a bot gets an update about it."""
        was_blocked = other.id in person.blocked
        (person.blocked.add if is_blocked else person.blocked.discard)(other.id)
        is_known = other.bot_profile and person.id in other.bot_profile.acquaintances
        if is_known and was_blocked is not is_blocked:
            self._update_push.record(other, BotStopped(person.id, now(), is_blocked))

    def start(
        self, person: Account, bot: Account, parameter: str = "", *, origin: Session | None = None
    ) -> Posted:
        """Write /start to a bot, which ends a block as the button of the app does."""
        self.block(person, bot, is_blocked=False)
        text = f"/start {parameter}".strip()
        command = types.MessageEntityBotCommand(0, len("/start"))
        return self._message_actions.send(person, bot, Draft(text, (command,)), origin=origin)

    def share_contact(
        self, person: Account, bot: Account, reply_to: Content | None = None
    ) -> Posted:
        """Send the bot one's own phone, as the keyboard's button does."""
        shared = types.MessageMediaContact(
            person.phone, person.first_name, person.last_name, "", person.id
        )
        return self._message_actions.send(person, bot, Draft(media=shared, reply_to=reply_to))

    async def press(self, person: Account, message: Message, data: bytes) -> Any:
        """Press a button with data; return the bot's answer or raise BOT_RESPONSE_TIMEOUT."""
        content = message.content
        bot = self._accounts[content.sender_id]
        if not has_callback(content.reply_markup, data):
            raise RpcError("DATA_INVALID")
        query_id = secrets.randbits(62)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queries[query_id] = bot, answer
        update = _query(query_id, person, bot, message, data)
        self._update_push.push(bot, update, {person.id, message.peer} - {bot.id}, lasting=False)
        try:
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError as exc:
            raise RpcError("BOT_RESPONSE_TIMEOUT") from exc
        finally:
            del self._queries[query_id]

    def answer(self, bot: Account, query_id: int, answer: Any) -> None:
        """Answer a pressed button; raise QUERY_ID_INVALID if nobody waits any more."""
        asked, waiting = self._queries.get(query_id, (None, None))
        if waiting is None or asked is not bot or waiting.done():
            raise RpcError("QUERY_ID_INVALID")
        waiting.set_result(answer)

    def open_mini_app(
        self, person: Account, bot: Account, start_param: str | None = None, url: str | None = None
    ) -> Launch:
        """Open the bot's Mini App: the given one, that of the newest button, or that of its menu."""
        return sign_launch(person, bot, url or self._web_app(person, bot), start_param)

    def _web_app(self, person: Account, bot: Account) -> str:
        box = person.box
        for message_id in reversed(box.conversation(bot.id).ids):
            message = box.get(message_id)
            for button in buttons_of(message.content.reply_markup) if message else ():
                if isinstance(button.type, types.InlineButtonTypeWebView):
                    return str(button.type.url)
        return menu_url(bot, person.id)


def menu_button(bot: Account, user_id: int) -> Any:
    """Return the menu button that a user sees; 0 stands for those without one of their own."""
    buttons = bot.bot_profile.menu_buttons if bot.bot_profile else {}
    return buttons.get(user_id) or buttons.get(0) or types.BotMenuButtonCommands()


def menu_url(bot: Account, user_id: int) -> str:
    button = menu_button(bot, user_id)
    return str(button.url) if isinstance(button, types.BotMenuButton) else ""


def _query(query_id: int, person: Account, bot: Account, message: Message, data: bytes) -> Any:
    is_private = message.peer > 0
    chat = person.id if is_private else message.peer
    copies = message.content.copies
    return types.UpdateBotCallbackQuery(
        query_id,
        person.id,
        peer_of(chat),
        copies.get(bot.id, message.id),
        chat_instance=hash((bot.id, chat)),
        data=data,
    )
