"""What the gateway itself writes into chats, in each of its languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.texts import en, ru, uk

if TYPE_CHECKING:
    from session_worker.texts.chat_texts import ChatTexts

_LANGUAGES = {"en": en.TEXTS, "ru": ru.TEXTS, "uk": uk.TEXTS}


def texts_of(language: str) -> ChatTexts:
    """Return the texts of a language."""
    return _LANGUAGES[language]
