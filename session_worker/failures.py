"""What can go wrong on the way to Telegram: the reason, the remedy and the next try for each code."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from session_worker.backoff import Backoff
from session_worker.protocol.messages import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping


class Reason(StrEnum):
    """Why something failed, in terms that people tell apart."""

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
    FROZEN = "frozen"
    FLOOD = "flood"
    FILE_REFUSED = "file_refused"
    VOICE_FORBIDDEN = "voice_forbidden"
    UPLOAD_BROKEN = "upload_broken"
    FILE_TOO_LARGE = "file_too_large"
    FILE_EMPTY = "file_empty"
    LINK_FORBIDDEN = "link_forbidden"
    LINK_GONE = "link_gone"
    LINK_UNREACHABLE = "link_unreachable"
    STORAGE_FAILING = "storage_failing"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_REFUSED = "text_refused"
    ALREADY_SENT = "already_sent"
    TELEGRAM_FAILING = "telegram_failing"
    OFFLINE = "offline"
    NEEDS_LOGIN = "needs_login"
    CHAT_LEFT_OUT = "chat_left_out"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Remedy(StrEnum):
    """What the gateway does about a failure."""

    GIVE_UP = "give_up"
    GIVE_UP_FILE = "give_up_file"  # the rest of the message is still sent
    RETRY = "retry"  # with growing pauses, a limited number of times
    PERSIST = "persist"  # with growing pauses, as long as it takes
    WAIT = "wait"  # as long as Telegram asks for
    UPLOAD_AGAIN = "upload_again"  # a few times, then the file is given up
    AS_DOCUMENT = "as_document"  # if it already was one, the file is given up
    SINGLY = "singly"  # each item of an album by itself
    WITHOUT_MARKS = "without_marks"
    TEXT_SEPARATELY = "text_separately"
    IS_SENT = "is_sent"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a failure means and what is done about it."""

    reason: Reason
    remedy: Remedy


@dataclass(frozen=True, slots=True)
class Cause:
    """One failure, in the words of the side that reported it."""

    code: str
    detail: str = ""
    wait: float | None = None

    @property
    def entry(self) -> Entry:
        return failure_entry(self.code)


OFFLINE = "OFFLINE"
NEEDS_LOGIN = "NEEDS_LOGIN"
FAILING = "INTERNAL"
UNKNOWN = "UNKNOWN"
NOT_FOUND = "CONTACT_NOT_FOUND"
CHAT_LEFT_OUT = "CHAT_LEFT_OUT"
EXPIRED = "EXPIRED"
STORAGE_FAILING = "STORAGE_FAILING"

MOST_TRIES = 12  # with the pauses below, about 20 minutes
MOST_FILE_TRIES = 5
PAUSES = Backoff(first=1.0, longest=600.0)
LONGEST_OFFLINE_PAUSE = 60.0  # seconds; a message also waits until the account is online
LONGEST_WAIT = 24 * 3600.0  # seconds, the longest wait that Telegram may ask for

_UNKNOWN = Entry(Reason.UNKNOWN, Remedy.GIVE_UP)
_ROWS: Mapping[tuple[Reason, Remedy], str] = {
    (Reason.BLOCKED_BY_CONTACT, Remedy.GIVE_UP): "USER_IS_BLOCKED",
    (Reason.BLOCKED_BY_US, Remedy.GIVE_UP): "YOU_BLOCKED_USER",
    (Reason.CONTACT_DELETED, Remedy.GIVE_UP): "INPUT_USER_DEACTIVATED",
    (Reason.WRITING_FORBIDDEN, Remedy.GIVE_UP): (
        "CHAT_WRITE_FORBIDDEN CHAT_RESTRICTED CHAT_GUEST_SEND_FORBIDDEN CHAT_SEND_PLAIN_FORBIDDEN"
        " USER_BANNED_IN_CHANNEL USER_IS_BOT BOT_DOMAIN_INVALID"
    ),
    (Reason.PRIVACY, Remedy.GIVE_UP): "USER_PRIVACY_RESTRICTED USER_NOT_MUTUAL_CONTACT",
    (Reason.PREMIUM_ONLY, Remedy.GIVE_UP): "PRIVACY_PREMIUM_REQUIRED",
    (Reason.PAID_ONLY, Remedy.GIVE_UP): "ALLOW_PAYMENT_REQUIRED BALANCE_TOO_LOW",
    (Reason.CONTACT_UNKNOWN, Remedy.GIVE_UP): (
        "PEER_ID_INVALID USER_ID_INVALID CHAT_ID_INVALID INPUT_USER_INVALID MSG_ID_INVALID"
    ),
    (Reason.CONTACT_NOT_FOUND, Remedy.GIVE_UP): (
        "CONTACT_NOT_FOUND USERNAME_NOT_OCCUPIED USERNAME_INVALID PHONE_NOT_OCCUPIED"
        " PHONE_NUMBER_INVALID PHONE_NUMBER_UNOCCUPIED CONTACT_ID_INVALID CONTACT_MISSING"
    ),
    (Reason.CHAT_LEFT_OUT, Remedy.GIVE_UP): CHAT_LEFT_OUT,
    (Reason.SPAM_LIMIT, Remedy.GIVE_UP): "PEER_FLOOD",
    (Reason.FROZEN, Remedy.GIVE_UP): "FROZEN_METHOD_INVALID FROZEN_PARTICIPANT_MISSING",
    (Reason.FLOOD, Remedy.WAIT): (
        "FLOOD_WAIT SLOWMODE_WAIT FLOOD_PREMIUM_WAIT FLOOD_TEST_PHONE_WAIT FLOOD"
    ),
    (Reason.FILE_REFUSED, Remedy.GIVE_UP_FILE): (
        "MEDIA_EMPTY MEDIA_INVALID MEDIA_FILE_INVALID MEDIA_TYPE_INVALID MEDIA_VIDEO_STORY_MISSING"
        " EXTERNAL_URL_INVALID WEBPAGE_CURL_FAILED WEBPAGE_MEDIA_EMPTY VIDEO_CONTENT_TYPE_INVALID"
        " VIDEO_FILE_INVALID GIF_CONTENT_TYPE_INVALID FILE_CONTENT_TYPE_INVALID"
        " CHAT_SEND_MEDIA_FORBIDDEN CHAT_SEND_PHOTOS_FORBIDDEN CHAT_SEND_VIDEOS_FORBIDDEN"
        " CHAT_SEND_DOCS_FORBIDDEN CHAT_SEND_AUDIOS_FORBIDDEN FILE_TITLE_EMPTY"
    ),
    (Reason.FILE_REFUSED, Remedy.AS_DOCUMENT): (
        "PHOTO_INVALID_DIMENSIONS PHOTO_EXT_INVALID PHOTO_SAVE_FILE_INVALID PHOTO_INVALID"
        " PHOTO_CONTENT_TYPE_INVALID PHOTO_CONTENT_URL_EMPTY PHOTO_CROP_SIZE_SMALL PHOTO_FILE_MISSING"
        " IMAGE_PROCESS_FAILED"
    ),
    (Reason.VOICE_FORBIDDEN, Remedy.AS_DOCUMENT): (
        "VOICE_MESSAGES_FORBIDDEN CHAT_SEND_VOICES_FORBIDDEN CHAT_SEND_ROUNDVIDEOS_FORBIDDEN"
    ),
    (Reason.FILE_REFUSED, Remedy.SINGLY): (
        "MEDIA_GROUPED_INVALID MULTI_MEDIA_TOO_LONG MEDIA_TYPES_MIXED"
    ),
    (Reason.UPLOAD_BROKEN, Remedy.UPLOAD_AGAIN): (
        "FILE_PARTS_INVALID FILE_PART_MISSING FILE_PART_INVALID FILE_PART_EMPTY FILE_PART_SIZE_INVALID"
        " FILE_PART_SIZE_CHANGED FILE_PART_TOO_BIG FILE_PART_LENGTH_INVALID FILE_ID_INVALID"
        " FILE_REFERENCE_EXPIRED FILE_REFERENCE_EMPTY FILE_REFERENCE_INVALID MD5_CHECKSUM_INVALID"
        " FILE_PART_UNANSWERED"
    ),
    (Reason.FILE_TOO_LARGE, Remedy.GIVE_UP_FILE): "FILE_TOO_LARGE",
    (Reason.FILE_EMPTY, Remedy.GIVE_UP_FILE): "FILE_EMPTY",
    (Reason.LINK_FORBIDDEN, Remedy.GIVE_UP_FILE): "LINK_FORBIDDEN",
    (Reason.LINK_GONE, Remedy.GIVE_UP_FILE): "LINK_GONE LINK_REFUSED",
    (Reason.LINK_UNREACHABLE, Remedy.RETRY): "LINK_UNREACHABLE",
    (Reason.STORAGE_FAILING, Remedy.PERSIST): STORAGE_FAILING,
    (Reason.TEXT_EMPTY, Remedy.GIVE_UP): "MESSAGE_EMPTY",
    (Reason.TEXT_TOO_LONG, Remedy.GIVE_UP): "MESSAGE_TOO_LONG",
    (Reason.TEXT_TOO_LONG, Remedy.TEXT_SEPARATELY): "MEDIA_CAPTION_TOO_LONG",
    (Reason.TEXT_REFUSED, Remedy.WITHOUT_MARKS): (
        "ENTITY_BOUNDS_INVALID ENTITIES_TOO_LONG ENTITY_MENTION_USER_INVALID ENTITY_TYPE_INVALID"
        " ENTITY_URL_INVALID"
    ),
    (Reason.ALREADY_SENT, Remedy.IS_SENT): "RANDOM_ID_DUPLICATE",
    (Reason.TELEGRAM_FAILING, Remedy.RETRY): (
        "INTERNAL RPC_CALL_FAIL RPC_MCGET_FAIL TIMEOUT TIMED_OUT INTERDC_CALL_ERROR"
        " INTERDC_CALL_RICH_ERROR WORKER_BUSY_TOO_LONG_RETRY MSG_WAIT_FAILED PTS_CHANGE_EMPTY"
        " NEED_DOC_INVALID HISTORY_GET_FAILED STORAGE_CHECK_FAILED TYPE_NOT_FOUND"
    ),
    (Reason.OFFLINE, Remedy.PERSIST): "OFFLINE",
    (Reason.NEEDS_LOGIN, Remedy.PERSIST): (
        "NEEDS_LOGIN USER_DEACTIVATED USER_DEACTIVATED_BAN AUTH_KEY_UNREGISTERED"
        " AUTH_KEY_DUPLICATED SESSION_REVOKED"
    ),
    (Reason.EXPIRED, Remedy.GIVE_UP): "EXPIRED",
    (Reason.UNKNOWN, Remedy.GIVE_UP): "UNKNOWN",
}
TABLE: Mapping[str, Entry] = {
    code: Entry(*entry) for entry, codes in _ROWS.items() for code in codes.split()
}
# Codes that Telegram may add later, recognised by how they begin.
_FAMILIES: Mapping[str, Entry] = {
    "PHOTO_": Entry(Reason.FILE_REFUSED, Remedy.AS_DOCUMENT),
    "IMAGE_": Entry(Reason.FILE_REFUSED, Remedy.AS_DOCUMENT),
    "MEDIA_": Entry(Reason.FILE_REFUSED, Remedy.GIVE_UP_FILE),
    "VIDEO_": Entry(Reason.FILE_REFUSED, Remedy.GIVE_UP_FILE),
    "FILE_": Entry(Reason.UPLOAD_BROKEN, Remedy.UPLOAD_AGAIN),
    "ENTITY_": Entry(Reason.TEXT_REFUSED, Remedy.WITHOUT_MARKS),
    "ENTITIES_": Entry(Reason.TEXT_REFUSED, Remedy.WITHOUT_MARKS),
    "CHAT_SEND_": Entry(Reason.WRITING_FORBIDDEN, Remedy.GIVE_UP),
    "FLOOD_": Entry(Reason.FLOOD, Remedy.WAIT),
}
_NUMBER = re.compile(r"_\d+(?=_|$)")
_FILE_REMEDIES = frozenset({Remedy.GIVE_UP_FILE, Remedy.UPLOAD_AGAIN, Remedy.AS_DOCUMENT})


def failure_entry(code: str) -> Entry:
    """Look up a code; numbers in the code do not matter."""
    code = _NUMBER.sub("", code)
    family = next((entry for name, entry in _FAMILIES.items() if code.startswith(name)), _UNKNOWN)
    return TABLE.get(code, family)


_OF_STORAGE = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        *(errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE),
    }
)


def is_of_storage(error: Exception) -> bool:
    """Whether the disk is full or fails, so that the same work may succeed later."""
    return isinstance(error, OSError) and error.errno in _OF_STORAGE


def is_known(code: str) -> bool:
    """Whether the table or a family of codes says anything about this code."""
    return failure_entry(code) is not _UNKNOWN


def concerns_file(cause: Cause) -> bool:
    """Whether the rest of the message can still be sent."""
    return cause.entry.remedy in _FILE_REMEDIES or cause.code.startswith("LINK_")


def judge(cause: Cause, tries: int, now: float, pauses: Backoff = PAUSES) -> Failure:
    """Decide whether there is another try after this many, and when."""
    pause = _pause(cause, tries, pauses)
    next_try = None if pause is None else now + pause
    return Failure(code=cause.code, detail=cause.detail, next_try=next_try)


def _pause(cause: Cause, tries: int, pauses: Backoff) -> float | None:
    own = pauses.pause(tries)
    match cause.entry.remedy:
        case Remedy.WAIT:
            return own if cause.wait is None else min(cause.wait, LONGEST_WAIT)
        case Remedy.PERSIST:
            return max(min(own, LONGEST_OFFLINE_PAUSE), cause.wait or 0.0)
        case Remedy.RETRY if tries < (MOST_FILE_TRIES if concerns_file(cause) else MOST_TRIES):
            return own
        case Remedy.UPLOAD_AGAIN if tries < MOST_FILE_TRIES:
            return own
        case _:
            return None
