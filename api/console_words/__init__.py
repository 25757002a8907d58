"""The words of the operator's web page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.texts import en, ru, uk

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": en.WORDS, "ru": ru.WORDS, "uk": uk.WORDS}
