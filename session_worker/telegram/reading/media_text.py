"""Describes media and service actions as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.telegram.reading.files import Document, DocumentKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_worker.texts.chat_texts import ChatTexts


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


# These concern the look of the chat, its order or its history here: nobody says anything by them.
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
            return texts.self_erasing.format(duration=_period_text(period))
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


def _period_text(seconds: int) -> str:
    days, rest = divmod(seconds, _DAY)
    return f"{days} d" if days and not rest else duration_text(seconds)


def _named_action(action: Any, texts: ChatTexts) -> str:
    name = _NAMED_ACTIONS.get(type(action))
    if name is None:
        kind = type(action).__name__.removeprefix("MessageAction")
        return texts.service.format(kind=kind)
    text: str = getattr(texts, name)
    return text
