"""Which of its faces the login page shows."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING

from supervisor.numbers.state import State

if TYPE_CHECKING:
    from supervisor.login.login_service import Progress

_LOGGED_IN = frozenset({State.ONLINE, State.LIMITED, State.RECONNECTING, State.DEAF})


class Stage(StrEnum):
    """What the person has to do next."""

    START = "start"
    QR = "qr"
    CODE = "code"
    PASSWORD = "password"  # noqa: S105 - a stage, not a secret
    DONE = "done"


def stage_of(progress: Progress) -> Stage:
    if not progress.is_open:
        return Stage.DONE if progress.state in _LOGGED_IN else Stage.START
    if progress.qr is not None:
        return Stage.QR
    return Stage.PASSWORD if progress.state is State.NEEDS_PASSWORD else Stage.CODE


def version_of(progress: Progress) -> str:
    """Tell one QR code from the next without telling what is in it."""
    return hashlib.sha256(progress.qr.url.encode()).hexdigest()[:16] if progress.qr else ""
