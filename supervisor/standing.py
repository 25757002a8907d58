"""How a number stands at this moment, for those who look or wait."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from supervisor.numbers.state import ProcessState, State, fold, is_settled

if TYPE_CHECKING:
    from session_worker.protocol.contract import SessionState


class Standing:
    """The two axes of a number's health, with a bell that rings at each change."""

    def __init__(self) -> None:
        self._process = ProcessState.STOPPED
        self._session: SessionState | None = None
        self._bell = asyncio.Event()
        self.since = time.time()

    @property
    def state(self) -> State:
        return fold(self._process, self._session)

    def show(self, process: ProcessState, session: SessionState | None = None) -> None:
        before = self.state
        self._process, self._session = process, session
        if self.state != before:
            self.since = time.time()
            self._ring()

    def stall(self, *, is_stalled: bool) -> None:
        """Note whether the running process answers; what the session said last still holds."""
        if self._process in {ProcessState.RUNNING, ProcessState.STALLED}:
            process = ProcessState.STALLED if is_stalled else ProcessState.RUNNING
            self.show(process, self._session)

    def rest(self) -> None:
        """Stop running; what the session said last still holds."""
        self.show(ProcessState.RESTING, self._session)

    async def wait_settled(self, seconds: float) -> State:
        """Wait until the worker has said what became of it, or for that long."""
        try:
            async with asyncio.timeout(seconds):
                while not is_settled(self.state):
                    await self._bell.wait()
        except TimeoutError:
            return self.state
        return self.state

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()
