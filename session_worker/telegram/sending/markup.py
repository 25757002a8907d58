"""How marks, keyboards and chats are called in Telegram's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.protocol.outgoing import MarkKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from session_worker.protocol.outgoing import Button, Keyboard, Mark

_FIRST_CHANNEL = -1_000_000_000_000
UNNAMED_HASH = 0
"""Stands for the access hash of somebody whom a bot has met: Telegram needs none from bots."""

_ENTITIES: Mapping[MarkKind, Any] = {
    MarkKind.BOLD: types.MessageEntityBold,
    MarkKind.ITALIC: types.MessageEntityItalic,
    MarkKind.UNDERLINE: types.MessageEntityUnderline,
    MarkKind.STRIKE: types.MessageEntityStrike,
    MarkKind.SPOILER: types.MessageEntitySpoiler,
    MarkKind.CODE: types.MessageEntityCode,
    MarkKind.QUOTE: types.MessageEntityBlockquote,
}


def input_peer(peer_id: int, access_hash: int) -> Any:
    """Name a chat; groups and channels have the negative ids of the Bot API."""
    if peer_id > 0:
        return types.InputPeerUser(peer_id, access_hash)
    if peer_id > _FIRST_CHANNEL:
        return types.InputPeerChat(-peer_id)
    return types.InputPeerChannel(_FIRST_CHANNEL - peer_id, access_hash)


def entities(marks: Sequence[Mark]) -> list[Any] | None:
    return [_entity(mark) for mark in marks] or None


def _entity(mark: Mark) -> Any:
    place = (mark.offset, mark.length)
    match mark.kind:
        case MarkKind.LINK:
            return types.MessageEntityTextUrl(*place, mark.value)
        case MarkKind.PRE:
            return types.MessageEntityPre(*place, language=mark.value)
        case MarkKind.LONG_QUOTE:
            return types.MessageEntityBlockquote(*place, collapsed=True)
        case MarkKind.MENTION:
            person = types.InputUser(int(mark.value), UNNAMED_HASH)
            return types.InputMessageEntityMentionName(*place, person)
        case MarkKind.EMOJI:
            return types.MessageEntityCustomEmoji(*place, int(mark.value))
        case kind:
            return _ENTITIES[kind](*place)


def reply_markup(keyboard: Keyboard | None) -> Any:
    if keyboard is None:
        return None
    match keyboard.kind:
        case "inline":
            rows = [types.KeyboardInlineButtonRow(list(map(_inline, row))) for row in keyboard.rows]
            return types.ReplyInlineMarkup(rows)
        case "reply":
            return types.ReplyKeyboardMarkup(
                [types.KeyboardButtonRow(list(map(_reply, row))) for row in keyboard.rows],
                resize=keyboard.fits_height,
                single_use=keyboard.hides_after_use,
                persistent=keyboard.is_persistent,
                placeholder=keyboard.placeholder,
            )
        case "remove":
            return types.ReplyKeyboardHide()
        case "force_reply":
            return types.ReplyKeyboardForceReply(placeholder=keyboard.placeholder)


def _inline(button: Button) -> Any:
    if button.url is not None:
        kind = types.InlineButtonTypeUrl(button.url)
    elif button.web_app is not None:
        kind = types.InlineButtonTypeWebView(button.web_app)
    else:
        kind = types.InlineButtonTypeCallback((button.data or "").encode())
    return types.KeyboardInlineButton(button.text, kind)


def _reply(button: Button) -> Any:
    if button.asks_contact:
        kind = types.ButtonTypeRequestPhone()
    elif button.web_app is not None:
        kind = types.ButtonTypeSimpleWebView(button.web_app)
    else:
        kind = types.ButtonTypeDefault()
    return types.KeyboardButton(button.text, kind)
