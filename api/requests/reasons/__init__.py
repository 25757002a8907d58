"""Why the API refuses a call, in the language of the reader; each reason is known by its English text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from quart import has_request_context, request

from api.requests.reasons import ru, uk

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

# By language; {} stands for a value, or for a reason of its own.
REASONS: Mapping[str, Mapping[str, str]] = {"ru": ru.REASONS, "uk": uk.REASONS}
LONGEST_REASON = 500
"""Characters. A longer one quotes what a caller sent, and could take very long to be compared."""
_SUBJECTS = {
    "en": (("number", "bot"),),
    # The forms of the words differ in nothing else.
    "ru": (("номер", "бот"), ("Номер", "Бот")),
    "uk": (("номер", "бот"), ("Номер", "Бот")),
}


def asked_language(known: Container[str]) -> str | None:
    """Return the first language of the reader that is known, or English; None if the reader names none."""
    asked = [tag.lower() for tag in request.accept_languages.values() if tag]
    if not asked or asked[0] == "*":
        return None
    languages = (tag.partition("-")[0] for tag in asked)
    return next((language for language in languages if language in known), "en")


def reason_language() -> str:
    """Return the language of the caller, or English, because programs name none."""
    if not has_request_context():  # a WebSocket, which is refused
        return "en"
    return asked_language({"en", *REASONS}) or "en"


def translate_reason(english: str, language: str) -> str:
    """Translate a reason into this language; an unknown one stays as it is."""
    reasons = REASONS.get(language, {})
    if not reasons or english in reasons or len(english) > LONGEST_REASON:
        return reasons.get(english, english)
    for pattern, shape in _SHAPES:
        found = shape.fullmatch(english)
        if found:
            values = (translate_reason(each, language) for each in found.groups())
            return reasons[pattern].format(*values)
    return english


def rewrite_for_bot(reason: str, language: str) -> str:
    """Rewrite a reason about a number so that it is about a bot."""
    for number, bot in _SUBJECTS[language]:
        reason = reason.replace(number, bot)
    return reason


def _shape_of(pattern: str) -> re.Pattern[str]:
    return re.compile("(.+?)".join(map(re.escape, pattern.split("{}"))), re.DOTALL)


# The patterns of reasons with values; the longest come first, because they are the most specific.
_SHAPES = [
    (pattern, _shape_of(pattern))
    for pattern in sorted(ru.REASONS, key=len, reverse=True)
    if "{}" in pattern
]
