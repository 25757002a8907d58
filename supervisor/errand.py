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


@dataclass(frozen=True, slots=True)
class Errand:
    """The session that worker runs, the command it begins with."""

    session_factory: str
    opening: Command

    @property
    def is_login(self) -> bool:
        return self.session_factory == SIGN_IN


def is_in_turn(errand: Errand | None, said: LoginEvent) -> bool:
    """Whether a worker with this errand, or none, has anything to say of that."""
    match said:
        case _ if errand is None:
            return False
        case LoginFailed():
            return True
        case LoginMoved(stage=stage):
            return errand.is_login != (stage is LoginStage.LOGGED_OUT)
