"""What a message says in plain text: its formatting, its media and service actions in words."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.telegram.reading.files import Document, DocumentKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from session_worker.texts.chat_texts import ChatTexts


QUOTE = ">> "
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# Position, order at that position, order of outer before inner, inserted text.
Insertion = tuple[int, int, int, str]


def plain(text: str) -> str:
    """Remove what is not text: control characters and surrogate halves."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def quoted(text: str) -> str:
    """Mark each line as a quote, in Planfix's way."""
    return "\n".join(f"{QUOTE}{line}".rstrip() for line in text.split("\n"))


def readable(text: str, entities: Iterable[Any] | None) -> str:
    """Write out what the formatting of a text means."""
    if not entities:
        return plain(text)
    ends = list(accumulate((2 if ord(char) > 0xFFFF else 1 for char in text), initial=0))
    insertions = [
        insertion
        for entity in entities
        for insertion in _insertions(text, *_span(entity, ends), entity)
    ]
    return plain(_insert(text, sorted(insertions)))


def _span(entity: Any, ends: Sequence[int]) -> tuple[int, int]:
    """Return the characters of an entity, whose own offsets count UTF-16 units."""
    last = len(ends) - 1
    start = min(bisect_left(ends, entity.offset), last)
    return start, min(bisect_left(ends, entity.offset + entity.length), last)


def _insertions(text: str, start: int, end: int, entity: Any) -> Iterator[Insertion]:
    if start >= end:
        return
    if isinstance(entity, types.MessageEntityBlockquote):
        yield from _quote(text, start, end)
        return
    before, after = _marks(text[start:end], entity)
    is_link = not before
    if before:
        yield start, 1, -2 * end, before
    if after:
        # If two end at the same place, the inner one ends first, and a link after all others.
        yield end, 0, -2 * start + is_link, after


def _marks(inside: str, entity: Any) -> tuple[str, str]:
    match entity:
        case types.MessageEntityTextUrl(url=url):
            return "", _link(inside, url)
        case types.MessageEntityMentionName(user_id=user_id):
            return "", _link(inside, f"tg://user?id={user_id}")
        case types.MessageEntityCode():
            return "`", "`"
        case types.MessageEntityPre(language=language):
            return f"```{language}\n", "\n```"
        case _:
            return "", ""


def _link(label: str, url: str) -> str:
    """Write a link in Planfix's way, unless the label is the link itself."""
    return "" if label.strip().rstrip("/") == url.strip().rstrip("/") else f" [ {url} ]"


def _quote(text: str, start: int, end: int) -> Iterator[Insertion]:
    outermost = -2 * len(text) - 1
    opening = QUOTE if start == 0 or text[start - 1] == "\n" else f"\n{QUOTE}"
    yield start, 1, outermost, opening
    for place in range(start, end - 1):
        if text[place] == "\n":
            yield place + 1, 1, outermost, QUOTE
    if end < len(text) and "\n" not in text[end - 1 : end + 1]:
        yield end, 0, 2, "\n"


def _insert(text: str, insertions: Iterable[Insertion]) -> str:
    pieces, done = [], 0
    for place, _, _, inserted in insertions:
        pieces += [text[done:place], inserted]
        done = place
    return "".join([*pieces, text[done:]])


MAP = "https://maps.google.com/?q={lat:.6f},{long:.6f}"

_NAMED = {
    types.MessageMediaUnsupported: "unsupported",
    types.MessageMediaStory: "story",
    types.MessageMediaGiveaway: "giveaway",
    types.MessageMediaGiveawayResults: "giveaway",
    types.MessageMediaPaidMedia: "paid_media",
}
_OF_KIND = {
    DocumentKind.VIDEO: "video",
    DocumentKind.VIDEO_NOTE: "video_note",
    DocumentKind.VOICE: "voice",
    DocumentKind.AUDIO: "audio",
    DocumentKind.STICKER: "sticker",
    DocumentKind.GIF: "gif",
    DocumentKind.FILE: "document",
}


def media_text(media: Any, texts: ChatTexts) -> str:
    """Describe media in words; empty if the text of the message shows them already."""
    match media:
        case None | types.MessageMediaEmpty() | types.MessageMediaWebPage():
            return ""
        case types.MessageMediaPhoto(photo=types.Photo()):
            return texts.live_photo if media.live_photo else texts.photo
        case types.MessageMediaDocument(document=types.Document() as document):
            return _document_text(Document.of(document), texts)
        case types.MessageMediaPhoto() | types.MessageMediaDocument():
            return texts.gone_media
        case _:
            return _place_text(media, texts) or _card_text(media, texts)


def duration_text(seconds: float) -> str:
    """Write a duration as hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _document_text(document: Document, texts: ChatTexts) -> str:
    label: str = getattr(texts, _OF_KIND[document.kind])
    match document.kind:
        case DocumentKind.STICKER:
            return f"{label} {document.emoji}".rstrip()
        case DocumentKind.VOICE | DocumentKind.VIDEO_NOTE | DocumentKind.VIDEO:
            return f"{label}, {duration_text(document.duration)}" if document.duration else label
        case DocumentKind.AUDIO:
            return f"{label}: {document.title}" if document.title else label
        case DocumentKind.FILE:
            return f"{label}: {document.name}"
        case DocumentKind.GIF:
            return label


def _place_text(media: Any, texts: ChatTexts) -> str:
    match media:
        case types.MessageMediaVenue():
            lines = [f"{texts.location}: {media.title}", media.address, _point(media.geo)]
            return "\n".join(filter(None, lines))
        case types.MessageMediaGeo():
            return f"{texts.location}: {_point(media.geo)}".rstrip(": ")
        case types.MessageMediaGeoLive():
            return f"{texts.live_location}: {_point(media.geo)}".rstrip(": ")
        case _:
            return ""


def _point(geo: Any) -> str:
    if not isinstance(geo, types.GeoPoint):
        return ""
    link = MAP.format(lat=geo.lat, long=geo.long)
    return f"{geo.lat:.6f}, {geo.long:.6f} [ {link} ]"


def _card_text(media: Any, texts: ChatTexts) -> str:
    match media:
        case types.MessageMediaContact():
            return _contact_text(media, texts)
        case types.MessageMediaPoll() | types.MessageMediaToDo():
            return "\n".join(_list_lines(media, texts))
        case types.MessageMediaDice():
            return f"{texts.dice}: {media.emoticon} {media.value}"
        case types.MessageMediaGame(game=game):
            return f"{texts.game}: {game.title}"
        case types.MessageMediaInvoice():
            amount = f"{media.total_amount / 100:.2f} {media.currency}"
            return f"{texts.invoice}: {media.title}, {amount}"
        case _:
            return _named(media, texts)


def _contact_text(media: Any, texts: ChatTexts) -> str:
    name = f"{media.first_name} {media.last_name}".strip()
    phone = media.phone_number and f"+{media.phone_number.lstrip('+')}"
    return f"{texts.contact}: {', '.join(filter(None, [name, phone]))}"


def _list_lines(media: Any, texts: ChatTexts) -> Iterator[str]:
    if isinstance(media, types.MessageMediaToDo):
        yield f"{texts.to_do}: {media.todo.title.text}"
        yield from (f"- {task.title.text}" for task in media.todo.list)
        return
    poll = media.poll
    yield f"{texts.quiz if poll.quiz else texts.poll}: {poll.question.text}"
    yield from (f"- {answer.text.text}" for answer in poll.answers)


def _named(media: Any, texts: ChatTexts) -> str:
    name = _NAMED.get(type(media))
    if name is None:
        kind = type(media).__name__.removeprefix("MessageMedia")
        return texts.unknown_media.format(kind=kind)
    text: str = getattr(texts, name)
    return text


# By these, nobody says anything: they concern the look of the chat, its order or its history.
SILENT = (
    types.MessageActionEmpty,
    types.MessageActionHistoryClear,
    types.MessageActionPinMessage,
    types.MessageActionContactSignUp,
    types.MessageActionSetChatTheme,
    types.MessageActionSetChatWallPaper,
    types.MessageActionBotAllowed,
)
_NAMED_ACTIONS = {
    types.MessageActionScreenshotTaken: "screenshot",
    types.MessageActionGiftPremium: "gift",
    types.MessageActionGiftStars: "gift",
    types.MessageActionGiftTon: "gift",
    types.MessageActionGiftCode: "gift",
    types.MessageActionStarGift: "gift",
    types.MessageActionStarGiftUnique: "gift",
    types.MessageActionPaymentSent: "payment",
    types.MessageActionPaymentSentMe: "payment",
    types.MessageActionRequestedPeer: "shared",
    types.MessageActionRequestedPeerSentMe: "shared",
}
_DAY = 24 * 60 * 60


def service_text(action: Any, texts: ChatTexts, *, is_out: bool) -> str:
    """Describe an event in a private chat; empty if it says nothing."""
    match action:
        case action if isinstance(action, SILENT):
            return ""
        case types.MessageActionPhoneCall():
            return _call_text(action, texts, is_out=is_out)
        case types.MessageActionSetMessagesTTL(period=0):
            return texts.self_erasing_off
        case types.MessageActionSetMessagesTTL(period=period):
            return texts.self_erasing.format(duration=_period_text(period, texts))
        case types.MessageActionCustomAction(message=message):
            return str(message)
        case _:
            return _named_action(action, texts)


def _call_text(call: Any, texts: ChatTexts, *, is_out: bool) -> str:
    if call.duration:
        template = texts.video_call if call.video else texts.call
        return template.format(duration=duration_text(call.duration))
    if isinstance(call.reason, types.PhoneCallDiscardReasonBusy):
        return texts.declined_call
    if is_out:
        return texts.unanswered_video_call if call.video else texts.unanswered_call
    return texts.missed_video_call if call.video else texts.missed_call


def _period_text(seconds: int, texts: ChatTexts) -> str:
    days, rest = divmod(seconds, _DAY)
    return texts.days.format(count=days) if days and not rest else duration_text(seconds)


def _named_action(action: Any, texts: ChatTexts) -> str:
    name = _NAMED_ACTIONS.get(type(action))
    if name is None:
        kind = type(action).__name__.removeprefix("MessageAction")
        return texts.service.format(kind=kind)
    text: str = getattr(texts, name)
    return text
