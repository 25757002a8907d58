"""Telethon's errors become ours by what has to happen next."""

from __future__ import annotations

import struct
from asyncio import IncompleteReadError

import pytest
from telethon import errors as telethon_errors
from telethon.errors import rpc_message_to_error
from telethon.tl.types import RpcError

from session_worker.protocol.contract import SessionState, TroubleCode
from session_worker.telegram.errors import (
    Deaf,
    FloodWait,
    NeedsLogin,
    PasswordNeeded,
    PeerUnknown,
    Refused,
    TelegramError,
    TemporarilyFailed,
    Undecodable,
    Unreachable,
    is_known,
    state_without_session,
    translate,
    trouble_of,
)


def answered(code: int, text: str) -> TelegramError:
    """What Telegram's answer means to us."""
    return translate(rpc_message_to_error(RpcError(code, text), None))


def transport(code: int) -> TelegramError:
    return translate(telethon_errors.InvalidBufferError(struct.pack("<i", -code)))


@pytest.mark.parametrize(
    ("code", "text", "trouble", "state"),
    [
        (401, "AUTH_KEY_UNREGISTERED", TroubleCode.REVOKED, SessionState.NEEDS_LOGIN),
        (401, "SESSION_REVOKED", TroubleCode.REVOKED, SessionState.NEEDS_LOGIN),
        (401, "SESSION_EXPIRED", TroubleCode.REVOKED, SessionState.NEEDS_LOGIN),
        (401, "SOMETHING_NEW", TroubleCode.REVOKED, SessionState.NEEDS_LOGIN),
        (406, "AUTH_KEY_DUPLICATED", TroubleCode.DUPLICATED, SessionState.NEEDS_LOGIN),
        (401, "USER_DEACTIVATED_BAN", TroubleCode.BANNED, SessionState.BANNED),
        (400, "PHONE_NUMBER_BANNED", TroubleCode.BANNED, SessionState.BANNED),
        (401, "USER_DEACTIVATED", TroubleCode.DEACTIVATED, SessionState.BANNED),
    ],
)
def test_each_loss_of_a_session_is_told_apart(
    code: int, text: str, trouble: TroubleCode, state: SessionState
) -> None:
    """Who must do what depends on how the session was lost."""
    error = answered(code, text)

    assert isinstance(error, NeedsLogin)
    assert error.trouble.code is trouble
    assert state_without_session(error.trouble) is state


def test_a_key_telegram_does_not_know_needs_a_login() -> None:
    """The transport's -404 is a lost session, whichever way the library puts it."""
    for error in (transport(404), translate(telethon_errors.AuthKeyNotFound())):
        assert isinstance(error, NeedsLogin)
        assert error.trouble.code is TroubleCode.KEY_UNKNOWN


def test_a_transport_flood_is_waited_out() -> None:
    """The transport's -429 loses no session, but nothing may be tried for a while."""
    error = transport(429)

    assert isinstance(error, Unreachable)
    assert trouble_of(error).code is TroubleCode.REJECTED
    assert (trouble_of(error).retry_after or 0) >= 60


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("FLOOD_WAIT_30", 30), ("SLOWMODE_WAIT_5", 5), ("FLOOD_PREMIUM_WAIT_3", 3), ("FLOOD", None)],
)
def test_a_flood_wait_carries_its_seconds(text: str, seconds: int | None) -> None:
    """How long to wait is told where Telegram told it."""
    error = answered(420, text)

    assert isinstance(error, FloodWait)
    assert error.seconds == seconds


@pytest.mark.parametrize(
    ("code", "text"), [(500, "INTERDC_2_CALL_ERROR"), (503, "Timeout"), (-500, "No workers")]
)
def test_telegrams_own_trouble_passes(code: int, text: str) -> None:
    """What Telegram could not do now it may do later."""
    assert isinstance(answered(code, text), TemporarilyFailed)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (400, "PEER_FLOOD"),
        (403, "USER_PRIVACY_RESTRICTED"),
        (403, "CHAT_WRITE_FORBIDDEN"),
        (400, "SOMETHING_NEW"),
    ],
)
def test_a_refusal_keeps_telegrams_own_word(code: int, text: str) -> None:
    """The word is what tables of texts are looked up by."""
    error = answered(code, text)

    assert isinstance(error, Refused)
    assert (error.code, error.text) == (code, text)


def test_a_number_inside_a_word_is_left_out() -> None:
    """Words with a number in them are one entry in any table."""
    error = answered(400, "FILE_PART_7_MISSING")

    assert isinstance(error, Refused)
    assert error.text == "FILE_PART_MISSING"


def test_a_peer_without_a_hash_is_unknown() -> None:
    """Telegram's refusal of a peer is the same as the library's own."""
    local = translate(ValueError("Could not find the input entity for PeerUser(1)"))

    assert isinstance(answered(400, "PEER_ID_INVALID"), PeerUnknown)
    assert isinstance(local, PeerUnknown)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        IncompleteReadError(b"", 8),
        telethon_errors.SecurityError("wrong session"),
    ],
)
def test_trouble_on_the_line_is_unreachable(error: Exception) -> None:
    """Whether such a request was carried out is unknown."""
    assert isinstance(translate(error), Unreachable)
    assert is_known(error)


def test_a_password_is_asked_for_apart() -> None:
    """A missing password is a step of the login, not a lost session."""
    assert isinstance(answered(401, "SESSION_PASSWORD_NEEDED"), PasswordNeeded)


def test_a_bug_is_neither_hidden_nor_named_telegrams() -> None:
    """What nobody foresaw is refused under its own name."""
    error = translate(KeyError("pts"))

    assert isinstance(error, Refused)
    assert "KeyError" in error.text
    assert not is_known(KeyError("pts"))


def test_each_error_of_a_line_has_its_trouble() -> None:
    """What is shown differs for a cut, a deaf line, a refusal, a wait."""
    assert trouble_of(Unreachable("cut")).code is TroubleCode.UNREACHABLE
    assert trouble_of(TemporarilyFailed("x")).code is TroubleCode.FAILING
    assert trouble_of(Undecodable(1)).code is TroubleCode.LAYER
    assert trouble_of(Deaf("x")).code is TroubleCode.DEAF
    assert trouble_of(Refused(400, "API_ID_INVALID")).code is TroubleCode.REJECTED
    assert trouble_of(FloodWait(7, "FLOOD_WAIT")).retry_after == 7
