"""Bots: their token, whom they may write to, buttons, blocking, commands, with unmodified Telethon on both sides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from telethon import Button, errors, events, functions
from telethon.errors.rpcerrorlist import rpc_errors_dict
from telethon.tl import types

from sandbox.telegram.accounts.accounts import BotProfile
from sandbox.telegram.chats.message_actions import Draft
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.records.chats import Channel
    from tests.acceptance.sandbox.telegram.conftest import ClientOf


@pytest.fixture
def robot(data_centre: DataCentre) -> Account:
    return data_centre.accounts.add_bot("helper_bot", "Helper")


async def heard(queue: asyncio.Queue[Any]) -> Any:
    async with asyncio.timeout(PATIENCE):
        return await queue.get()


def listen(client: Any, event: Any) -> asyncio.Queue[Any]:
    """Collect what a client hears."""
    queue: asyncio.Queue[Any] = asyncio.Queue()
    client.add_event_handler(queue.put, event)
    return queue


async def refusal_of(asked: Awaitable[Any]) -> str:
    """Return Telegram's name of an error, from Telethon's class for it if there is one."""
    with pytest.raises(errors.RPCError) as caught:
        await asked
    names = (name for name, kind in rpc_errors_dict.items() if kind is type(caught.value))
    return next(names, str(caught.value.message))


async def test_bot_may_not_write_first(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account, robot: Account
) -> None:
    """A bot writes only to people who have written to it, and needs no access hash for them."""
    bot, person = await client_of(robot), await client_of(alice)
    stranger = types.InputPeerUser(bob.id, 0)
    await person.get_entity("helper_bot")
    await person(functions.messages.StartBotRequest("helper_bot", "helper_bot", "ops-7"))

    assert await refusal_of(bot.send_message(stranger, "first")) == "PEER_ID_INVALID"
    answered = await bot.send_message(types.InputPeerUser(alice.id, 0), "hello")
    texts = [message.content.text for message in alice.box]
    assert texts == ["/start ops-7", "hello"]
    assert answered.message == "hello"


async def test_pressed_button_is_answered_by_the_bot(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, robot: Account
) -> None:
    """A press reaches the bot with its data; the bot's answer and its edit reach the person."""
    data_centre.bots.start(alice, robot)
    bot, person = await client_of(robot), await client_of(alice)
    presses = listen(bot, events.CallbackQuery())
    buttons = [[Button.inline("Take", b"take:1"), Button.url("Open", "https://example.com")]]
    await bot.send_message(types.InputPeerUser(alice.id, 0), "New task", buttons=buttons)
    (shown,) = await person.get_messages("helper_bot", limit=1)

    pressing = asyncio.ensure_future(shown.click(0))
    press = await heard(presses)
    await press.answer("It is yours", alert=True)
    await press.edit("Taken", buttons=None)

    answer = await pressing
    assert (press.data, press.sender_id) == (b"take:1", alice.id)
    assert (answer.message, answer.alert) == ("It is yours", True)
    (edited,) = await person.get_messages("helper_bot", limit=1)
    assert (edited.text, edited.buttons) == ("Taken", None)


async def test_only_buttons_that_exist_can_be_pressed(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, robot: Account
) -> None:
    """Data that no button carries is refused, and so are buttons of a person's own message."""
    data_centre.bots.start(alice, robot)
    bot, person = await client_of(robot), await client_of(alice)
    await bot.send_message(
        types.InputPeerUser(alice.id, 0), "?", buttons=[Button.inline("Yes", b"yes")]
    )
    (shown,) = await person.get_messages("helper_bot", limit=1)
    own = await person.send_message("helper_bot", "mine", buttons=[Button.inline("Yes", b"yes")])
    press = functions.messages.GetBotCallbackAnswerRequest

    assert await refusal_of(person(press("helper_bot", shown.id, data=b"no"))) == "DATA_INVALID"
    assert (
        await refusal_of(person(press("helper_bot", own.id, data=b"yes"))) == "MESSAGE_ID_INVALID"
    )
    assert await refusal_of(bot(functions.messages.SetBotCallbackAnswerRequest(1, 0))) == (
        "QUERY_ID_INVALID"
    )


async def test_wrong_buttons_are_refused(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, robot: Account
) -> None:
    """Data of more than 64 bytes and addresses that are none are refused, as Telegram does."""
    data_centre.bots.start(alice, robot)
    bot = await client_of(robot)
    inline, place = types.KeyboardInlineButton, types.InputPeerUser(alice.id, 0)
    cases = {
        "BUTTON_DATA_INVALID": inline("x", types.InlineButtonTypeCallback(b"d" * 65)),
        "BUTTON_URL_INVALID": inline("x", types.InlineButtonTypeUrl("nowhere")),
        "BUTTON_TEXT_INVALID": inline(" ", types.InlineButtonTypeCallback(b"d")),
    }

    for error, button in cases.items():
        markup = types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([button])])
        request = functions.messages.SendMessageRequest(place, "text", reply_markup=markup)
        assert await refusal_of(bot(request)) == error


async def test_bot_is_told_who_blocks_it(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, robot: Account
) -> None:
    """A block is an update with qts, which a bot that was away gets with the difference."""
    data_centre.bots.start(alice, robot)
    bot, person = await client_of(robot), await client_of(alice)
    updates = listen(bot, events.Raw(types.UpdateBotStopped))
    place = types.InputPeerUser(alice.id, 0)
    await bot.get_me()

    await person(functions.contacts.BlockRequest("helper_bot"))
    stopped = await heard(updates)
    refused = await refusal_of(bot.send_message(place, "hello?"))
    data_centre.bots.start(alice, robot)
    again = await heard(updates)

    missed = await bot(functions.updates.GetDifferenceRequest(robot.log.pts, again.date, 1))
    assert (stopped.user_id, stopped.stopped, stopped.qts) == (alice.id, True, 2)
    assert refused == "USER_IS_BLOCKED"
    assert (again.stopped, again.qts) == (False, 3)
    assert [update.qts for update in missed.other_updates] == [2, 3]


async def test_person_shares_the_phone(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, robot: Account
) -> None:
    """The contact of one's own that the keyboard asks for carries the person's id."""
    alice.phone_visible = False
    data_centre.bots.start(alice, robot)
    bot, person = await client_of(robot), await client_of(alice)
    messages = listen(bot, events.NewMessage(incoming=True))
    await bot.get_me()
    keyboard = [Button.request_phone("Share", resize=True, single_use=True)]
    await bot.send_message(types.InputPeerUser(alice.id, 0), "Your phone?", buttons=keyboard)
    (asked,) = await person.get_messages("helper_bot", limit=1)

    await asked.click(0, share_phone=True)

    contact = (await heard(messages)).message.media
    assert isinstance(asked.reply_markup, types.ReplyKeyboardMarkup)
    assert (contact.phone_number, contact.user_id) == (alice.phone, alice.id)


async def test_commands_and_menu_button(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, robot: Account
) -> None:
    """People see the commands and the menu button that the bot has set; people cannot set any."""
    bot, person = await client_of(robot), await client_of(alice)
    scope, command = types.BotCommandScopeDefault(), types.BotCommand("board", "Open the board")
    setting = functions.bots.SetBotCommandsRequest(scope, "", [command])
    button = types.BotMenuButton("Board", "https://example.com/app")
    await bot(setting)
    await bot(functions.bots.SetBotMenuButtonRequest(types.InputUserEmpty(), button))

    full = await person(functions.users.GetFullUserRequest("helper_bot"))
    info = full.full_user.bot_info
    assert [each.command for each in info.commands] == ["board"]
    assert info.menu_button.url == "https://example.com/app"
    assert await refusal_of(person(setting)) == "USER_BOT_REQUIRED"


async def test_what_only_people_may_do(client_of: ClientOf, robot: Account) -> None:
    """A bot lists no chats, reads no history, looks up no phone."""
    bot = await client_of(robot)
    requests = (
        functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 10, 0),
        functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 10, 0, 0, 0),
        functions.contacts.ResolvePhoneRequest("380501110001"),
        functions.account.GetAuthorizationsRequest(),
    )

    for request in requests:
        assert await refusal_of(bot(request)) == "BOT_METHOD_INVALID"


async def test_bot_in_a_forum(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, crowd: Channel, robot: Account
) -> None:
    """A bot writes into a topic of a supergroup it is in, without an access hash."""
    data_centre.channels.invite(crowd, alice, [robot])
    topic = data_centre.channels.open_topic(crowd, alice, "Ops").message.id
    bot = await client_of(robot)
    place, reply = types.InputPeerChannel(crowd.bare_id, 0), types.InputReplyToMessage(topic)

    await bot(functions.messages.SendMessageRequest(place, "disk full", reply_to=reply))

    posted = crowd.box.get(crowd.conversation.top)
    assert posted is not None
    assert (posted.content.text, posted.content.topic) == ("disk full", topic)


async def test_buttons_for_one_person_are_refused_in_groups(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, crowd: Channel, robot: Account
) -> None:
    """A Mini App opens from a private chat only, and nobody is asked for a phone before others."""
    data_centre.channels.invite(crowd, alice, [robot])
    bot, place = await client_of(robot), types.InputPeerChannel(crowd.bare_id, 0)
    app = types.KeyboardInlineButton("x", types.InlineButtonTypeWebView("https://example.com"))
    phone = types.KeyboardButton("x", types.ButtonTypeRequestPhone())
    markups = (
        types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([app])]),
        types.ReplyKeyboardMarkup([types.KeyboardButtonRow([phone])]),
    )

    for markup in markups:
        request = functions.messages.SendMessageRequest(place, "text", reply_markup=markup)
        assert await refusal_of(bot(request)) == "BUTTON_TYPE_INVALID"


async def test_message_is_edited_in_its_own_chat(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, bob: Account, robot: Account
) -> None:
    """The id of a message in another chat names no message of this one."""
    for person in (alice, bob):
        data_centre.bots.start(person, robot)
    bot = await client_of(robot)
    sent = await bot.send_message(types.InputPeerUser(alice.id, 0), "for Alice")
    there = functions.messages.EditMessageRequest(types.InputPeerUser(bob.id, 0), sent.id, "x")

    assert await refusal_of(bot(there)) == "MESSAGE_ID_INVALID"
    assert (await bot.edit_message(types.InputPeerUser(alice.id, 0), sent.id, "y")).text == "y"


async def test_bots_do_not_write_to_bots(
    client_of: ClientOf, data_centre: DataCentre, robot: Account
) -> None:
    """Telegram passes no message from one bot to another."""
    other = data_centre.accounts.add_bot("other_bot", "Other")
    assert other.bot_profile is not None
    other.bot_profile.acquaintances.add(robot.id)
    bot = await client_of(robot)
    await bot.get_entity("other_bot")

    assert await refusal_of(bot.send_message("other_bot", "hi")) == "USER_IS_BOT"


async def test_old_button_of_a_silent_bot(
    client_of: ClientOf, data_centre: DataCentre, alice: Account, robot: Account
) -> None:
    """A press that no bot answers ends with an error of Telegram's when the person hangs up."""
    data_centre.bots.start(alice, robot)
    markup = types.ReplyInlineMarkup(
        [types.KeyboardInlineButtonRow([Button.inline("Yes", b"yes")])]
    )
    sent = data_centre.message_actions.send(robot, alice, Draft("?", reply_markup=markup))
    message = alice.box.get(sent.message.content.copies[alice.id])
    assert message is not None

    pressing = asyncio.ensure_future(data_centre.bots.press(alice, message, b"yes"))
    await asyncio.sleep(0)
    pressing.cancel()
    await asyncio.wait({pressing})

    with pytest.raises(Exception, match="QUERY_ID_INVALID"):
        data_centre.bots.answer(robot, 1, None)


def test_tokens_look_like_those_of_telegram() -> None:
    """The secret half of a token has 35 characters of base64 for addresses."""
    secret = BotProfile().secret

    assert len(secret) == 35
    assert secret.replace("-", "").replace("_", "").isalnum()
