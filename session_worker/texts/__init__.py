"""What the gateway itself writes into chats, in the languages it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.texts import en, ru, uk

if TYPE_CHECKING:
    from session_worker.texts.chat_texts import Words

_BOOKS = {"en": en.WORDS, "ru": ru.WORDS, "uk": uk.WORDS}


def words_of(language: str) -> Words:
    """Open the book of a language."""
    return _BOOKS[language]
