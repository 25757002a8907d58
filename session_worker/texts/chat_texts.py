"""The texts that the gateway itself writes, as one value per language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChatTexts:
    """The words for things in Telegram that are not text; names in braces are filled in."""

    photo: str
    live_photo: str
    video: str
    video_note: str
    voice: str
    audio: str
    document: str
    sticker: str
    gif: str
    album: str
    location: str
    live_location: str
    contact: str
    poll: str
    quiz: str
    to_do: str
    dice: str
    game: str
    invoice: str
    story: str
    reply_to_story: str
    giveaway: str
    paid_media: str
    gone_media: str
    unsupported: str
    unknown_media: str
    empty: str
    missed_call: str
    missed_video_call: str
    unanswered_call: str
    unanswered_video_call: str
    declined_call: str
    call: str
    video_call: str
    screenshot: str
    gift: str
    payment: str
    shared: str
    self_erasing: str
    self_erasing_off: str
    days: str
    service: str
    forwarded: str
    somebody: str
    sent_by: str
    edited: str
    deleted: str
    deleted_text: str
    too_large: str
    gone_file: str
    left_out: str
    reacted: str
    unreacted: str
    custom_emoji: str
    history: str
