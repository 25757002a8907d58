"""Messages and those who exchange them, in the shapes of the Bot API."""

from __future__ import annotations

import mimetypes
import time
from typing import TYPE_CHECKING, Any

from api.bot_api.fields import KINDS
from supervisor.notifications.notice import MarkKind

if TYPE_CHECKING:
    from supervisor.notifications.formatting.marked_text import MarkedText
    from supervisor.notifications.notice import Attachment
    from supervisor.store.people import Person
    from supervisor.store.values import Bot

Json = dict[str, Any]

_NAMES = {kind: name for name, kind in KINDS.items()}


def describe_bot(bot: Bot) -> Json:
    return {
        "id": int(bot.bot),
        "is_bot": True,
        "first_name": bot.username,
        "username": bot.username,
    }


def describe_chat(chat_id: int, person: Person | None) -> Json:
    """Describe a chat; who has never registered has their id for a name."""
    if chat_id < 0:
        kind = "supergroup" if chat_id < -(10**12) else "group"
        return {"id": chat_id, "type": kind, "title": str(chat_id)}
    chat = {"id": chat_id, "type": "private", "first_name": str(chat_id)}
    if person is not None:
        chat["first_name"] = person.name or str(chat_id)
        if person.username:
            chat["username"] = person.username
    return chat


def describe_message(
    bot: Bot, chat: Json, message_id: int, text: MarkedText, *, is_caption: bool
) -> Json:
    """Describe a message that the bot has just sent or changed."""
    shown = {
        "message_id": message_id,
        "from": describe_bot(bot),
        "chat": chat,
        "date": int(time.time()),
    }
    if text.text:
        shown["caption" if is_caption else "text"] = text.text
        if entities := _describe_marks(text):
            shown["caption_entities" if is_caption else "entities"] = entities
    return shown


def describe_file(kind: str, file: Attachment, message_id: int) -> Json:
    """Describe the file of a message; its id only tells files apart, and the size of a picture is unknown."""
    named = f"{kind}-{message_id}"
    identified = {"file_id": named, "file_unique_id": named}
    if kind == "photo":
        return {"photo": [{**identified, "width": 0, "height": 0}]}
    mime = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return {"document": {**identified, "file_name": file.name, "mime_type": mime}}


def _describe_marks(text: MarkedText) -> list[dict[str, Any]]:
    """List the marks as the Bot API does."""
    fields = {MarkKind.LINK: "url", MarkKind.PRE: "language", MarkKind.EMOJI: "custom_emoji_id"}
    return [
        {
            "type": _NAMES[mark.kind],
            "offset": mark.offset,
            "length": mark.length,
            **({fields[mark.kind]: mark.value} if mark.kind in fields and mark.value else {}),
        }
        for mark in text.marks
        if mark.kind is not MarkKind.MENTION
    ]
