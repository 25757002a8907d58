"""The answers of the Bot API in its own words: messages, the chats and bots that they name, and errors."""

from __future__ import annotations

import mimetypes
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from quart import Response, jsonify

from supervisor.notifications.notice import MarkKind
from supervisor.notifications.outcome import RecipientState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.errors import TelegramRefused
    from supervisor.notifications.formatting.marked_text import MarkedText
    from supervisor.notifications.notice import Attachment, Button, Keyboard
    from supervisor.notifications.outcome import Accepted, RecipientOutcome
    from supervisor.store.people import Person
    from supervisor.store.values import Bot


UNREACHABLE_WAIT = 5  # seconds; while Telegram is away an edit may be tried again after that
_BLOCKED = (403, "Forbidden: bot was blocked by the user")
_NOT_FOUND = (400, "Bad Request: chat not found")
_REASONS: Mapping[str, tuple[int, str]] = {
    "blocked_by_contact": _BLOCKED,
    "muted": _BLOCKED,
    "contact_deleted": (403, "Forbidden: user is deactivated"),
    "writing_forbidden": (403, "Forbidden: bot can't send messages to the chat"),
    "contact_unknown": _NOT_FOUND,
    "contact_not_found": _NOT_FOUND,
    "channel_invalid": _NOT_FOUND,
    "chat_id_invalid": _NOT_FOUND,
    "peer_id_invalid": _NOT_FOUND,
    "unknown_recipient": _NOT_FOUND,
    "invalid_recipient": _NOT_FOUND,
    "file_refused": (400, "Bad Request: wrong type of the web page content"),
    "link_forbidden": (400, "Bad Request: wrong HTTP URL specified"),
    "link_gone": (400, "Bad Request: failed to get HTTP URL content"),
    "link_unreachable": (400, "Bad Request: failed to get HTTP URL content"),
    "file_too_large": (400, "Bad Request: file is too big"),
    "file_empty": (400, "Bad Request: file must be non-empty"),
}
_CODES: Mapping[str, str] = {
    "MESSAGE_NOT_MODIFIED": "message is not modified: specified new message content and reply "
    "markup are exactly the same as a current content and reply markup of the message",
    "MESSAGE_ID_INVALID": "message to edit not found",
    "MESSAGE_AUTHOR_REQUIRED": "message can't be edited",
    "MESSAGE_EDIT_TIME_EXPIRED": "message can't be edited",
    "MESSAGE_NOT_IN_CHAT": "message to delete not found",
    "MESSAGE_DELETE_FORBIDDEN": "message can't be deleted",
    "MESSAGE_EMPTY": "message text is empty",
    "PEER_ID_INVALID": "chat not found",
    "CHAT_ID_INVALID": "chat not found",
}


class BotApiError(Exception):
    """A call that fails, with the answer that the Bot API would give."""

    def __init__(self, status: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.retry_after = retry_after

    def as_response(self) -> Response:
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
        }
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        response = jsonify(body)
        response.status_code = self.status
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        return response


class SentMessage(NamedTuple):
    """What a program learns of its message; the id is 0 while the message still waits."""

    chat_id: int
    message_id: int


def respond(result: Any) -> Response:
    return jsonify({"ok": True, "result": result})


def bad_request(what: str) -> BotApiError:
    return BotApiError(400, f"Bad Request: {what}")


def too_many_requests(seconds: float) -> BotApiError:
    wait = max(1, round(seconds))
    return BotApiError(429, f"Too Many Requests: retry after {wait}", wait)


def sent_message(accepted: Accepted, outcomes: list[RecipientOutcome]) -> SentMessage:
    """Return what was sent or still waits; raise BotApiError if it never will be."""
    if accepted.rejected:
        raise _because(accepted.rejected[0].code)
    first = outcomes[0]
    match first.outcome.state:
        case RecipientState.FAILED:
            raise _because(first.outcome.error or "")
        case RecipientState.EXPIRED:
            raise bad_request("message expired")
        case _:
            return SentMessage(first.peer_id, first.outcome.message_id or 0)


def from_refusal(error: TelegramRefused) -> BotApiError:
    """Say why Telegram refused an edit or a deletion."""
    if error.retry_after is not None:
        return too_many_requests(error.retry_after)
    return bad_request(_CODES.get(error.code, error.code))


def _because(reason: str) -> BotApiError:
    status, description = _REASONS.get(reason, (400, f"Bad Request: {reason.upper()}"))
    return BotApiError(status, description)


Json = dict[str, Any]

KINDS = {
    "bold": MarkKind.BOLD,
    "italic": MarkKind.ITALIC,
    "underline": MarkKind.UNDERLINE,
    "strikethrough": MarkKind.STRIKE,
    "spoiler": MarkKind.SPOILER,
    "code": MarkKind.CODE,
    "pre": MarkKind.PRE,
    "blockquote": MarkKind.QUOTE,
    "expandable_blockquote": MarkKind.LONG_QUOTE,
    "text_link": MarkKind.LINK,
    "text_mention": MarkKind.MENTION,
    "custom_emoji": MarkKind.EMOJI,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


def describe_bot(bot: Bot) -> Json:
    return {
        "id": int(bot.bot),
        "is_bot": True,
        "first_name": bot.username,
        "username": bot.username,
    }


def describe_chat(chat_id: int, person: Person | None) -> Json:
    """Describe a chat; somebody who has never registered is named by their id."""
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
    bot: Bot,
    chat: Json,
    message_id: int,
    text: MarkedText,
    keyboard: Keyboard | None,
    *,
    is_caption: bool,
) -> Json:
    """Describe a message that the bot has just sent or changed; of its buttons, those under the text."""
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
    if keyboard is not None and keyboard.kind == "inline":
        rows = [[_describe_button(each) for each in row] for row in keyboard.rows]
        shown["reply_markup"] = {"inline_keyboard": rows}
    return shown


def describe_file(kind: str, file: Attachment, message_id: int) -> Json:
    """Describe the file of a message; its id only tells files apart, and the size of a picture is unknown."""
    named = f"{kind}-{message_id}"
    identified = {"file_id": named, "file_unique_id": named}
    if kind == "photo":
        return {"photo": [{**identified, "width": 0, "height": 0}]}
    mime = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return {"document": {**identified, "file_name": file.name, "mime_type": mime}}


def _describe_button(button: Button) -> Json:
    app = button.web_app and {"url": button.web_app}
    does = {"url": button.url, "callback_data": button.data, "web_app": app}
    return {"text": button.text} | {name: what for name, what in does.items() if what}


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
