"""Troubles of a number and failures of a message, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.store.values import LastError
from supervisor.words import en, ru, uk

if TYPE_CHECKING:
    from collections.abc import Mapping

Words = tuple[str, str]

_BOOKS: Mapping[str, tuple[Mapping[str, Words], Words]] = {
    "en": (en.WORDS, en.PARKED),
    "ru": (ru.WORDS, ru.PARKED),
    "uk": (uk.WORDS, uk.PARKED),
}


def describe(code: str, language: str, detail: str = "", *, parked: bool = False) -> LastError:
    """Say it in a language we have; a worker that ended too often needs a person to go on."""
    words, of_parked = _BOOKS[language]
    message, action = words[code]
    if detail:
        message = f"{message} ({detail})"
    if parked:
        message, action = f"{message} {of_parked[0]}", of_parked[1]
    return LastError(code, message, action)
