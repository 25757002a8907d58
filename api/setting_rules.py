"""The rules that a setting's value must meet, with the sentences said when it does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

LANGUAGES = ("en", "ru", "uk")
HINTS = {
    "admin_key": "choose a long random text, the operator's key for starting numbers",
    "secret_key": (
        "32 random bytes in URL-safe base64, made by: "
        'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
    ),
    "telegram_api_id": "get it for your application at my.telegram.org, or set SANDBOX=1",
    "telegram_api_hash": "get it for your application at my.telegram.org, or set SANDBOX=1",
}
_LOCALES = re.compile(r"[A-Za-z]{1,8}([_.@:][\w.@:-]*)+|C|POSIX")
_WHERE = "Set it in the environment or in .env."


def pick_language(value: Any) -> Any:
    """Take `uk`, or the first language we have from a desktop's list such as `uk_UA:en`."""
    if value in LANGUAGES or not isinstance(value, str) or not _LOCALES.fullmatch(value):
        return value
    wanted = (re.split(r"[_.@]", part)[0] for part in value.split(":"))
    return next((language for language in wanted if language in LANGUAGES), "ru")


def in_words(exc: ValidationError) -> str:
    lines = ["The gateway can not start:"]
    for error in exc.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in error["loc"]).upper()
        said = error["msg"].removeprefix("Value error, ")
        lines.append(f"  {name}: {said}" if name else "  " + said.replace("\n", "\n  "))
    return "\n".join([*lines, _WHERE])
