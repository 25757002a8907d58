"""Everything the pages say, in the language of the visitor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from api.context import context
from api.requests.reasons import asked_language
from api.texts.console import en as console_en
from api.texts.console import ru as console_ru
from api.texts.console import uk as console_uk
from api.texts.login_page import en as login_en
from api.texts.login_page import ru as login_ru
from api.texts.login_page import uk as login_uk
from api.texts.values import en as values_en
from api.texts.values import ru as values_ru
from api.texts.values import uk as values_uk

if TYPE_CHECKING:
    from collections.abc import Container, Mapping


LOGIN_PAGE: Mapping[str, Mapping[str, str]] = {
    "en": login_en.LOGIN_PAGE,
    "ru": login_ru.LOGIN_PAGE,
    "uk": login_uk.LOGIN_PAGE,
}
CONSOLE: Mapping[str, Mapping[str, str]] = {
    "en": console_en.CONSOLE | values_en.VALUES,
    "ru": console_ru.CONSOLE | values_ru.VALUES,
    "uk": console_uk.CONSOLE | values_uk.VALUES,
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
    """Return the first language of the reader that is known, or English if none of them is.

    A reader that names no language gets the language of the gateway.
    """
    return asked_language(known) or context(on_standby=True).settings.language


def reader_language() -> str:
    return page_language(CONSOLE)
