"""The bodies and answers of the login calls."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from api.requests.fields import Text
from api.requests.models import Answer, Body
from supervisor.login.login_service import LoginMethod

if TYPE_CHECKING:
    from supervisor.login.login_service import Progress


class LoginOrder(Body):
    """How the owner of the number wants to log in."""

    method: LoginMethod


def _code_as_text(value: Any) -> Any:
    """Restore the digits of a code that was sent as a number."""
    return f"{value:05}" if isinstance(value, int) and not isinstance(value, bool) else value


class CodeEntry(Body):
    """The code that Telegram sent."""

    code: Annotated[
        Text, BeforeValidator(_code_as_text), Field(min_length=1, max_length=32, repr=False)
    ]


class PasswordEntry(Body):
    """The password of the Telegram account."""

    password: str = Field(min_length=1, max_length=1024, repr=False)


class ExportOrder(Body):
    """The format in which the session is exported."""

    format: Literal["string"]


class LoginAnswer(Answer):
    """The progress of the login."""

    state: str
    qr_url: str | None = Field(None, repr=False, exclude_if=lambda url: url is None)
    expires_at: datetime | None = Field(None, exclude_if=lambda moment: moment is None)


class LinkAnswer(Answer):
    """A one-time page on which the client logs in."""

    url: str = Field(repr=False)
    expires_at: datetime


class SessionAnswer(Answer):
    """The session as text. Whoever has it controls the account."""

    string_session: str = Field(repr=False)


def describe_login(progress: Progress) -> LoginAnswer:
    if progress.qr is None:
        return LoginAnswer(state=progress.state)
    return LoginAnswer(
        state=progress.state, qr_url=progress.qr.url, expires_at=progress.qr.expires_at
    )
