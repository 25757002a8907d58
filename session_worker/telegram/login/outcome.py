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
    """The code is wrong; another one may be entered."""


class CodeExpired(TelegramError):
    """The code is no longer valid: a new one must be sent."""


class PasswordInvalid(TelegramError):
    """The password is wrong; another one may be entered."""


@dataclass(frozen=True, slots=True)
class CodeSent:
    """Telegram has sent a code to the owner of the phone."""


@dataclass(frozen=True, slots=True)
class PasswordWanted:
    """The code was correct; the account's password must follow."""

    hint: str


@dataclass(frozen=True, slots=True)
class QrCode:
    """What the owner of the phone scans, until it expires."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The session, which may now be stored."""

    key: KeySaved
    username: str | None = None


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
    """Return what a failed step means for the login."""
    match error:
        case NeedsLogin(trouble=Trouble(code=TroubleCode.WRONG_ACCOUNT)):
            return LoginFailure.WRONG_ACCOUNT
        case Refused(text=text) if text in _FLOODS:
            return LoginFailure.FLOOD
        case _:
            found = (failure for kind, failure in _FAILURES if isinstance(error, kind))
            return next(found, LoginFailure.REFUSED)


def ending_of(error: TelegramError) -> SessionEnded:
    """Return the state in which a login that failed for good leaves the number."""
    match error:
        case NeedsLogin() | Unreachable() | TemporarilyFailed():
            trouble = trouble_of(error)
        case _:
            trouble = Trouble(code=TroubleCode.LOGIN_REFUSED, detail=str(error))
    return SessionEnded(state_without_session(trouble), trouble)
