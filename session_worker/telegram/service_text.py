"""What stands in words for things that happen in a chat without being written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.telegram.reading.media_text import duration_text

if TYPE_CHECKING:
    from session_worker.texts.chat_texts import Words

# The looks of the chat, its order, its history on this side: nobody says anything by them.
SILENT = (
    types.MessageActionEmpty,
    types.MessageActionHistoryClear,
    types.MessageActionPinMessage,
    types.MessageActionContactSignUp,
    types.MessageActionSetChatTheme,
    types.MessageActionSetChatWallPaper,
    types.MessageActionBotAllowed,
)
_NAMED = {
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


def service_text(action: Any, words: Words, *, is_out: bool) -> str:
    """Describe an event in a private chat; empty for one that says nothing."""
    match action:
        case action if isinstance(action, SILENT):
            return ""
        case types.MessageActionPhoneCall():
            return _call_text(action, words, is_out=is_out)
        case types.MessageActionSetMessagesTTL(period=0):
            return words.self_erasing_off
        case types.MessageActionSetMessagesTTL(period=period):
            return words.self_erasing.format(duration=_period_text(period))
        case types.MessageActionCustomAction(message=message):
            return str(message)
        case _:
            return _named(action, words)


def _call_text(call: Any, words: Words, *, is_out: bool) -> str:
    if call.duration:
        told = words.video_call if call.video else words.call
        return told.format(duration=duration_text(call.duration))
    if isinstance(call.reason, types.PhoneCallDiscardReasonBusy):
        return words.declined_call
    if is_out:
        return words.unanswered_video_call if call.video else words.unanswered_call
    return words.missed_video_call if call.video else words.missed_call


def _period_text(seconds: int) -> str:
    days, rest = divmod(seconds, _DAY)
    return f"{days} d" if days and not rest else duration_text(seconds)


def _named(action: Any, words: Words) -> str:
    name = _NAMED.get(type(action))
    if name is None:
        kind = type(action).__name__.removeprefix("MessageAction")
        return words.service.format(kind=kind)
    text: str = getattr(words, name)
    return text
