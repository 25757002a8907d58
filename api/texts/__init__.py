"""Everything the pages say, in the language of the visitor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from quart import request

from api.context import context
from api.texts import en, ru, uk

if TYPE_CHECKING:
    from collections.abc import Container, Mapping


LOGIN_PAGE: Mapping[str, Mapping[str, str]] = {
    "en": en.LOGIN_PAGE,
    "ru": ru.LOGIN_PAGE,
    "uk": uk.LOGIN_PAGE,
}


def complain(code: str, words: Mapping[str, str], seconds: float | None = None) -> str:
    """Tell somebody who logs in what went wrong; unknown codes get the general text."""
    if code == "flood_wait" and seconds:
        return words["flood_wait_for"].format(wait=_duration(seconds, words))
    return words.get(code, words["trouble"])


def _duration(seconds: float, words: Mapping[str, str]) -> str:
    if seconds < 60:
        return f"{math.ceil(seconds)} {words['seconds']}"
    if seconds < 3600:
        return f"{math.ceil(seconds / 60)} {words['minutes']}"
    return f"{math.ceil(seconds / 3600)} {words['hours']}"


def page_language(known: Container[str]) -> str:
    """Choose the first language of the reader that there is, and English if there is none.

    A caller that names no language gets that of the gateway.
    """
    asked = [tag.lower() for tag in request.accept_languages.values() if tag]
    if not asked or asked[0] == "*":
        return context(on_standby=True).settings.language
    languages = (tag.partition("-")[0] for tag in asked)
    return next((language for language in languages if language in known), "en")


def reader_language() -> str:
    return page_language(CONSOLE)


CONSOLE: Mapping[str, Mapping[str, str]] = {"en": en.CONSOLE, "ru": ru.CONSOLE, "uk": uk.CONSOLE}
