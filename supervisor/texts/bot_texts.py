"""What is wrong with a bot: the texts about a number in other words, because a bot logs in by its token."""

# ruff: noqa: RUF001 - the letters are meant to be Cyrillic

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from supervisor.store.values import LastError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGIN_LOST: Final = frozenset(
    {
        *("no_session", "login_abandoned", "login_refused", "needs_login", "wrong_account"),
        *("session_revoked", "session_duplicated", "session_unknown"),
    }
)
_LOG_IN: Final[Mapping[str, str]] = {
    "en": "Operator: restart the bot; after /revoke at @BotFather, DELETE it and POST it with the new token.",
    "ru": "Оператору: перезапустить бота; после /revoke у @BotFather — DELETE, затем POST с новым токеном.",
    "uk": "Операторові: перезапустити бота; після /revoke у @BotFather — DELETE, потім POST із новим токеном.",
}
_LOST_FOR_EVER: Final = frozenset({"account_banned", "account_deactivated", "banned"})
_ANOTHER: Final[Mapping[str, str]] = {
    "en": "Client: ask @BotSupport, or make another bot at @BotFather.",
    "ru": "Клиенту: написать @BotSupport или создать другого бота у @BotFather.",
    "uk": "Клієнтові: написати @BotSupport або створити іншого бота в @BotFather.",
}
# Both words are declined alike, so that only the stem changes.
_STEM: Final = re.compile(r"\b(number|номер)", re.IGNORECASE)
_STEMS: Final[Mapping[str, str]] = {"number": "bot", "номер": "бот", "Номер": "Бот"}


def about_bot(error: LastError, language: str) -> LastError:
    """Describe a bot's trouble with the words and the actions that fit a bot."""
    action = for_bot(error.action)
    if error.code in LOGIN_LOST:
        action = _LOG_IN[language]
    elif error.code in _LOST_FOR_EVER:
        action = _ANOTHER[language]
    return LastError(error.code, for_bot(error.message), action, error.detail)


def for_bot(text: str) -> str:
    """Rewrite a text about a number so that it is about a bot."""
    return _STEM.sub(lambda found: _STEMS[found[0]], text).replace("PUT /webhook", "POST /bots")
