"""A login as it crosses the pipe: what a person does and what Telegram answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from session_worker.protocol.pipe_fields import (
    CommandText,
    Detail,
    Int64,
    Label,
    PipeValue,
    QrLink,
    Seconds,
)


class LoginStage(StrEnum):
    """How far a login has come."""

    CODE_SENT = "code_sent"
    QR_SHOWN = "qr_shown"
    PASSWORD_WANTED = "password_wanted"  # noqa: S105 - a stage, not a secret
    LOGGED_IN = "logged_in"
    LOGGED_OUT = "logged_out"


class LoginFailure(StrEnum):
    """Why a step of a login failed."""

    CODE_INVALID = "code_invalid"
    CODE_EXPIRED = "code_expired"
    PASSWORD_INVALID = "password_invalid"  # noqa: S105 - a failure, not a secret
    FLOOD = "flood_wait"
    WRONG_ACCOUNT = "wrong_account"
    REFUSED = "login_refused"
    UNREACHABLE = "telegram_unreachable"
    OUT_OF_TURN = "not_logging_in"


FINAL_FAILURES = frozenset(
    {LoginFailure.CODE_EXPIRED, LoginFailure.REFUSED, LoginFailure.WRONG_ACCOUNT}
)
"""Failures after which the login must start again."""


class LoginByCode(PipeValue):
    """Command: make Telegram send a code; give up after so many seconds without a step."""

    kind: Literal["login_by_code"] = "login_by_code"
    request_id: int
    patience: float


class LoginByQr(PipeValue):
    """Command: show QR codes while somebody watches; after a scan, wait as long as after a code."""

    kind: Literal["login_by_qr"] = "login_by_qr"
    request_id: int
    patience: float
    patience_unwatched: float


class LoginByToken(PipeValue):
    """Command: log a bot in with the token that Telegram gave its owner."""

    kind: Literal["login_by_token"] = "login_by_token"
    request_id: int
    token: CommandText = Field(repr=False)


class WatchQr(PipeValue):
    """Command: somebody is still looking at the QR code."""

    kind: Literal["watch_qr"] = "watch_qr"


class EnterCode(PipeValue):
    """Command: the code that the number's owner has received."""

    kind: Literal["enter_code"] = "enter_code"
    request_id: int
    code: CommandText = Field(repr=False)


class EnterPassword(PipeValue):
    """Command: the account's password, which Telegram asks for after the code."""

    kind: Literal["enter_password"] = "enter_password"
    request_id: int
    password: CommandText = Field(repr=False)


class LogOut(PipeValue):
    """Command: end the session at Telegram."""

    kind: Literal["log_out"] = "log_out"
    request_id: int


class LoginMoved(PipeValue):
    """Event: the login has reached this stage; without a request id nobody asked for it."""

    kind: Literal["login_moved"] = "login_moved"
    request_id: Int64 | None = None
    stage: LoginStage
    qr_url: QrLink | None = Field(default=None, repr=False)
    expires_at: AwareDatetime | None = None
    hint: Detail = ""
    username: Label | None = None


class LoginFailed(PipeValue):
    """Event: a step failed, in Telegram's own words."""

    kind: Literal["login_failed"] = "login_failed"
    request_id: Int64
    failure: LoginFailure
    detail: Detail = ""
    retry_after: Seconds | None = None


LoginCommand = LoginByCode | LoginByQr | LoginByToken | WatchQr | EnterCode | EnterPassword | LogOut
LoginEvent = LoginMoved | LoginFailed
