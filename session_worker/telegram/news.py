"""What the supervisor must learn for the session to survive this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from session_worker.protocol.contract import EntitiesSeen, UpdateStateMoved

if TYPE_CHECKING:
    from session_worker.protocol.contract import UpdateState
    from session_worker.session import Outbox
    from session_worker.telegram.connection.session_memory import WorkerSession

GATHERING = 0.02  # seconds in which changes become one event


class News:
    """Tells key, peers and place, gathered, each place after the peers it needs."""

    def __init__(self, outbox: Outbox, session: WorkerSession) -> None:
        self._outbox = outbox
        self._session = session
        self._state: UpdateState | None = None
        self._timer: asyncio.TimerHandle | None = None
        session.on_entities = self._soon

    def key(self, user_id: int) -> None:
        """Tell the session's key, once it is known to be logged in."""
        key = self._session.take_key(user_id)
        if key is not None:
            self._outbox.put(key)

    def moved(self, state: UpdateState) -> None:
        """Everything up to here is stored."""
        self._state = state
        self._soon()

    def tell(self) -> None:
        """Tell all that is new, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while entities := self._session.take_entities():
            self._outbox.put(EntitiesSeen(entities=entities))
        if self._state is not None:
            self._outbox.put(UpdateStateMoved(update_state=self._state))
            self._state = None

    def _soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHERING, self.tell)
