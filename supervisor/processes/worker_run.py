"""One run of a worker: beats and listens until the worker is reaped."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.process.lease import now
from session_worker.protocol.login import LoginFailed, LoginMoved, LoginStage
from supervisor.processes.liveness import Silence, read_usage
from supervisor.processes.worker_exit import WorkerExit, read_exit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from session_worker.protocol.contract import Command, Event
    from session_worker.protocol.login import LoginEvent
    from supervisor.config import Timing
    from supervisor.processes.worker_process import WorkerProcess


LAST_WORDS = 5.0  # seconds to store what a worker said before it was gone
TURNS = 100  # of the event loop, to read what a worker has said

logger = logging.getLogger(__name__)


class WorkerRun:
    """Beats and listens to a worker as long as it lives; ends it when it must not."""

    def __init__(
        self,
        worker: WorkerProcess,
        timing: Timing,
        hear: Callable[[list[Event]], Awaitable[None]],
        *,
        may_kill: Callable[[bool], bool] = lambda _: True,
        is_login: bool = False,
    ) -> None:
        """Let `may_kill` hear at each beat whether the worker is stalled, then decide."""
        self._worker = worker
        self._timing = timing
        self._hear = hear
        self._may_kill = may_kill
        self._silence: Silence | None = None
        self._is_stalled = False
        self._is_login = is_login

    async def run(self) -> WorkerExit:
        """Return why the worker ended; cancelled, end it in order first."""
        listening = asyncio.create_task(self._listen())
        beating = asyncio.create_task(self._beat())
        going = asyncio.create_task(self._worker.wait_gone())
        try:
            await asyncio.wait({listening, beating, going}, return_when=asyncio.FIRST_COMPLETED)
            silent, lease_over = beating.done(), self._worker.lease_over
            if silent:
                await self._worker.abort()
        finally:
            beating.cancel()
            parting = asyncio.create_task(self._part(listening))
            await _reach_end(parting)
            code = parting.result()
        if silent:
            beating.result()
        if not listening.cancelled():
            listening.result()
        if self._worker.breach is not None:
            return WorkerExit.BOUNDS_BROKEN
        if silent:
            return WorkerExit.UNRESPONSIVE
        return read_exit(code, lease_over=lease_over, is_login=self._is_login)

    async def _part(self, listening: asyncio.Task[None]) -> int | None:
        """Return the exit code once nothing of the worker is left."""
        await self._worker.stop()
        code = await self._worker.reap()
        await asyncio.wait({listening}, timeout=LAST_WORDS)
        listening.cancel()
        self._worker.close()
        return code

    async def _listen(self) -> None:
        async for events in self._worker.events():
            await self._hear(events)

    async def _beat(self) -> None:
        """Beat until the worker is found to hang."""
        beaten = now()
        while not await self._hangs(now() - beaten):
            self._worker.beat()
            beaten = now()
            await asyncio.sleep(self._timing.beat)
        logger.error("worker %d hangs: %s", self._worker.pid, read_usage(self._worker.pid))

    async def _hangs(self, since_beat: float) -> bool:
        # Where we were late ourselves, its answer may lie in the pipe: read that first.
        for _ in range(TURNS):
            if not self._worker.has_unread:
                break
            await asyncio.sleep(0)
        unanswered = self._worker.unanswered
        # Judged a beat later than it is told: by then all that stood still together are known.
        was_stalled, self._is_stalled = self._is_stalled, unanswered >= self._timing.stalled_after
        may_kill = self._may_kill(self._is_stalled)
        if not unanswered:
            self._silence = None
            return False
        usage = read_usage(self._worker.pid)
        if self._silence is None:
            self._silence = Silence(usage)
            return False
        self._silence = self._silence.longer(since_beat, 1.5 * self._timing.beat)
        patience = self._timing.patience
        if self._worker.pulse is None:
            patience = patience.of_boot()
        return was_stalled and may_kill and self._silence.is_hang(usage, patience)


async def _reach_end(task: asyncio.Task[int | None]) -> None:
    """Let a task end before our own cancellation goes on.

    Cut short, the parting would leave a worker that nobody beats, reaps or waits for.
    """
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


SIGN_IN = "session_worker.sign_in:SignIn"
SIGN_OUT = "session_worker.sign_out:SignOut"
_LAST = frozenset({LoginStage.LOGGED_IN, LoginStage.LOGGED_OUT})


@dataclass(frozen=True, slots=True)
class OneOffSession:
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

    def __init__(self, one_off: OneOffSession | None) -> None:
        self._one_off = one_off
        self._is_over = False

    def require_login(self, said: LoginEvent) -> None:
        """Raise unless that is a step of the login, whose end is said once."""
        if self._is_over or not self._is_step(said):
            raise OutOfTurn(f"{said.kind} without a login")
        self._is_over = isinstance(said, LoginMoved) and said.stage in _LAST

    def require_messages(self) -> None:
        """Raise if the worker has nothing to do with messages."""
        if self._one_off is not None:
            raise OutOfTurn("messages during a login")

    def _is_step(self, said: LoginEvent) -> bool:
        if self._one_off is None:
            return False
        if isinstance(said, LoginFailed):
            return True
        return self._one_off.is_login != (said.stage is LoginStage.LOGGED_OUT)
