"""The talk with the worker that logs its number in: questions that wait, the newest answer."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from session_worker.protocol.login import FINAL_FAILURES, LoginFailed, LoginFailure, LoginMoved
from supervisor import errors

if TYPE_CHECKING:
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
    """Brings answers to those who asked; a worker that is gone answers nobody any more."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[LoginEvent | None]] = {}
        self.reached: LoginMoved | None = None
        self.who = ""
        """Who began the login, for the audit log."""

    def open(self) -> int:
        """Announce a question; return the id it must carry."""
        request_id = next(self._ids)
        self._waiting[request_id] = asyncio.get_running_loop().create_future()
        return request_id

    async def wait(self, request_id: int) -> LoginMoved:
        """Wait for what the question has led to, or raise why it led nowhere."""
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self._waiting[request_id]
        except TimeoutError as exc:
            raise errors.WorkerTimeout from exc
        finally:
            del self._waiting[request_id]
        if isinstance(answer, LoginMoved):
            return answer
        raise _error_of(answer) if answer else errors.WorkerUnavailable

    async def settle(self, patience: float) -> None:
        """Wait for the questions that have been asked by now, not for ever."""
        if self._waiting:
            await asyncio.wait(set(self._waiting.values()), timeout=patience)

    def resolve(self, event: LoginEvent) -> None:
        if isinstance(event, LoginMoved):
            self.reached = event
        elif event.failure in FINAL_FAILURES:
            self.reached = None
        self._resolve(event.request_id, event)

    def abort(self) -> None:
        """Tell all who wait that no answer will come."""
        self.reached = None
        for request_id in list(self._waiting):
            self._resolve(request_id, None)

    def _resolve(self, request_id: int | None, answer: LoginEvent | None) -> None:
        waiting = self._waiting.get(request_id) if request_id is not None else None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


def _error_of(failed: LoginFailed) -> errors.GatewayError:
    if failed.failure is LoginFailure.FLOOD:
        return errors.LoginFlood(failed.retry_after)
    return _ERRORS[failed.failure](failed.detail or None)
