"""The dialog with a worker that logs its number in or out: questions, answers, and which events it may send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.protocol.login import (
    FINAL_FAILURES,
    LoginFailed,
    LoginFailure,
    LoginMoved,
    LoginStage,
)
from supervisor import errors
from supervisor.processes.questions import Questions

if TYPE_CHECKING:
    from session_worker.protocol.contract import Command
    from session_worker.protocol.login import LoginEvent

PATIENCE = 45.0  # seconds; Telegram may have to be reached first

_ERRORS: dict[LoginFailure, type[errors.GatewayError]] = {
    LoginFailure.CODE_INVALID: errors.CodeInvalid,
    LoginFailure.CODE_EXPIRED: errors.CodeExpired,
    LoginFailure.PASSWORD_INVALID: errors.PasswordInvalid,
    LoginFailure.WRONG_ACCOUNT: errors.WrongAccount,
    LoginFailure.REFUSED: errors.LoginRefused,
    LoginFailure.UNREACHABLE: errors.TelegramUnreachable,
    LoginFailure.OUT_OF_TURN: errors.NotLoggingIn,
}


class LoginDialog:
    """Remembers how far the login has come, and passes answers to the callers who asked."""

    def __init__(self) -> None:
        self._questions: Questions[LoginEvent] = Questions(PATIENCE)
        self.reached: LoginMoved | None = None
        self.who = ""
        """Who began the login, for the audit log."""

    def open(self) -> int:
        """Announce a question; return the id it must carry."""
        return self._questions.open()

    async def wait(self, request_id: int) -> LoginMoved:
        """Wait for the step that the question led to, or raise the reason why it failed."""
        answer = await self._questions.wait(request_id)
        if isinstance(answer, LoginMoved):
            return answer
        raise _error_of(answer)

    async def wait_until_answered(self, patience: float) -> None:
        """Wait until the questions that are open now are answered, or for so many seconds."""
        await self._questions.wait_for_all(patience)

    def record(self, event: LoginEvent) -> None:
        """Remember how far the login has come, and answer the question behind it."""
        if isinstance(event, LoginMoved):
            self.reached = event
        elif event.failure in FINAL_FAILURES:
            self.reached = None
        self._questions.answer(event.request_id, event)

    def abort(self) -> None:
        """Forget the login of a worker that is gone, and tell all callers so."""
        self.reached = None
        self._questions.abort()


def _error_of(failed: LoginFailed) -> errors.GatewayError:
    if failed.failure is LoginFailure.FLOOD:
        return errors.LoginFlood(failed.retry_after)
    return _ERRORS[failed.failure](failed.detail or None)


SIGN_IN = "session_worker.sign_in:SignIn"
SIGN_OUT = "session_worker.sign_out:SignOut"
_LAST = frozenset({LoginStage.LOGGED_IN, LoginStage.LOGGED_OUT})


@dataclass(frozen=True, slots=True)
class OneOffSession:
    """The session that a worker runs instead of the number's own, and the command it begins with."""

    session_factory: str
    opening: Command

    @property
    def is_login(self) -> bool:
        return self.session_factory == SIGN_IN


class UnexpectedEvent(Exception):
    """The worker reported something that only a worker with another session can report."""


class ExpectedEvents:
    """Which events a worker may send, by the session it runs; any other event is forged."""

    def __init__(self, one_off: OneOffSession | None) -> None:
        self._one_off = one_off
        self._is_over = False

    def require_login(self, event: LoginEvent) -> None:
        """Raise unless the event is a step of the login; its end is reported once."""
        if self._is_over or not self._is_step(event):
            raise UnexpectedEvent(f"{event.kind} without a login")
        self._is_over = isinstance(event, LoginMoved) and event.stage in _LAST

    def require_messages(self) -> None:
        """Raise if the worker has nothing to do with messages."""
        if self._one_off is not None:
            raise UnexpectedEvent("messages during a login")

    def _is_step(self, event: LoginEvent) -> bool:
        if self._one_off is None:
            return False
        if isinstance(event, LoginFailed):
            return True
        return self._one_off.is_login != (event.stage is LoginStage.LOGGED_OUT)
