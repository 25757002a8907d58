"""The requests that send a message, each under a random id chosen in advance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from session_worker import failures
from session_worker.failures import Cause
from session_worker.protocol.outgoing import MarkKind
from session_worker.telegram.errors import (
    FloodWait,
    NeedsLogin,
    PeerUnknown,
    Refused,
    TelegramError,
    TemporarilyFailed,
    Undecodable,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from session_worker.formatting.rendering import Rendered
    from session_worker.protocol.outgoing import Button, Keyboard, Mark, Outgoing
    from session_worker.telegram.sending.flood_control import FloodControl
    from session_worker.telegram.sending.uploads import Ask


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


ALREADY_SENT = "RANDOM_ID_DUPLICATE"
NOT_FOR_BOTS = "BOT_METHOD_INVALID"  # bots see no history
LOOKED_THROUGH = 50  # messages of a chat that are searched for one sent before


@dataclass(frozen=True, slots=True)
class Item:
    """One message of an album."""

    media: Any
    caption: Rendered
    random_id: int


class Sender:
    """Sends into one chat and returns the ids that Telegram assigned."""

    def __init__(
        self, ask: Ask, flood_control: FloodControl, outgoing: Outgoing, access_hash: int
    ) -> None:
        """Take the chat, the keyboard, the silence and the reply from the outgoing message."""
        self._ask_account = ask
        self._flood_control = flood_control
        self._keyboard = outgoing.keyboard
        self._has_text = any(part.text for part in outgoing.parts)
        self._peer_id = outgoing.peer_id
        self._peer = input_peer(outgoing.peer_id, access_hash)
        self._without_preview = outgoing.without_preview or None
        self._manner = {
            "silent": outgoing.is_silent or None,
            "noforwards": outgoing.is_protected or None,
            "reply_to": _reply_to(outgoing),
        }

    async def text(self, text: Rendered, random_id: int) -> int:
        request = functions.messages.SendMessageRequest(
            self._peer,
            text.text,
            random_id=random_id,
            no_webpage=self._without_preview,
            entities=entities(text.marks),
            reply_markup=reply_markup(self._keyboard),
            **self._manner,
        )
        return _ids(await self._post(request), [random_id])[0]

    async def media(self, media: Any, caption: Rendered, random_id: int) -> int:
        carries_keyboard = bool(caption.text) or not self._has_text
        request = functions.messages.SendMediaRequest(
            self._peer,
            media,
            caption.text,
            random_id=random_id,
            entities=entities(caption.marks),
            reply_markup=reply_markup(self._keyboard if carries_keyboard else None),
            **self._manner,
        )
        return _ids(await self._post(request), [random_id])[0]

    async def album(self, items: Sequence[Item]) -> tuple[int, ...]:
        singles = [
            types.InputSingleMedia(
                item.media,
                item.caption.text,
                random_id=item.random_id,
                entities=entities(item.caption.marks),
            )
            for item in items
        ]
        request = functions.messages.SendMultiMediaRequest(self._peer, singles, **self._manner)
        return _ids(await self._post(request), [item.random_id for item in items])

    async def register_media(self, media: Any) -> Any:
        """Register uploaded media with Telegram, as is required before an album can contain them."""
        request = functions.messages.UploadMediaRequest(self._peer, media)
        match await self._ask(request):
            case types.MessageMediaPhoto(photo=types.Photo() as photo):
                named = types.InputPhoto(photo.id, photo.access_hash, photo.file_reference)
                return types.InputMediaPhoto(named)
            case types.MessageMediaDocument(document=types.Document() as document):
                named = types.InputDocument(
                    document.id, document.access_hash, document.file_reference
                )
                return types.InputMediaDocument(named)
            case _:
                raise Refused(400, "MEDIA_INVALID")

    async def find(self, text: str, except_for: Collection[int], *, has_media: bool) -> int:
        """Look for a message sent by an earlier try whose answer was lost; returns 0 if there is none."""
        request = functions.messages.GetHistoryRequest(
            self._peer,
            offset_id=0,
            offset_date=None,
            add_offset=0,
            limit=LOOKED_THROUGH,
            max_id=0,
            min_id=0,
            hash=0,
        )
        try:
            found = (await self._ask(request)).messages
        except Undecodable:
            return 0
        except Refused as refusal:
            if refusal.text == NOT_FOR_BOTS:
                return 0
            raise
        for message in found:
            if not isinstance(message, types.Message) or not message.out:
                continue
            is_alike = message.message == text and _has_media(message) == has_media
            if is_alike and message.id not in except_for:
                return int(message.id)
        return 0

    async def _post(self, request: Any) -> Any:
        """Send; an answer that cannot be decoded is not a rejection, so the message was sent."""
        try:
            return await self._ask(request)
        except Undecodable as error:
            raise Refused(error.code, ALREADY_SENT) from error

    async def _ask(self, request: Any) -> Any:
        return await self._flood_control.ask(self._ask_account, request, self._peer_id)


def cause_of(error: TelegramError) -> Cause:
    """Return the failure under the name it has in the table."""
    match error:
        case FloodWait(seconds=seconds, code=code):
            return Cause(code, str(error), seconds)
        case Refused(text=text):
            return Cause(text, str(error))
        case NeedsLogin(trouble=trouble):
            return Cause(failures.NEEDS_LOGIN, trouble.detail)
        case Unreachable(retry_after=wait):
            return Cause(failures.OFFLINE, str(error), wait)
        case _:
            name = str(error)
            return Cause(name if failures.is_known(name) else _code_of(error), name)


def _code_of(error: TelegramError) -> str:
    if isinstance(error, PeerUnknown):
        return "PEER_ID_INVALID"
    return failures.FAILING if isinstance(error, TemporarilyFailed) else failures.UNKNOWN


def _reply_to(outgoing: Outgoing) -> Any:
    """Name the message that is answered, or the first one of the topic."""
    if outgoing.reply_to is None and outgoing.topic is None:
        return None
    return types.InputReplyToMessage(
        outgoing.reply_to or outgoing.topic,
        top_msg_id=outgoing.topic if outgoing.reply_to else None,
    )


def _has_media(message: Any) -> bool:
    # The preview of a link was not sent as media.
    return message.media is not None and not isinstance(message.media, types.MessageMediaWebPage)


def _ids(answer: Any, random_ids: Sequence[int]) -> tuple[int, ...]:
    """Return which messages the random ids have become, according to an answer."""
    if isinstance(answer, types.UpdateShortSentMessage):
        return (int(answer.id),)
    updates = getattr(answer, "updates", ())  # an answer may only say that there are too many
    named = [u for u in updates if isinstance(u, types.UpdateMessageID)]
    ids = {update.random_id: int(update.id) for update in named}
    if not ids.keys() >= set(random_ids):
        raise TemporarilyFailed("the answer names no message")
    return tuple(ids[random_id] for random_id in random_ids)
