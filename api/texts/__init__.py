"""The words of the page on which clients log in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from api.page_words import en, ru, uk

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": en.WORDS, "ru": ru.WORDS, "uk": uk.WORDS}


def complain(code: str, words: Mapping[str, str], seconds: float | None = None) -> str:
    """Say what went wrong to somebody who logs in; what has no words of its own may pass."""
    if code == "flood_wait" and seconds:
        return words["flood_wait_for"].format(wait=_duration(seconds, words))
    return words.get(code, words["trouble"])


def _duration(seconds: float, words: Mapping[str, str]) -> str:
    if seconds < 60:
        return f"{math.ceil(seconds)} {words['seconds']}"
    if seconds < 3600:
        return f"{math.ceil(seconds / 60)} {words['minutes']}"
    return f"{math.ceil(seconds / 3600)} {words['hours']}"
