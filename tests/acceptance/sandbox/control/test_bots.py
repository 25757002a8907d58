"""Bots by control calls alone, as a test or the sandbox page uses them."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from telethon import Button, events, functions
from telethon.tl import types

from tests.acceptance.sandbox.control.conftest import ALICE, BOB
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.acceptance.sandbox.control.conftest import Control

BOT = "Helper_bot"


@pytest.fixture
async def robot(control: Control) -> dict[str, Any]:
    made: dict[str, Any] = await control.ask(
        "POST", "/telegram/accounts", 201, bot=True, username=BOT
    )
    return made


@pytest.fixture
async def bot(control: Control, robot: dict[str, Any]) -> AsyncIterator[Any]:
    """Connect an unmodified client of the bot, which Alice has started."""
    client = await control.client_of(robot["username"])
    await client.connect()
    await client.get_me()
    await control.write(ALICE, BOT, text="/start")
    yield client
    await client.disconnect()


async def test_bot_has_a_token_and_no_phone(control: Control, robot: dict[str, Any]) -> None:
    """A bot is made with a user name that ends in bot; it has a token and no phone."""
    assert robot["username"] == BOT
    assert robot["bot_token"].startswith(f"{robot['user_id']}:")
    assert "phone" not in robot
    again = {"bot": True, "username": BOT}
    await control.ask("POST", "/telegram/accounts", 409, **again)
    await control.ask("POST", "/telegram/accounts", 400, bot=True, username="robotics")


async def test_buttons_are_shown_and_pressed(control: Control, bot: Any) -> None:
    """A press answers what the bot says; a button with an address answers that address."""

    async def answer(press: Any) -> None:
        await press.answer(f"you chose {press.data.decode()}", alert=True)

    bot.add_event_handler(answer, events.CallbackQuery())
    (alice,) = [
        u for u in await control.ask("GET", "/telegram/accounts") if u.get("phone") == ALICE
    ]
    person = types.InputPeerUser(alice["user_id"], 0)
    url = "https://example.com/task"
    await bot.send_message(
        person, "**New** task", buttons=[[Button.inline("Take", b"t:1")], [Button.url("Open", url)]]
    )

    *_, shown = await control.chat(ALICE, BOT)
    pressed = {"by": ALICE, "chat_with": BOT, "message_id": shown["id"]}
    taken = await control.ask("POST", "/telegram/press", button=[0, 0], **pressed)
    opened = await control.ask("POST", "/telegram/press", button=[1, 0], **pressed)

    assert shown["text"] == "New task"
    assert shown["buttons"] == [[{"text": "Take", "data": "t:1"}], [{"text": "Open", "url": url}]]
    assert shown["marks"] == [{"_": "bold", "offset": 0, "length": 3}]
    assert taken == {"answer": "you chose t:1", "alert": True, "url": None}
    assert opened == {"answer": None, "alert": False, "url": url}
    await control.ask("POST", "/telegram/press", 400, button=[2, 0], **pressed)


async def test_contact_and_block(control: Control, bot: Any) -> None:
    """A shared contact reaches the bot; a block is told to it, and ends with the next start."""
    phones: list[str] = []
    stops: list[bool] = []

    async def keep_phone(event: Any) -> None:
        phones.append(event.message.media.phone_number)

    async def keep_stop(update: Any) -> None:
        stops.append(update.stopped)

    bot.add_event_handler(keep_phone, events.NewMessage(func=lambda e: e.contact is not None))
    bot.add_event_handler(keep_stop, events.Raw(types.UpdateBotStopped))
    await control.ask("POST", "/telegram/share_contact", 201, by=ALICE, chat_with=BOT)
    await control.ask("POST", "/telegram/block", by=ALICE, who=BOT, blocked=True)
    await control.ask("POST", "/telegram/block", by=ALICE, who=BOT, blocked=False)

    await eventually(lambda: (phones, stops) == ([ALICE], [True, False]))
    *_, shown = await control.chat(ALICE, BOT)
    assert (shown["contact"]["phone"], shown["contact"]["name"]) == (ALICE, "Alice")


async def test_mini_app_gets_signed_data(control: Control, bot: Any, robot: dict[str, Any]) -> None:
    """The data verifies with the bot's token, as Telegram documents it, and is part of the address."""
    button = types.BotMenuButton("Board", "https://example.com/app")
    await bot(functions.bots.SetBotMenuButtonRequest(types.InputUserEmpty(), button))

    launch = await control.ask(
        "POST", "/telegram/web_app", by=BOB, chat_with=BOT, start_param="task-7"
    )

    fields = dict(parse_qsl(launch["init_data"], strict_parsing=True))
    given = fields.pop("hash")
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    key = hmac.digest(b"WebAppData", robot["bot_token"].encode(), hashlib.sha256)
    assert given == hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()
    assert json.loads(fields["user"])["first_name"] == "Bob"
    assert fields["start_param"] == "task-7"
    address = urlsplit(launch["url"])
    assert address.netloc == "example.com"
    assert dict(parse_qsl(address.fragment))["tgWebAppData"] == launch["init_data"]


async def test_commands_are_listed(control: Control, bot: Any) -> None:
    """What the bot has set can be looked at."""
    command = types.BotCommand("board", "Open the board")
    scope = types.BotCommandScopeDefault()
    await bot(functions.bots.SetBotCommandsRequest(scope, "", [command]))

    shown = await control.ask("GET", f"/telegram/bots/{BOT}")

    assert shown["commands"] == [{"command": "board", "description": "Open the board"}]
    assert shown["menu_button"] == {"type": "commands"}
    await control.ask("GET", "/telegram/bots/nobody_bot", 404)


async def test_groups_with_bots_and_topics(
    control: Control, bot: Any, robot: dict[str, Any]
) -> None:
    """People and bots may be in a supergroup with topics, whose messages can be listed."""
    made = await control.ask(
        "POST",
        "/telegram/groups",
        201,
        kind="supergroup",
        title="Crowd",
        owner=ALICE,
        members=[BOB, BOT],
        topics=["Ops"],
    )
    topic = made["topics"]["Ops"]
    place = types.InputPeerChannel(-1_000_000_000_000 - made["chat_id"], 0)
    reply = types.InputReplyToMessage(topic)
    await bot(functions.messages.SendMessageRequest(place, "disk full", reply_to=reply))

    *_, posted = await control.ask("GET", f"/telegram/groups/{made['chat_id']}/messages")

    assert (posted["text"], posted["topic"], posted["from"]) == (
        "disk full",
        topic,
        robot["user_id"],
    )
    await control.ask("GET", "/telegram/groups/-5/messages", 404)
