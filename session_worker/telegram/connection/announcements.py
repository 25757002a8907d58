"""Reports the state of a session, once for each change."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from session_worker.protocol.contract import SessionChanged, SessionState, Trouble, TroubleCode
from session_worker.telegram.errors import translate, trouble_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.session import Outbox

logger = logging.getLogger(__name__)

LAYER_TOLD = 3600.0  # seconds for which an undecodable object is reported
_CONNECTED = frozenset({SessionState.ONLINE, SessionState.LIMITED})


class Announcements:
    """Combines the state of the connection with what is known of limits, deafness and undecodable objects."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._limit: Trouble | None = None
        self._deafness: Trouble | None = None
        self._undecodable: Trouble | None = None
        self._undecodable_until = 0.0
        self._folders: Trouble | None = None
        self._announced: SessionChanged | None = None

    def announce(self, state: SessionState, trouble: Trouble | None = None) -> None:
        if state is SessionState.ONLINE:
            state, trouble = self._while_connected(trouble)
        change = SessionChanged(state=state, trouble=trouble)
        if _gist(change) != _gist(self._announced):
            self._announced = change
            self._outbox.put(change)

    def report_limit(self, trouble: Trouble | None) -> None:
        """Report that Telegram limits what we send, or no longer does."""
        self._limit = trouble
        self._announce_again()

    def report_deafness(self, trouble: Trouble) -> None:
        self._deafness = trouble
        self.announce(SessionState.DEAF, trouble)

    def clear_deafness(self) -> None:
        """Forget what was reported about missed updates."""
        self._deafness = None

    def report_folders(self, missing: Sequence[str]) -> None:
        """Report that folders named in the selection of chats are missing, or no longer are."""
        detail = ", ".join(missing)
        lacks = Trouble(code=TroubleCode.FOLDER_MISSING, detail=detail) if missing else None
        if lacks != self._folders:
            self._folders = lacks
            self._announce_again()

    def report_undecodable(self, error: BaseException) -> None:
        """Report that our layer is too old for something that Telegram sent; all else continues."""
        trouble = trouble_of(translate(error))
        if trouble != self._undecodable or time.monotonic() >= self._undecodable_until:
            logger.warning(
                "Telegram sent an object that this version cannot decode: %s", trouble.detail
            )
        self._undecodable, self._undecodable_until = trouble, time.monotonic() + LAYER_TOLD
        self._announce_again()

    def _announce_again(self) -> None:
        if self._announced is not None and self._announced.state in _CONNECTED:
            self.announce(SessionState.ONLINE)

    def _while_connected(self, trouble: Trouble | None) -> tuple[SessionState, Trouble | None]:
        # A new connection alone proves nothing: it must receive an update, or miss none.
        if self._deafness is not None:
            return SessionState.DEAF, self._deafness
        if self._limit is not None:
            return SessionState.LIMITED, self._limit
        if trouble is None and time.monotonic() < self._undecodable_until:
            trouble = self._undecodable
        return SessionState.ONLINE, trouble or self._folders


def _gist(change: SessionChanged | None) -> tuple[SessionState, TroubleCode | None] | None:
    """Reduce a change to its state and code, because the wording differs with every measurement."""
    if change is None:
        return None
    return change.state, change.trouble.code if change.trouble else None
