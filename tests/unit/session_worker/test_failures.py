"""The table of failures, with the words for each."""

from __future__ import annotations

import re

import pytest

from session_worker.backoff import Backoff
from session_worker.failures import (
    LONGEST_WAIT,
    MOST_FILE_TRIES,
    MOST_TRIES,
    TABLE,
    Cause,
    Reason,
    Remedy,
    concerns_file,
    failure_entry,
    is_known,
    judge,
)
from supervisor.texts import employee_text, operator_text

LANGUAGES = ["en", "ru", "uk"]
NOW = 1_700_000_000.0
NAMED_BY_THE_ISSUE = [
    *("FLOOD_WAIT", "SLOWMODE_WAIT", "PEER_FLOOD", "USER_IS_BLOCKED", "YOU_BLOCKED_USER"),
    *("INPUT_USER_DEACTIVATED", "USER_DEACTIVATED", "CHAT_WRITE_FORBIDDEN"),
    *("USER_PRIVACY_RESTRICTED", "PRIVACY_PREMIUM_REQUIRED", "ALLOW_PAYMENT_REQUIRED"),
    *("PEER_ID_INVALID", "MEDIA_EMPTY", "MEDIA_INVALID", "PHOTO_INVALID_DIMENSIONS"),
    *("PHOTO_EXT_INVALID", "PHOTO_SAVE_FILE_INVALID", "IMAGE_PROCESS_FAILED"),
    *("FILE_PARTS_INVALID", "FILE_PART_MISSING", "FILE_REFERENCE_EXPIRED", "MESSAGE_EMPTY"),
    *("MESSAGE_TOO_LONG", "MEDIA_CAPTION_TOO_LONG", "ENTITY_BOUNDS_INVALID"),
    *("RANDOM_ID_DUPLICATE", "VOICE_MESSAGES_FORBIDDEN", "INTERNAL", "TIMEOUT", "OFFLINE"),
    *("NEEDS_LOGIN", "UNKNOWN", "LINK_FORBIDDEN", "LINK_GONE", "LINK_UNREACHABLE"),
    *("FILE_TOO_LARGE", "FILE_EMPTY", "CONTACT_NOT_FOUND"),
]


@pytest.mark.parametrize("code", NAMED_BY_THE_ISSUE)
def test_code_has_its_entry(code: str) -> None:
    """Every failure that was named has an entry of its own."""
    assert code in TABLE


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", sorted(TABLE))
def test_code_has_words(code: str, language: str) -> None:
    """Both readers get a sentence in each language."""
    for words in (employee_text(code, language), operator_text(code, language)):
        assert words.endswith(".")
        assert len(words) > 15


@pytest.mark.parametrize("reason", Reason)
def test_reason_is_used(reason: Reason) -> None:
    """There are no words for reasons that never occur."""
    assert reason in {entry.reason for entry in TABLE.values()}


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_words_are_in_their_language(language: str) -> None:
    """No text was left untranslated."""
    for code in TABLE:
        for words in (employee_text(code, language), operator_text(code, language)):
            assert re.search("[\u0430-\u044f]{4}", words)
            assert words not in {employee_text(code, "en"), operator_text(code, "en")}


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("FLOOD_WAIT_42", Remedy.WAIT),
        ("ALLOW_PAYMENT_REQUIRED_250", Remedy.GIVE_UP),
        ("FILE_PART_7_MISSING", Remedy.UPLOAD_AGAIN),
        ("PHOTO_OF_A_NEW_KIND", Remedy.AS_DOCUMENT),
        ("MEDIA_OF_A_NEW_KIND", Remedy.GIVE_UP_FILE),
        ("NEVER_HEARD_OF", Remedy.GIVE_UP),
    ],
)
def test_unlisted_codes_find_their_way(code: str, remedy: Remedy) -> None:
    """Numbers in a code are no matter; a new one of a known family is treated like it."""
    assert failure_entry(code).remedy is remedy


def test_unknown_code_is_not_known() -> None:
    """A code that tells nothing is recognised as such."""
    assert not is_known("NEVER_HEARD_OF")
    assert is_known("PHOTO_OF_A_NEW_KIND")


@pytest.mark.parametrize("code", ["USER_IS_BLOCKED", "PEER_FLOOD", "NEVER_HEARD_OF"])
def test_refusal_for_good_is_not_repeated(code: str) -> None:
    """What will be refused again is not tried again."""
    assert judge(Cause(code), 1, NOW).next_try is None


def test_wait_is_what_telegram_says() -> None:
    """The wait that was named is kept, up to a limit; unnamed ones are ours to choose."""
    assert judge(Cause("FLOOD_WAIT", wait=42.0), 1, NOW).next_try == NOW + 42
    assert judge(Cause("FLOOD_WAIT", wait=1e9), 9, NOW).next_try == NOW + LONGEST_WAIT
    assert (judge(Cause("FLOOD_WAIT"), 1, NOW).next_try or 0) > NOW


def test_pauses_grow() -> None:
    """Trouble that lasts is met with longer and longer pauses."""
    steady = Backoff(first=1, longest=600)

    pauses = [(judge(Cause("INTERNAL"), n, NOW, steady).next_try or 0) - NOW for n in (1, 4, 8)]

    assert 0.5 <= pauses[0] <= 1
    assert 4 <= pauses[1] <= 8
    assert 64 <= pauses[2] <= 128


@pytest.mark.parametrize(
    ("code", "most"),
    [
        ("INTERNAL", MOST_TRIES),
        ("LINK_UNREACHABLE", MOST_FILE_TRIES),
        ("FILE_REFERENCE_EXPIRED", MOST_FILE_TRIES),
    ],
)
def test_trouble_is_given_up_in_the_end(code: str, most: int) -> None:
    """A message that fails again and again does not block its chat for ever."""
    assert judge(Cause(code), most - 1, NOW).next_try is not None
    assert judge(Cause(code), most, NOW).next_try is None


@pytest.mark.parametrize("code", ["OFFLINE", "NEEDS_LOGIN"])
def test_offline_is_never_given_up(code: str) -> None:
    """Without a line nothing is lost, however long it takes."""
    assert judge(Cause(code), 1_000_000, NOW).next_try is not None


@pytest.mark.parametrize("code", ["MEDIA_INVALID", "FILE_EMPTY", "LINK_GONE", "LINK_UNREACHABLE"])
def test_failures_of_files_leave_the_rest(code: str) -> None:
    """A file that fails is told apart from a chat that does."""
    assert concerns_file(Cause(code))
    assert not concerns_file(Cause("USER_IS_BLOCKED"))
