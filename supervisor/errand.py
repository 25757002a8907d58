"""What a single worker is started for in place of its number's ordinary life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.login_message import LoginFailed, LoginMoved, LoginStage

if TYPE_CHECKING:
    from session_worker.contract import Command
    from session_worker.login_message import LoginEvent

SIGN_IN = "session_worker.sign_in:SignIn"
SIGN_OUT = "session_worker.sign_out:SignOut"
_LAST = frozenset({LoginStage.LOGGED_IN, LoginStage.LOGGED_OUT})


@dataclass(frozen=True, slots=True)
class Errand:
    """The session that worker runs, the command it begins with."""

    session_factory: str
    opening: Command

    @property
    def is_login(self) -> bool:
        return self.session_factory == SIGN_IN


class OutOfTurn(Exception):
    """The worker says what only a worker with another task has to say."""


class Turn:
    """What a worker with this errand, or none, may speak of; whatever else it says was made up."""

    def __init__(self, errand: Errand | None) -> None:
        self._errand = errand
        self._is_over = False

    def require_login(self, said: LoginEvent) -> None:
        """Raise unless that is a step of the login, whose end is said once."""
        if self._is_over or not self._is_step(said):
            raise OutOfTurn(f"{said.kind} without a login")
        self._is_over = isinstance(said, LoginMoved) and said.stage in _LAST

    def require_messages(self) -> None:
        """Raise if the worker has nothing to do with messages."""
        if self._errand is not None:
            raise OutOfTurn("messages during a login")

    def _is_step(self, said: LoginEvent) -> bool:
        if self._errand is None:
            return False
        if isinstance(said, LoginFailed):
            return True
        return self._errand.is_login != (said.stage is LoginStage.LOGGED_OUT)
