"""What a single worker is started for in place of its number's ordinary life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_worker.contract import Command

SIGN_IN = "session_worker.sign_in:SignIn"
SIGN_OUT = "session_worker.sign_out:SignOut"


@dataclass(frozen=True, slots=True)
class Errand:
    """The session that worker runs, the command it begins with."""

    session_factory: str
    opening: Command
