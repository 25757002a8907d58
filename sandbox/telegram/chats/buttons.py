"""The buttons beneath a message, and the keyboard that takes the place of the phone's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from telethon.tl import types

from sandbox.telegram.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.telegram.accounts.accounts import Account

LONGEST_DATA = 64  # bytes
MOST_BUTTONS = 100
_KEYBOARDS = (types.ReplyKeyboardMarkup, types.ReplyKeyboardHide, types.ReplyKeyboardForceReply)

# What only a person alone with the bot can use.
_PRIVATE = (
    types.InlineButtonTypeWebView,
    types.ButtonTypeSimpleWebView,
    types.ButtonTypeRequestPhone,
)


def checked_markup(author: Account, markup: Any, *, is_private: bool) -> Any:
    """Return the buttons that a message gets in such a chat; those of a person's message are dropped."""
    if markup is None or not author.bot:
        return None
    buttons = list(buttons_of(markup))
    if isinstance(markup, types.ReplyInlineMarkup):
        if not buttons:
            return None
        for button in buttons:
            _check_inline(button)
    elif not isinstance(markup, _KEYBOARDS):
        raise RpcError("REPLY_MARKUP_INVALID")
    _check(buttons, is_private=is_private)
    return markup


def _check(buttons: list[Any], *, is_private: bool) -> None:
    if len(buttons) > MOST_BUTTONS:
        raise RpcError("REPLY_MARKUP_TOO_LONG")
    if not all(button.text.strip() for button in buttons):
        raise RpcError("BUTTON_TEXT_INVALID")
    if not is_private and any(isinstance(button.type, _PRIVATE) for button in buttons):
        raise RpcError("BUTTON_TYPE_INVALID")


def buttons_of(markup: Any) -> Iterator[Any]:
    for row in getattr(markup, "rows", ()):
        yield from row.buttons


def button_at(markup: Any, row: int, column: int) -> Any:
    """Return a button by its place; raise RpcError if there is none."""
    rows = getattr(markup, "rows", ())
    if not (0 <= row < len(rows) and 0 <= column < len(rows[row].buttons)):
        raise RpcError("BUTTON_INVALID")
    return rows[row].buttons[column]


def has_callback(markup: Any, data: bytes) -> bool:
    """Whether a message has a button that sends this data."""
    kinds = (getattr(button, "type", None) for button in buttons_of(markup))
    return any(isinstance(k, types.InlineButtonTypeCallback) and k.data == data for k in kinds)


def describe(markup: Any) -> list[list[dict[str, Any]]]:
    """Describe the buttons for the control calls."""
    return [[_describe(button) for button in row.buttons] for row in getattr(markup, "rows", ())]


def _describe(button: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"text": button.text}
    match button.type:
        case types.InlineButtonTypeCallback(data=data):
            shown["data"] = data.decode(errors="backslashreplace")
        case types.InlineButtonTypeUrl(url=url):
            shown["url"] = url
        case types.InlineButtonTypeWebView(url=url) | types.ButtonTypeSimpleWebView(url=url):
            shown["web_app"] = url
        case types.InlineButtonTypeCopy():
            shown["copy"] = button.type.copy_text
        case types.ButtonTypeRequestPhone():
            shown["request_phone"] = True
        case _:
            pass
    return shown


def _check_inline(button: Any) -> None:
    match button.type:
        case types.InlineButtonTypeCallback(data=data) if not 0 < len(data) <= LONGEST_DATA:
            raise RpcError("BUTTON_DATA_INVALID")
        case types.InlineButtonTypeUrl(url=url) if not _is_address(url, "http", "https", "tg"):
            raise RpcError("BUTTON_URL_INVALID")
        # Telegram's test environment takes plain HTTP too, as this one does.
        case types.InlineButtonTypeWebView(url=url) if not _is_address(url, "http", "https"):
            raise RpcError("BUTTON_URL_INVALID")
        case _:
            pass


def _is_address(url: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc)
