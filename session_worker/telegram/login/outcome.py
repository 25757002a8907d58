"""What a step of a login can lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.protocol.contract import Trouble, TroubleCode
from session_worker.protocol.login import LoginFailure
from session_worker.session import SessionEnded
from session_worker.telegram.errors import (
    FloodWait,
    NeedsLogin,
    Refused,
    TelegramError,
    TemporarilyFailed,
    Unreachable,
    state_without_session,
    trouble_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from session_worker.protocol.contract import KeySaved


class CodeInvalid(TelegramError):
    """The code is wrong; another may be tried."""


class CodeExpired(TelegramError):
    """The code no longer counts: a new one must be sent."""


class PasswordInvalid(TelegramError):
    """The password is wrong; another may be tried."""


@dataclass(frozen=True, slots=True)
class CodeSent:
    """Telegram has sent a code to the phone's owner."""


@dataclass(frozen=True, slots=True)
class PasswordWanted:
    """The code was right; the account's password must follow."""

    hint: str


@dataclass(frozen=True, slots=True)
class QrCode:
    """What the phone's owner scans, until it expires."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The session that may now be stored."""

    key: KeySaved


_FLOODS = frozenset({"PHONE_NUMBER_FLOOD", "PHONE_PASSWORD_FLOOD"})
_FAILURES: tuple[tuple[type[TelegramError], LoginFailure], ...] = (
    (CodeInvalid, LoginFailure.CODE_INVALID),
    (CodeExpired, LoginFailure.CODE_EXPIRED),
    (PasswordInvalid, LoginFailure.PASSWORD_INVALID),
    (FloodWait, LoginFailure.FLOOD),
    (Unreachable, LoginFailure.UNREACHABLE),
    (TemporarilyFailed, LoginFailure.UNREACHABLE),
)


def failure_of(error: TelegramError) -> LoginFailure:
    """Name what a failed step means for the login."""
    match error:
        case NeedsLogin(trouble=Trouble(code=TroubleCode.WRONG_ACCOUNT)):
            return LoginFailure.WRONG_ACCOUNT
        case Refused(text=text) if text in _FLOODS:
            return LoginFailure.FLOOD
        case _:
            found = (failure for kind, failure in _FAILURES if isinstance(error, kind))
            return next(found, LoginFailure.REFUSED)


def ending_of(error: TelegramError) -> SessionEnded:
    """Say how the number is left behind by a login that failed for good."""
    match error:
        case NeedsLogin() | Unreachable() | TemporarilyFailed():
            trouble = trouble_of(error)
        case _:
            trouble = Trouble(code=TroubleCode.LOGIN_REFUSED, detail=str(error))
    return SessionEnded(state_without_session(trouble), trouble)
