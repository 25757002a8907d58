"""Marks, keyboards and chats in Telegram's own schema."""

from __future__ import annotations

from typing import Any

import pytest
from telethon.tl import types

from session_worker.protocol.outgoing import Button, Keyboard, Mark, MarkKind
from session_worker.telegram.sending.requests import entities, input_peer, reply_markup


@pytest.mark.parametrize(
    ("peer_id", "expected"),
    [
        (5, types.InputPeerUser(5, 7)),
        (-5, types.InputPeerChat(5)),
        (-1_000_000_000_005, types.InputPeerChannel(5, 7)),
    ],
)
def test_chat_is_named_by_its_id(peer_id: int, expected: Any) -> None:
    """A person, a group and a channel are told apart by the id that the Bot API gives them."""
    assert input_peer(peer_id, 7) == expected


@pytest.mark.parametrize("kind", list(MarkKind))
def test_each_mark_has_an_entity(kind: MarkKind) -> None:
    """Whatever can be marked can be sent, at the same place."""
    [entity] = entities([Mark(kind=kind, offset=1, length=2, value="3")]) or []

    assert (entity.offset, entity.length) == (1, 2)
    assert bytes(entity)


@pytest.mark.parametrize(
    "keyboard",
    [
        Keyboard(rows=((Button(text="a", url="https://e.com"), Button(text="b", data="x")),)),
        Keyboard(rows=((Button(text="a", web_app="https://e.com"),),)),
        Keyboard(kind="reply", rows=((Button(text="a", asks_contact=True), Button(text="b")),)),
        Keyboard(kind="remove"),
        Keyboard(kind="force_reply", placeholder="Write"),
    ],
)
def test_keyboard_can_be_sent(keyboard: Keyboard) -> None:
    """Each kind of keyboard is something that Telegram's schema can hold, with all its buttons."""
    markup = reply_markup(keyboard)

    assert bytes(markup)
    shown = [[button.text for button in row.buttons] for row in getattr(markup, "rows", [])]
    assert shown == [[button.text for button in row] for row in keyboard.rows]


def test_no_keyboard_is_none() -> None:
    """A message without buttons is sent without any."""
    assert reply_markup(None) is None
    assert entities(()) is None
