"""Turns a Telegram message into a value of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.protocol.messages import Contact, Incoming, IncomingKind
from session_worker.telegram.reading.files import file_object, files_of
from session_worker.telegram.reading.plain_text import (
    media_text,
    plain,
    quoted,
    readable,
    service_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from session_worker.protocol.bots import HeardMessage
    from session_worker.telegram.reading.reactions import Reaction
    from session_worker.texts.chat_texts import ChatTexts


# Kinds of file that speak for themselves, so that a caption needs no label.
_SHOWN_BY_FILE = (types.DocumentAttributeAudio, types.DocumentAttributeSticker)


def written(
    message: Any, contact: Contact, names: Mapping[int, str], texts: ChatTexts
) -> ParsedMessage:
    """Make a value from a message in a private chat."""
    body = plain(_body(message, texts))
    preface = "\n".join(_preface(message, names, texts))
    incoming = Incoming(
        peer_id=message.peer_id.user_id,
        message_ids=(message.id,),
        date=int(message.date.timestamp()) if message.date else 0,
        is_echo=bool(message.out),
        text="\n".join(filter(None, (preface, body))),
        reply_to=_replied(message.reply_to),
        contact=contact,
        files=files_of(message),
    )
    return ParsedMessage(incoming, _label(message, texts), message.grouped_id, preface=preface)


def edited(
    message: Any, before: ParsedMessage, texts: ChatTexts, *, has_new_file: bool
) -> ParsedMessage:
    """Make a message that says how an edited message reads now."""
    incoming = before.incoming
    text = texts.edited.format(text=incoming.text or before.label)
    changed = {
        "what": IncomingKind.EDIT,
        "text": text,
        "edit_date": int(message.edit_date.timestamp()),
        "reply_to": None,
        "files": incoming.files if has_new_file else (),
    }
    return ParsedMessage(incoming.changed(**changed))


def reaction_line(
    reaction: Reaction, message_id: int, contact: Contact, texts: ChatTexts
) -> ParsedMessage:
    """Make a message that quotes another one and says how somebody reacted to it."""
    emojis = " ".join(reaction.emojis)
    incoming = Incoming(
        what=IncomingKind.REACTION,
        peer_id=contact.peer_id,
        message_ids=(message_id,),
        date=reaction.date,
        edit_date=reaction.date,
        is_echo=reaction.author != contact.peer_id,
        text=texts.reacted.format(emoji=emojis) if emojis else texts.unreacted,
        reply_to=message_id,
        contact=contact,
    )
    return ParsedMessage(incoming)


def is_silent(message: Any, texts: ChatTexts) -> bool:
    """Whether a message says nothing: a service action that only concerns the look of the chat."""
    return isinstance(message, types.MessageService) and not service_text(
        message.action, texts, is_out=bool(message.out)
    )


def is_rewritten(message: Any) -> bool:
    """Whether an edit changed the text or media, and not only reactions, previews or a live location."""
    moves = isinstance(message.media, types.MessageMediaGeoLive)
    return message.edit_date is not None and not message.edit_hide and not moves


def short_message(update: Any) -> Any:
    """Convert the short form in which Telegram sends plain texts."""
    return types.Message(
        id=update.id,
        peer_id=types.PeerUser(update.user_id),
        date=update.date,
        message=update.message,
        out=update.out,
        fwd_from=update.fwd_from,
        reply_to=update.reply_to,
        entities=update.entities,
    )


def file_key(message: Any) -> int | None:
    """Return the id of the file in a message; another file has another id."""
    file = file_object(getattr(message, "media", None))
    return None if file is None else int(file.id)


def _body(message: Any, texts: ChatTexts) -> str:
    """Return what the message says; empty if only a file says it."""
    if isinstance(message, types.MessageService):
        return service_text(message.action, texts, is_out=bool(message.out))
    text = readable(message.message or "", message.entities)
    described = media_text(message.media, texts)
    if text and _is_shown(message.media):
        return text
    if not text and file_object(message.media) is not None and files_of(message):
        return ""
    if getattr(message, "rich_message", None) is not None:
        described = texts.unsupported
    return "\n".join(part for part in (described, text) if part) or texts.empty


def _label(message: Any, texts: ChatTexts) -> str:
    if isinstance(message, types.MessageService):
        return ""
    return plain(media_text(message.media, texts))


def _is_shown(media: Any) -> bool:
    """Whether a file speaks for itself beside its caption, as photos do and voice messages do not."""
    file = file_object(media)
    if isinstance(file, types.Document):
        return not any(
            isinstance(attribute, _SHOWN_BY_FILE) or getattr(attribute, "round_message", False)
            for attribute in file.attributes
        )
    return file is not None and isinstance(media, types.MessageMediaPhoto)


def _preface(message: Any, names: Mapping[int, str], texts: ChatTexts) -> list[str]:
    lines = []
    reply = message.reply_to
    if isinstance(reply, types.MessageReplyStoryHeader):
        lines.append(texts.reply_to_story)
    elif reply is not None and reply.quote_text:
        lines.append(quoted(plain(reply.quote_text)))
    program = getattr(message, "via_business_bot_id", None)
    if program is not None and message.out:
        name = names.get(program) or texts.somebody
        lines.append(texts.sent_by.format(name=plain(name)))
    forward = getattr(message, "fwd_from", None)
    if forward is not None:
        lines.append(texts.forwarded.format(name=plain(_author(forward, names, texts))))
    return lines


def _author(forward: Any, names: Mapping[int, str], texts: ChatTexts) -> str:
    """Return the author of a forwarded message, who may be hidden, deleted or a channel."""
    known = names.get(marked_id(forward.from_id)) if forward.from_id is not None else None
    name = known or forward.from_name or texts.somebody
    return f"{name} ({forward.post_author})" if forward.post_author else name


def marked_id(peer: Any) -> int:
    """Return a number for a peer that no other user, group or channel has."""
    match peer:
        case types.PeerUser(user_id=user_id):
            return int(user_id)
        case types.PeerChat(chat_id=chat_id):
            return -int(chat_id)
        case _:
            return -(1_000_000_000_000 + int(peer.channel_id))


def _replied(reply: Any) -> int | None:
    """Return the message that is replied to, unless it is quoted already or in another chat."""
    if not isinstance(reply, types.MessageReplyHeader):
        return None
    if reply.quote_text or reply.reply_to_peer_id is not None:
        return None
    replied: int | None = reply.reply_to_msg_id
    return replied


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """Something to report to Planfix; without a text of its own it is shown by its label.

    ``preface`` is what the text begins with: whom the message quotes, and who wrote it first.
    """

    incoming: Incoming
    label: str = ""
    album: int | None = None
    preface: str = ""
    heard: HeardMessage | None = None
    is_for_planfix: bool = True


@dataclass(frozen=True, slots=True)
class ReadMark:
    """The contact has read what the number wrote, up to a message."""

    peer_id: int
    up_to: int


ParsedUpdate = ParsedMessage | ReadMark
