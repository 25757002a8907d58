"""The reasons for which a message does not arrive."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """Why, in terms that people tell apart."""

    BLOCKED_BY_CONTACT = "blocked_by_contact"
    BLOCKED_BY_US = "blocked_by_us"
    CONTACT_DELETED = "contact_deleted"
    WRITING_FORBIDDEN = "writing_forbidden"
    PRIVACY = "privacy"
    PREMIUM_ONLY = "premium_only"
    PAID_ONLY = "paid_only"
    CONTACT_UNKNOWN = "contact_unknown"
    CONTACT_NOT_FOUND = "contact_not_found"
    SPAM_LIMIT = "spam_limit"
    FLOOD = "flood"
    FILE_REFUSED = "file_refused"
    VOICE_FORBIDDEN = "voice_forbidden"
    UPLOAD_BROKEN = "upload_broken"
    FILE_TOO_LARGE = "file_too_large"
    FILE_EMPTY = "file_empty"
    LINK_FORBIDDEN = "link_forbidden"
    LINK_GONE = "link_gone"
    LINK_UNREACHABLE = "link_unreachable"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_REFUSED = "text_refused"
    ALREADY_SENT = "already_sent"
    TELEGRAM_FAILING = "telegram_failing"
    OFFLINE = "offline"
    NEEDS_LOGIN = "needs_login"
    UNKNOWN = "unknown"


class Texts(NamedTuple):
    """The same failure, told to two readers."""

    employee: str
    operator: str
