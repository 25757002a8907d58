"""What a bot hears in an update: its own messages, shared phones, presses, blocks, commands in groups."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from telethon.tl import types

from session_worker.protocol.bots import ButtonPress, HeardMessage, Speaker, Stopped
from session_worker.protocol.messages import Contact
from session_worker.telegram.bot import (
    event_of,
    group_command,
    heard_message,
    own_phone,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ANNA = Contact(peer_id=7, first_name="Anna", username="anna")


def message(text: str = "", peer: Any = None, **fields: Any) -> Any:
    return types.Message(5, peer or types.PeerUser(7), NOW, text, **fields)


def card(user_id: int) -> Any:
    return types.MessageMediaContact("+380 67 1", "Anna", "", "", user_id)


def test_message_is_heard() -> None:
    """A message comes with its author, its text and the message that it answers."""
    reply = types.MessageReplyHeader(reply_to_msg_id=3)

    assert heard_message(message("/start ops", reply_to=reply), ANNA) == HeardMessage(
        chat_id=7,
        message_id=5,
        date=int(NOW.timestamp()),
        speaker=Speaker(user_id=7, first_name="Anna", username="anna"),
        text="/start ops",
        reply_to=3,
    )


@pytest.mark.parametrize(
    ("shared", "phone"),
    [
        (message(media=card(7)), "380671"),
        (message(media=card(8)), None),
        (message(media=card(0)), None),
        (message(media=card(7), out=True), None),
        (message(media=card(7), peer=types.PeerChat(7)), None),
        (message("380671"), None),
    ],
)
def test_only_the_own_card_is_a_phone(shared: Any, phone: str | None) -> None:
    """A card of somebody else's proves nothing, nor does one in a group or one that we sent."""
    assert own_phone(shared) == phone


def test_press_and_block_are_events() -> None:
    """A pressed button tells its chat and data, a block whose it is; a message is neither."""
    channel = types.PeerChannel(9)
    press = types.UpdateBotCallbackQuery(1, 7, channel, 5, chat_instance=2, data=b"take:1")

    assert event_of(press) == ButtonPress(
        query_id=1, chat_id=-1_000_000_000_009, message_id=5, user_id=7, data="take:1"
    )
    assert event_of(types.UpdateBotStopped(7, NOW, True, 2)) == Stopped(
        user_id=7, date=int(NOW.timestamp()), is_stopped=True
    )
    assert event_of(types.UpdateNewMessage(message("hi"), 1, 1)) is None


@pytest.mark.parametrize(
    ("text", "peer", "is_command"),
    [
        ("/start", types.PeerChat(9), True),
        ("hello", types.PeerChat(9), False),
        ("/start", types.PeerUser(7), False),
    ],
)
def test_groups_are_heard_only_for_commands(text: str, peer: Any, is_command: bool) -> None:
    """What people say to each other in a group stays there; a command is for the bot."""
    written = message(text, peer=peer, from_id=types.PeerUser(7))

    assert (group_command(types.UpdateNewMessage(written, 1, 1)) is written) is is_command


def test_channel_posts_without_author_are_not_heard() -> None:
    """A command in a supergroup needs somebody who wrote it."""
    post = message("/start", peer=types.PeerChannel(9))

    assert group_command(types.UpdateNewChannelMessage(post, 1, 1)) is None
