"""What clients of older layers send is understood, and they are answered as their layers define it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from telethon.extensions import BinaryReader
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER, tlobjects

from sandbox.telegram.protocol import older_layers
from sandbox.telegram.protocol.tl_codec import read_object, serialise

SCHEMA = Path(older_layers.__file__).with_suffix(".tl").read_text(encoding="utf-8")
LINES = [line for line in SCHEMA.splitlines() if "=" in line and not line.startswith("//")]
OLDEST = 158
# A request and an object of layer 158, as Pyrogram of that layer writes them.
USER = types.User(
    5,
    is_self=True,
    first_name="A",
    status=types.UserStatusRecently(),
    phone="38",
    access_hash=3,
)


def seen(thing: Any, layer: int) -> bytes:
    return serialise(older_layers.rewrite(thing, layer))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[1])
def test_definition_is_what_telegram_numbers_so(line: str) -> None:
    """The number of a constructor is the checksum of its definition, so no field is misspelt."""
    text = re.sub(r"#[0-9a-f]{8}", "", line.split(" ", 1)[1].rstrip(";"), count=1)
    text = re.sub(r" \w+:flags\d?\.\d+\?true", "", text)
    text = re.sub(r"([:?])bytes ", r"\1string ", text).translate(str.maketrans("<", " ", ">"))

    assert f"{crc32(text.encode()):08x}" == re.search(r"#([0-9a-f]{8})", line)[1]  # type: ignore[index]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[1])
def test_definition_is_not_that_of_telethon(line: str) -> None:
    """A definition is listed if it is another one than Telethon's, and was in force before it."""
    first, last = map(int, line.split(maxsplit=1)[0].split("-"))
    constructor = int(line.split("#")[1][:8], 16)

    assert OLDEST <= first <= last < LAYER
    assert tlobjects.get(constructor) in {None, types.KeyboardButtonRow}


def test_user_is_written_as_the_layer_has_it() -> None:
    """A user of layer 181 has that layer's number, and its fields in their order."""
    written = seen(USER, 181)

    assert written.hex() == (
        "38445c21"  # user#215c4438
        "53040000" "00000000"  # both fields of flags
        "0500000000000000" "0300000000000000"
        "01410000" "02333800"
        "c87d197b00000000"  # userStatusRecently#7b197dc8
    )  # fmt: skip


@pytest.mark.parametrize("layer", [LAYER, LAYER + 1, None])
def test_own_layer_is_left_alone(layer: int | None) -> None:
    """For clients that speak Telethon's layer nothing is rewritten."""
    assert older_layers.rewrite(USER, layer) is USER


def test_objects_deep_inside_are_rewritten_and_the_original_is_not() -> None:
    """Lists and fields are followed; what others see of the same object stays as it is."""
    message = types.Message(1, types.PeerUser(5), None, "text")
    answer = types.messages.MessagesSlice(1, [message], topics=[], chats=[], users=[USER])
    before = bytes(answer)

    written = seen(answer, 181)

    assert bytes.fromhex("38445c21") in written
    assert b"text" in written
    assert bytes(answer) == before


@pytest.mark.parametrize("layer", [OLDEST, 181, 223])
def test_buttons_are_read_and_written(layer: int) -> None:
    """A button had a constructor of its own for each type, and comes back as it was sent."""
    buttons = [
        types.KeyboardInlineButton("Yes", types.InlineButtonTypeCallback(b"yes")),
        types.KeyboardInlineButton("Site", types.InlineButtonTypeUrl("https://example.com")),
    ]
    inline = types.ReplyInlineMarkup([types.KeyboardInlineButtonRow(buttons)])
    keys = [types.KeyboardButton("Hi", types.ButtonTypeDefault())]
    keyboard = types.ReplyKeyboardMarkup([types.KeyboardButtonRow(keys)])

    for markup in (inline, keyboard):
        assert bytes(read_object(seen(markup, layer))) == bytes(markup)
        assert seen(markup, layer) != bytes(markup)


def test_message_of_an_old_client_is_read() -> None:
    """A message of layer 158 names what it replies to by a bare id."""
    request = functions.messages.SendMessageRequest(types.InputPeerSelf(), "hi", random_id=7)
    line = next(each for each in LINES if each.startswith("158-159 messages.sendMessage"))
    constructor = bytes.fromhex(line.split("#")[1][:8])[::-1]
    body = constructor + bytes([1, 0, 0, 0]) + bytes(types.InputPeerSelf()) + bytes([9, 0, 0, 0])
    body += b"\x02hi\x00" + (7).to_bytes(8, "little")

    read = read_object(body)

    request.reply_to = types.InputReplyToMessage(9)
    assert read == request


def test_texts_with_entities_were_plain() -> None:
    """A folder's title was a text, and is one again for a client of that time."""
    folder = types.DialogFilter(
        2, types.TextWithEntities("Work", []), [], [types.InputPeerSelf()], []
    )

    assert read_object(seen(folder, 181)) == folder


def test_answer_of_a_method_may_have_been_a_part_of_it() -> None:
    """Until layer 178 a new group was answered with the updates alone."""
    updates = types.UpdatesTooLong()
    answer = types.messages.InvitedUsers(updates, [])

    assert older_layers.rewrite(answer, 158) is updates
    assert older_layers.rewrite(answer, 181) is answer
    assert BinaryReader(seen(answer, 158)).tgread_object() == updates
