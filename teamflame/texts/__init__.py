"""What the TeamFlame bot writes, in each language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teamflame.texts import en, ru, uk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from teamflame.texts.bot_texts import BotTexts

_TEXTS: Mapping[str, BotTexts] = {"en": en.TEXTS, "ru": ru.TEXTS, "uk": uk.TEXTS}


def texts_of(language: str) -> BotTexts:
    return _TEXTS.get(language, en.TEXTS)
